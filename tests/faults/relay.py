"""A TCP relay before the sandbox that breaks connections in ways an HTTP application can't."""

import asyncio
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import httpx

LATE_BYTES: Final = 2_000
"""A late fault comes after so much of an answer; the head and some frames are in it."""
DRIP_S: Final = 0.1
"""Between two bytes that drip: far less than the gateway's patience."""
HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_READ_BYTES: Final = 64 * 1024


@dataclass(slots=True)
class Peer:
    """A connection of the gateway's, whose first request was read, and what the sandbox answers to it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    request: bytes
    """Its head."""
    grok: tuple[str, int]

    def reset(self) -> None:
        """End it with an RST."""
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def say(self, data: bytes) -> None:
        """Send to the gateway."""
        self.writer.write(data)
        await self.writer.drain()


Say = Callable[[bytes], Awaitable[None]]
Behaviour = Callable[[Peer], Awaitable[None]]
"""What happens to a connection after its first request was read; then it is closed."""


async def forward(peer: Peer) -> None:
    """Pass everything on, both ways."""
    await _pass_on(peer, peer.say)


async def reset(peer: Peer) -> None:
    """RST in place of an answer."""
    peer.reset()


async def hang_up(_peer: Peer) -> None:
    """FIN in place of an answer."""


async def garbage(peer: Peer) -> None:
    """Bytes that are no HTTP."""
    await peer.say(bytes(range(256)) * 64 + b"\r\n\r\n")


async def half_head(peer: Peer) -> None:
    """FIN in the middle of the head."""
    await peer.say(HEAD[:-9])


async def stalled_head(peer: Peer) -> None:
    """Half a head, then silence."""
    await peer.say(HEAD[:-9])
    await _until_left(peer)


async def endless_head(peer: Peer) -> None:
    """A head that never ends."""
    await peer.say(HEAD)
    while True:
        await peer.say(b"X-Filler: " + b"x" * 8000 + b"\r\n")


async def heralds(peer: Peer) -> None:
    """Provisional answers for ever, and never a final one."""
    while True:
        await peer.say(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        await asyncio.sleep(DRIP_S / 10)


def answering(answer: bytes) -> Behaviour:
    """These bytes, then FIN."""
    return lambda peer: peer.say(answer)


async def late_reset(peer: Peer) -> None:
    """RST after `LATE_BYTES` of the answer."""
    sent = 0

    async def say(data: bytes) -> None:
        nonlocal sent
        await peer.say(data[: LATE_BYTES - sent])
        sent += len(data)
        if sent >= LATE_BYTES:
            raise ConnectionAbortedError

    try:
        await _pass_on(peer, say)
    except ConnectionAbortedError:
        await asyncio.sleep(DRIP_S)  # an RST overtakes what the other side has not read yet
        peer.reset()


async def drip(peer: Peer) -> None:
    """The head of the answer at once, then a byte now and then."""
    is_head = True

    async def say(data: bytes) -> None:
        nonlocal is_head
        if is_head:
            head, end, data = data.partition(b"\r\n\r\n")
            await peer.say(head + end)
            is_head = not end
        for index in range(len(data)):
            await peer.say(data[index : index + 1])
            await asyncio.sleep(DRIP_S)

    await _pass_on(peer, say)


class Relay:
    """Passes everything on, but for what it is told to break. Made by `open_relay`.

    Args:
        grok: Host and port of the sandbox.
    """

    def __init__(self, grok: tuple[str, int]) -> None:
        self._grok = grok
        self._path = ""
        self._behaviour: Behaviour | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self._port: int = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where the gateway finds it."""
        return f"http://127.0.0.1:{self._port}"

    @contextmanager
    def breaking(self, behaviour: Behaviour, path: str = "/") -> Generator[None]:
        """Treat every request to a path that begins so in this way while the block runs."""
        self._do(self._turn_to(behaviour, path))
        try:
            yield
        finally:
            self._do(self._turn_to(None, ""))

    @contextmanager
    def refusing(self) -> Generator[None]:
        """Let nobody connect while the block runs; connections that there are end."""
        self._do(self._close())
        try:
            yield
        finally:
            self._do(self._open())

    def close(self) -> None:
        """End everything."""
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Awaitable[None]) -> None:
        async def wait() -> None:
            await work

        asyncio.run_coroutine_threadsafe(wait(), self._loop).result(10)

    async def _turn_to(self, behaviour: Behaviour | None, path: str) -> None:
        self._behaviour, self._path = behaviour, path
        await self._drop()

    async def _close(self) -> None:
        self._server.close()
        await self._drop()

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)

    async def _drop(self) -> None:
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        try:
            await self._treat(reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # the other side has gone, or the relay turns to something else
        finally:
            self._connections.discard(task)
            writer.close()

    async def _treat(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._behaviour is None:
            await forward(Peer(reader, writer, b"", self._grok))
            return
        request = await reader.readuntil(b"\r\n\r\n")
        is_meant = request.split(b" ", 2)[1].decode().startswith(self._path)
        # A kept connection would carry a second request, which nobody reads here.
        request = request if b"Upgrade:" in request else request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        await (self._behaviour if is_meant else forward)(Peer(reader, writer, request, self._grok))


@contextmanager
def open_relay(url: str) -> Generator[Relay]:
    """A relay before the server at this URL, until the block ends."""
    place = httpx.URL(url)
    assert place.port
    relay = Relay((place.host, place.port))
    try:
        yield relay
    finally:
        relay.close()


async def _pass_on(peer: Peer, say: Say) -> None:
    """Pass the request on, and say what is answered, until either side ends."""
    reader, writer = await asyncio.open_connection(*peer.grok)
    writer.write(peer.request)

    async def ask(data: bytes) -> None:
        writer.write(data)
        await writer.drain()

    there = asyncio.create_task(_copy(peer.reader, ask))
    back = asyncio.create_task(_copy(reader, say))
    try:
        done, _ = await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        there.cancel()
        back.cancel()
        await asyncio.gather(there, back, return_exceptions=True)
        writer.close()


async def _copy(source: asyncio.StreamReader, say: Say) -> None:
    while data := await source.read(_READ_BYTES):
        await say(data)


async def _until_left(peer: Peer) -> None:
    while await peer.reader.read(_READ_BYTES):
        pass
