"""The load generator: so many streams at once, each a keep-alive connection that asks again when it was answered.

Raw asyncio; knows of HTTP/1.1 only where a reply ends. The clock of a request starts when it is written. *First* is
the moment the bytes arrive that hold the first text of the answer (a `token` of Grok's or a `content` of OpenAI's that
is not empty, whichever the server speaks), *total* the moment the last byte of the reply arrives.
"""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, cast

_TEXT: Final = re.compile(rb'"(?:token|content)":"[^"]')
_TEXT_OVERLAP: Final = len(b'"content":"x')
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_LAST_CHUNK: Final = b"\r\n0\r\n\r\n"
_OK: Final = b"HTTP/1.1 200 "
_ROUND_LIMIT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Ask:
    """One request and what its reply must hold."""

    request: bytes
    event: bytes
    """What begins each event of the reply."""
    mark: bytes
    """What each token of the reply holds."""
    marks: int
    """How many of them a complete reply holds."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One answered request. Seconds."""

    first_s: float
    total_s: float
    events: int


@dataclass(slots=True)
class Load:
    """What came of a run."""

    samples: list[Sample] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    elapsed_s: float = 0.0


def post(path: str, body: bytes, **headers: str) -> bytes:
    """The bytes of a POST with a JSON body. An underscore in a header's name stands for a hyphen."""
    lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", "content-type: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += [f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


async def run_load(port: int, ask: Ask, *, streams: int, requests: int, spread_s: float = 0.0) -> Load:
    """Make so many requests to a loopback port over so many streams, as fast as they are answered.

    Connections are opened before the clock starts. A broken reply is an error of the load, and no sample.

    Args:
        port: Where to ask.
        ask: What to ask.
        streams: How many ask at the same time.
        requests: How many are made in all.
        spread_s: The time over which the streams begin, one after the other; 0: all at once.

    Raises:
        TimeoutError: The run did not end within a minute.
    """
    load = Load()
    left = iter(range(requests))
    async with asyncio.timeout(_ROUND_LIMIT_S), _connections(port, streams) as connections:
        began_at = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number, connection in enumerate(connections):
                group.create_task(_keep_asking(connection, ask, left, load, wait_s=spread_s * number / streams))
        load.elapsed_s = time.perf_counter() - began_at
    return load


async def _keep_asking(connection: "_Connection", ask: Ask, left: Iterator[int], load: Load, *, wait_s: float) -> None:
    if wait_s:
        await asyncio.sleep(wait_s)
    for _ in left:
        try:
            load.samples.append(await connection.ask(ask))
        except ReplyError as error:
            load.errors.append(str(error))
            if not connection.is_open:
                return


class ReplyError(Exception):
    """A reply was refused, incomplete or cut."""


@asynccontextmanager
async def _connections(port: int, count: int) -> AsyncGenerator[list["_Connection"], None]:
    loop = asyncio.get_running_loop()
    opened: list[_Connection] = []
    try:
        for _ in range(count):
            _, connection = await loop.create_connection(_Connection, "127.0.0.1", port)
            opened.append(connection)
        yield opened
    finally:
        for connection in opened:
            connection.close()


class _Connection(asyncio.Protocol):
    """One request at a time, so that a reply ends where the buffer ends."""

    def __init__(self) -> None:
        self.is_open = False
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._replied: asyncio.Future[float] | None = None
        self._reply = bytearray()
        self._size: int | None = None
        self._has_head = False
        self._first_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note where to ask."""
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up the reply under way."""
        self.is_open = False
        if self._replied and not self._replied.done():
            self._replied.set_exception(ReplyError(f"the connection was cut: {exc or 'closed by the server'}"))

    def data_received(self, data: bytes) -> None:
        """Look for the first text, then for the end."""
        now = time.perf_counter()
        looked_at = max(0, len(self._reply) - _TEXT_OVERLAP)
        self._reply += data
        if not self._first_at and _TEXT.search(self._reply, looked_at):
            self._first_at = now
        if self._is_complete() and self._replied and not self._replied.done():
            self._replied.set_result(now)

    async def ask(self, ask: Ask) -> Sample:
        """Send a request and wait for the whole reply.

        Raises:
            ReplyError: It was not a complete 200.
        """
        if self._transport is None or not self.is_open:
            raise ReplyError("the connection is closed")
        self._replied = self._loop.create_future()
        self._reply.clear()
        self._size, self._has_head, self._first_at = None, False, 0.0
        sent_at = time.perf_counter()
        self._transport.write(ask.request)
        ended_at = await self._replied
        self._check(ask)
        return Sample(self._first_at - sent_at, ended_at - sent_at, self._reply.count(ask.event))

    def close(self) -> None:
        """Close the connection."""
        if self._transport:
            self._transport.close()

    def _is_complete(self) -> bool:
        if not self._has_head:
            end = self._reply.find(b"\r\n\r\n")
            if end < 0:
                return False
            self._has_head = True
            length = _LENGTH.search(self._reply, 0, end)
            self._size = end + 4 + int(length[1]) if length else None
        # No JSON text holds a bare line break, so nothing but the last chunk looks like it.
        return self._reply.endswith(_LAST_CHUNK) if self._size is None else len(self._reply) >= self._size

    def _check(self, ask: Ask) -> None:
        if not self._reply.startswith(_OK):
            raise ReplyError(bytes(self._reply[:300]).decode("utf-8", "replace"))
        if (found := self._reply.count(ask.mark)) != ask.marks or not self._first_at:
            raise ReplyError(f"the reply held {found} tokens of {ask.marks}")
