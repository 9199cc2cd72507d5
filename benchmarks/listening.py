"""Listeners of endless runs, raw asyncio and no gateway code: server-sent events, a WebSocket, or the painter itself.

Each notes when the last byte of every finished picture arrived, on the clock that all processes of a machine share.
"""

import asyncio
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import Any, Final, cast
from urllib.parse import urlencode

import orjson

from benchmarks.frames import BrokenStreamError, Events, Frames, Opcode, frame, is_chunked, split_head
from benchmarks.painting import FINAL_LENGTH, LISTEN, PER_BATCH

PUBLIC_KEY: Final = "bench-visitor"
_ASPECT: Final = "2:3"
_SMALL_BYTES: Final = 16 << 10
"""What the kernel keeps for a listener that doesn't read; the least that its own buffer at the server fills fast."""
_OK: Final = {"sse": b"HTTP/1.1 200 ", "ws": b"HTTP/1.1 101 ", "direct": b"HTTP/1.1 101 "}
_UPGRADE: Final = (
    "GET {0} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    "sec-websocket-version: 13\r\nsec-websocket-key: YmVuY2htYXJrcyBvZiBpdA==\r\n\r\n"
)
_GET: Final = "GET {0} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n\r\n"
_numbers = count()


class Way(StrEnum):
    """How a listener gets its pictures."""

    SSE = "sse"
    WS = "ws"
    DIRECT = "direct"
    """From the painter, without the gateway."""


@dataclass(slots=True)
class Heard:
    """What one listener got."""

    way: Way
    finals: list[tuple[str, int]] = field(default_factory=list)
    """The id of each finished picture, and when it was there, ns."""
    errors: list[str] = field(default_factory=list)


class Listener(asyncio.Protocol):
    """Asks for one endless run and listens to it.

    Args:
        way: How.
        batch_s: What six pictures take to paint; 0: no time.
        is_deaf: Whether nothing is read any more once the head of the answer is there.
    """

    def __init__(self, way: Way, batch_s: float, *, is_deaf: bool = False) -> None:
        self.heard = Heard(way)
        self.has_head = asyncio.get_running_loop().create_future()
        self._prompt = f"A gateway at dawn, number {next(_numbers):08d}" + (f", batch_s={batch_s:g}" if batch_s else "")
        self._is_deaf = is_deaf
        self._is_leaving = False
        self._head = b""
        self._frames = Frames()
        self._events = Events()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(_request(self.heard.way, self._prompt))

    def connection_lost(self, exc: Exception | None) -> None:
        """An end that was not ours is an error."""
        if not self._is_leaving:
            self._fail(f"hung up: {exc or 'closed by the server'}")

    def data_received(self, data: bytes) -> None:
        """Take what is complete."""
        now_ns = time.monotonic_ns()
        if not self.has_head.done():
            data = self._begin(data)
        try:
            for message in self._messages(data):
                self._take(message, now_ns)
        except (BrokenStreamError, orjson.JSONDecodeError) as error:
            self._fail(str(error))
            self.leave()

    def leave(self) -> None:
        """Hang up."""
        self._is_leaving = True
        if self._transport:
            self._transport.abort()

    def _begin(self, data: bytes) -> bytes:
        """Read the head, and start the run where that takes a message; gives what follows the head."""
        self._head += data
        found = split_head(self._head)
        if found is None or self._transport is None:
            return b""
        head, rest = found
        if not head.startswith(_OK[self.heard.way]) or (self.heard.way is Way.SSE and not is_chunked(head)):
            self._fail(self._head[:300].decode(errors="replace"))
            self.leave()
            return b""
        self.has_head.set_result(None)
        if self.heard.way is not Way.SSE:
            self._ask()
        if self._is_deaf:
            self._transport.pause_reading()
        return rest

    def _messages(self, data: bytes) -> Any:
        if self.heard.way is Way.SSE:
            yield from self._events.feed(data)
            return
        for opcode, payload in self._frames.feed(data):
            if opcode is Opcode.PING and self._transport:
                self._transport.write(frame(Opcode.PONG, payload, is_client=True))
            elif opcode is Opcode.CLOSE and not self._is_leaving:
                raise BrokenStreamError(f"the server closed the socket: {payload!r}")
            elif opcode is Opcode.TEXT:
                yield payload

    def _take(self, message: bytes, now_ns: int) -> None:
        said = orjson.loads(message)
        if self.heard.way is Way.DIRECT:
            if said.get("url", "").endswith(".jpg"):
                self._note(said["url"].rpartition("/")[2].removesuffix(".jpg"), said["blob"], now_ns)
                if len(self.heard.finals) % PER_BATCH == 0:
                    self._ask()
        elif said["type"] == "image_generation.completed":
            self._note(said["image_id"], said.get("b64_json"), now_ns)
        elif said["type"] == "error" or said.get("status") == "stopped":
            self._fail(message[:300].decode(errors="replace"))

    def _note(self, picture_id: str, blob: str | None, now_ns: int) -> None:
        self.heard.finals.append((picture_id, now_ns))
        if blob is not None and len(blob) != FINAL_LENGTH:
            self._fail(f"{picture_id} has {len(blob)} characters in place of {FINAL_LENGTH}")

    def _ask(self) -> None:
        if self._transport:
            text = _asked(self._prompt) if self.heard.way is Way.DIRECT else _start(self._prompt)
            self._transport.write(frame(Opcode.TEXT, text, is_client=True))

    def _fail(self, why: str) -> None:
        self.heard.errors.append(why)
        if not self.has_head.done():
            self.has_head.set_result(None)


