"""Servers that do exactly what a test says."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from grok_app.upstream import GrokWeb, GrokWebOptions, open_grokweb

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


async def read_head(reader: asyncio.StreamReader) -> bytes:
    """Head of a request, up to and with the blank line."""
    return await reader.readuntil(b"\r\n\r\n")


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Head and body of a request; without a Content-Length it has no body."""
    head = await read_head(reader)
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    return head + await reader.readexactly(length)


class Wire:
    """A server on a free port, and what became of its connections."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self.connections = 0
        self.closed = asyncio.Event()
        self.url = ""

    @asynccontextmanager
    async def listen(self) -> AsyncGenerator["Wire", None]:
        """Serve while the block runs."""
        server = await asyncio.start_server(self._handle, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        try:
            yield self
        finally:
            server.close()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.closed.set()
        finally:
            writer.close()


@dataclass
class Asked:
    """A request as it came."""

    line: str
    headers: dict[str, str]
    """By lower-case name; none may be there twice."""
    body: bytes


@dataclass
class Grok:
    """A client, the server that it takes for grok.com and for the account service, and what that was asked."""

    client: GrokWeb
    wire: Wire
    asked: list[Asked]

    @property
    def origin(self) -> str:
        """What a page of this server states as its origin."""
        return self.wire.url.rstrip("/")


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    """A whole answer; an underscore in a header's name stands for a hyphen."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def grok(said: bytes, **options: Any) -> AsyncGenerator[Grok, None]:
    """A server that says this to every request and waits, and a client for it with these options."""
    asked: list[Asked] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            asked.append(_parsed(await read_request(reader)))
            writer.write(said)

    async with Wire(serve).listen() as wire:
        # A URL of the settings ends with a slash.
        all_options = GrokWebOptions(**{"base_url": wire.url, "accounts_url": wire.url, **options})
        async with open_grokweb(lambda: all_options) as client:
            yield Grok(client, wire, asked)


def _parsed(request: bytes) -> Asked:
    head, _, body = request.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    pairs = [(name.lower(), value) for name, _, value in (header.partition(": ") for header in lines)]
    assert len(dict(pairs)) == len(pairs)
    return Asked(line, dict(pairs), body)
