"""A grok.com that paints for load: six prepared pictures for each prompt, so that the gateway is what is measured.

Raw asyncio and nothing of `grok_app`. Speaks epoch [F] over a WebSocket (protocol notes, sections 4.1 and 11.8): all
previews, then all medium pictures, then all finished ones. `batch_s=6` anywhere in a prompt spreads them evenly over
6 s; without it they leave as fast as they are taken. A question about the quota gets an answer too, and `GET /painted`
says when each finished picture left, on the clock that all processes of a machine share.
"""

import asyncio
import base64
import hashlib
import math
import re
import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from itertools import count
from typing import Any, Final, cast

import orjson
from PIL import Image

from benchmarks.frames import Frames, Opcode, frame
from benchmarks.serving import serve_until_interrupted

PER_BATCH: Final = 6
SIZES: Final = {"preview": 10_000, "medium": 50_000, "final": 100_000}
"""Bytes of a picture by its stage, in the order in which they are sent."""
FINAL_LENGTH: Final = 4 * -(-SIZES["final"] // 3)
"""Of a finished picture in base64."""
BATCH_BYTES: Final = PER_BATCH * sum(4 * -(-size // 3) for size in SIZES.values())
"""What six pictures are in base64, all stages together."""
LISTEN: Final = "/ws/imagine/listen"
PAINTED: Final = "/painted"
_VARIETY: Final = 8
"""So many different pictures of each stage."""
_URL: Final = b'{"type":"image","url":"https://imagine-public.x.ai/imagine-public/images/'
_ID: Final = "{batch:08x}-0000-4000-8000-{number:012x}"
_PACE: Final = re.compile(rb"batch_s=(\d+(?:\.\d+)?)")
_KEY: Final = re.compile(rb"\r\nsec-websocket-key: *(\S+)", re.IGNORECASE)
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_MAGIC: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_QUOTA: Final = b'{"windowSizeSeconds":72000,"remainingQueries":80,"totalQueries":80}'
_PROBE_SIDE: Final = 100
_BUFFER_BYTES: Final = 256 << 10
"""As much of a socket waits here before the next picture waits."""


@dataclass(slots=True)
class Studio:
    """What all sockets share."""

    batches: Iterator[int] = field(default_factory=count)
    open_sockets: int = 0
    sent_ns: dict[str, int] = field(default_factory=dict)
    """When each finished picture left, by its id; all since they were last asked for."""
    cut_ns: list[int] = field(default_factory=list)
    """When sockets were closed in the middle of a batch, since then."""

    def tell(self) -> bytes:
        """All of it as JSON; what has been told is forgotten."""
        told = orjson.dumps({"open_sockets": self.open_sockets, "sent_ns": self.sent_ns, "cut_ns": self.cut_ns})
        self.sent_ns.clear()
        self.cut_ns.clear()
        return told


class Painting(asyncio.Protocol):
    """One connection: a request, or a socket with one prompt after the other."""

    def __init__(self, studio: Studio, stock: dict[str, list[bytes]]) -> None:
        self._studio = studio
        self._stock = stock
        self._received = b""
        self._frames: Frames | None = None
        self._painting: asyncio.Task[None] | None = None
        self._has_room = asyncio.Event()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note where to answer."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(_BUFFER_BYTES)
        self._has_room.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """Stop painting."""
        self._transport = None
        if self._frames:
            self._studio.open_sockets -= 1
        if self._painting and not self._painting.done():
            self._studio.cut_ns.append(time.monotonic_ns())
            self._painting.cancel()

    def pause_writing(self) -> None:
        """Wait with the next picture."""
        self._has_room.clear()

    def resume_writing(self) -> None:
        """Go on."""
        self._has_room.set()

    def data_received(self, data: bytes) -> None:
        """Answer a request once it is complete, and a prompt with pictures."""
        if self._frames is None:
            self._received += data
            data = self._answer()
        if self._frames is not None:
            for opcode, payload in self._frames.feed(data):
                self._hear(opcode, payload)

    def _answer(self) -> bytes:
        """Answer what was received; gives what belongs to the socket already."""
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or len(body) < (int(length[1]) if length else 0):
            return b""
        self._received = b""
        if key := _KEY.search(head):
            accept = base64.b64encode(hashlib.sha1(key[1] + _MAGIC, usedforsecurity=False).digest())
            self._write(
                b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
                b"sec-websocket-accept: %b\r\n\r\n" % accept
            )
            self._frames = Frames()
            self._studio.open_sockets += 1
            return body
        text = self._studio.tell() if head.startswith(f"GET {PAINTED} ".encode()) else _QUOTA
        self._write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(text), text
        )
        return b""

    def _hear(self, opcode: Opcode, payload: bytes) -> None:
        if opcode is Opcode.TEXT:
            pace = _PACE.search(payload)
            self._painting = asyncio.create_task(self._paint(float(pace[1]) if pace else 0.0))
        elif opcode is Opcode.PING:
            self._write(frame(Opcode.PONG, payload))
        elif opcode is Opcode.CLOSE and self._transport:
            self._write(frame(Opcode.CLOSE, payload))
            self._transport.close()

    async def _paint(self, batch_s: float) -> None:
        loop = asyncio.get_running_loop()
        batch, began_at = next(self._studio.batches), loop.time()
        steps = [(stage, number) for stage in SIZES for number in range(PER_BATCH)]
        for step, (stage, number) in enumerate(steps, start=1):
            # By the clock, not by the last picture, so that a late one does not delay all that follow.
            await asyncio.sleep(max(0.0, began_at + batch_s * step / len(steps) - loop.time()))
            await self._has_room.wait()
            self._send(stage, batch, number)

    def _send(self, stage: str, batch: int, number: int) -> None:
        picture_id = _ID.format(batch=batch, number=number)
        rest = self._stock[stage][(batch + number) % _VARIETY]
        if stage == "final":
            self._studio.sent_ns[picture_id] = time.monotonic_ns()
        start = _URL + picture_id.encode()
        self._write(_head(len(start) + len(rest)) + start, rest)

    def _write(self, *parts: bytes) -> None:
        if self._transport:
            self._transport.writelines(parts)


def make_stock() -> dict[str, list[bytes]]:
    """By stage the end of each message, from behind the id on. Pictures of noise, filled up to their size."""
    extensions = {"preview": "PNG", "medium": "PNG", "final": "JPEG"}
    return {
        stage: [_rest(extensions[stage], _picture(extensions[stage], size)) for _ in range(_VARIETY)]
        for stage, size in SIZES.items()
    }


def batch_of(picture_id: str) -> str:
    """What is the same for the six pictures of a prompt, and for no others."""
    return picture_id[:8]


async def start_answering(listener: socket.socket | None = None) -> asyncio.Server:
    """Paint on this listening socket, or on a free loopback port, until the server is closed."""
    loop = asyncio.get_running_loop()
    connect: Callable[[], Any] = partial(Painting, Studio(), make_stock())
    if listener is not None:
        return await loop.create_server(connect, sock=listener, backlog=2048)
    return await loop.create_server(connect, "127.0.0.1", 0, backlog=2048)


def _rest(extension: str, content: bytes) -> bytes:
    ending = {"PNG": b"png", "JPEG": b"jpg"}[extension]
    return b'.%b","blob":"%b"}' % (ending, base64.b64encode(content))


def _picture(extension: str, size_bytes: int) -> bytes:
    """A square of noise, filled up to this size: what follows a picture's end is nobody's business."""
    side = int(_PROBE_SIDE * math.sqrt(size_bytes / len(_encoded(extension, _PROBE_SIDE))))
    while len(content := _encoded(extension, side)) > size_bytes:
        side -= 1
    return content.ljust(size_bytes, b"\0")


def _encoded(extension: str, side: int) -> bytes:
    target = BytesIO()
    Image.effect_noise((side, side), 90).convert("RGB").save(target, extension)
    return target.getvalue()


def _head(length: int) -> bytes:
    return struct.pack("!BBH", 0x81, 126, length) if length < 1 << 16 else struct.pack("!BBQ", 0x81, 127, length)


def main(arguments: Iterable[str] | None = None) -> None:
    """Serve until interrupted."""
    serve_until_interrupted("python -m benchmarks.painting", __doc__, start_answering, arguments)


if __name__ == "__main__":
    main()
