"""What comes over a connection piece by piece: the messages of a WebSocket (RFC 6455), the events of a stream."""

import re
import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Final

_HEAD_END: Final = b"\r\n\r\n"
_EVENT_END: Final = b"\n\n"
_DATA: Final = b"data: "
_LONG: Final = 126
"""In place of a length that has two bytes of its own; one more: eight bytes. RFC 6455, section 5.2."""
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)


class Opcode(IntEnum):
    """What a frame is."""

    MORE = 0
    TEXT = 1
    BYTES = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class BrokenStreamError(Exception):
    """What came is not what it should be."""


def frame(opcode: Opcode, payload: bytes, *, is_client: bool = False) -> bytes:
    """A whole frame. Clients must mask what they send; with zeros it stays as it is."""
    mask, masked = (b"\0\0\0\0", 0x80) if is_client else (b"", 0)
    if len(payload) < _LONG:
        return struct.pack("!BB", 0x80 | opcode, masked | len(payload)) + mask + payload
    if len(payload) < 1 << 16:
        return struct.pack("!BBH", 0x80 | opcode, masked | _LONG, len(payload)) + mask + payload
    return struct.pack("!BBQ", 0x80 | opcode, masked | _LONG + 1, len(payload)) + mask + payload


class Frames:
    """Reads the frames of a WebSocket; the parts of a message are put together."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._message = b""
        self._opcode = Opcode.TEXT

    def feed(self, data: bytes) -> Iterator[tuple[Opcode, bytes]]:
        """What is complete with this, in order."""
        self._buffer += data
        while (found := self._next()) is not None:
            is_last, opcode, payload = found
            if opcode >= Opcode.CLOSE:
                yield opcode, payload
                continue
            if opcode is not Opcode.MORE:
                self._opcode = opcode
            self._message += payload
            if is_last:
                message, self._message = self._message, b""
                yield self._opcode, message

    def _next(self) -> tuple[bool, Opcode, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, start = buffer[1] & 0x7F, 2
        if length >= _LONG:
            start = 4 if length == _LONG else 10
            if len(buffer) < start:
                return None
            length = int.from_bytes(buffer[2:start])
        is_masked = bool(buffer[1] & 0x80)
        body = start + (4 if is_masked else 0)
        if len(buffer) < body + length:
            return None
        payload = bytes(memoryview(buffer)[body : body + length])
        if is_masked and (mask := bytes(buffer[start:body])) != bytes(4):
            payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        found = (bool(buffer[0] & 0x80), Opcode(buffer[0] & 0x0F), payload)
        del buffer[: body + length]
        return found


class Events:
    """Reads the data of server-sent events out of the chunks of an HTTP/1.1 body; comments are passed over."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._text = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What is complete with this, in order.

        Raises:
            BrokenStreamError: A chunk doesn't begin as one does.
        """
        self._buffer += data
        while (chunk := self._next()) is not None:
            looked_at = max(0, len(self._text) - 1)
            self._text += chunk
            while (end := self._text.find(_EVENT_END, looked_at)) >= 0:
                event = bytes(memoryview(self._text)[:end])
                del self._text[: end + len(_EVENT_END)]
                looked_at = 0
                if event.startswith(_DATA):
                    yield event.removeprefix(_DATA)

    def _next(self) -> bytes | None:
        line_end = self._buffer.find(b"\r\n", 0, 20)
        if line_end < 0:
            return None
        try:
            size = int(self._buffer[:line_end], 16)
        except ValueError:
            raise BrokenStreamError(f"no chunk begins with {bytes(self._buffer[:20])!r}") from None
        start = line_end + 2
        if len(self._buffer) < start + size + 2:
            return None
        chunk = bytes(memoryview(self._buffer)[start : start + size])
        del self._buffer[: start + size + 2]
        return chunk


def split_head(received: bytes) -> tuple[bytes, bytes] | None:
    """The head of an answer and what follows it; None as long as it is incomplete."""
    head, end, rest = received.partition(_HEAD_END)
    return (head, rest) if end else None


def is_chunked(head: bytes) -> bool:
    """Whether the body that follows comes in chunks."""
    return bool(_CHUNKED.search(head))
