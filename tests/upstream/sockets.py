"""A server whose WebSockets do exactly what a test says."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
from wsproto.connection import Connection, ConnectionType
from wsproto.events import Event, TextMessage

from grok_app.upstream import GrokWeb, GrokWebOptions, open_grokweb
from tests.upstream.wire import Wire, read_head

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Peer:
    """The other end of an open socket."""

    def __init__(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.head = head
        self.writer = writer
        self._reader = reader
        self._protocol = Connection(ConnectionType.SERVER)

    def say(self, event: Event) -> None:
        """Send an event."""
        self.writer.write(self._protocol.send(event))

    def tell(self, **fields: object) -> None:
        """Send a JSON object."""
        self.say(TextMessage(data=orjson.dumps(fields).decode()))

    async def hear(self) -> Event:
        """The next event."""
        while True:
            for event in self._protocol.events():
                return event
            self._protocol.receive_data(await self._reader.read(65536) or None)


async def open_up(
    head: bytes,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    play: Callable[[Peer], Awaitable[None]],
) -> None:
    """Open the socket that this request asks for, and play."""
    key = next(line[19:] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
    accept = base64.b64encode(hashlib.sha1(key + _MAGIC, usedforsecurity=False).digest())
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )
    await play(Peer(head, reader, writer))


@asynccontextmanager
async def site(play: Callable[[Peer], Awaitable[None]], **options: Any) -> AsyncGenerator[tuple[GrokWeb, Wire], None]:
    """A server that opens every socket and plays, and a client for it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await open_up(await read_head(reader), reader, writer, play)

    async with Wire(serve).listen() as wire:
        all_options = GrokWebOptions(**{"base_url": wire.url, "user_agent": "UA", **options})
        async with open_grokweb(lambda: all_options) as client:
            yield client, wire