@asynccontextmanager
async def listening(
    port: int, ways: list[Way], batch_s: float, *, spread_s: float = 0.0, are_deaf: bool = False
) -> AsyncGenerator[list[Heard], None]:
    """Let so many listeners listen until the block ends; all have begun when it begins.

    Args:
        port: Where.
        ways: One listener for each.
        batch_s: What six pictures take to paint; 0: no time.
        spread_s: The time over which they begin, one after the other.
        are_deaf: Whether they read nothing but the head; the kernel then takes little for them.
    """
    listeners: list[Listener] = []
    try:
        for way in ways:
            listeners.append(await _connect(port, Listener(way, batch_s, is_deaf=are_deaf), is_small=are_deaf))
            await asyncio.sleep(spread_s / len(ways))
        await asyncio.gather(*(listener.has_head for listener in listeners))
        yield [listener.heard for listener in listeners]
    finally:
        for listener in listeners:
            listener.leave()


async def _connect(port: int, listener: Listener, *, is_small: bool) -> Listener:
    loop = asyncio.get_running_loop()
    connection = socket.socket()
    connection.setblocking(False)
    if is_small:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BYTES)
    await loop.sock_connect(connection, ("127.0.0.1", port))
    await loop.create_connection(lambda: listener, sock=connection)
    return listener


def _request(way: Way, prompt: str) -> bytes:
    if way is Way.DIRECT:
        return _UPGRADE.format(LISTEN).encode()
    if way is Way.WS:
        return _UPGRADE.format(f"/v1/public/imagine/ws?{urlencode({'public_key': PUBLIC_KEY})}").encode()
    query = {"prompt": prompt, "aspect_ratio": _ASPECT, "nsfw": "false", "public_key": PUBLIC_KEY}
    return _GET.format(f"/v1/public/imagine/sse?{urlencode(query)}").encode()


def _start(prompt: str) -> bytes:
    return orjson.dumps({"type": "start", "prompt": prompt, "aspect_ratio": _ASPECT, "nsfw": False})


def _asked(prompt: str) -> bytes:
    properties = {"section_count": 0, "is_kids_mode": False, "enable_nsfw": False, "aspect_ratio": _ASPECT}
    asked = {"requestId": prompt, "text": prompt, "type": "input_text", "properties": properties}
    item = {"type": "message", "content": [asked]}
    return orjson.dumps({"type": "conversation.item.create", "timestamp": 0, "item": item})
