"""gRPC-web as Grok speaks it: frames, trailers, and whole answers. Source: protocol notes, sections 7.1 and 11.15."""

from enum import IntEnum
from typing import Final
from urllib.parse import quote

from grok_app.sandbox.replies import RefusedError, Reply

CONTENT_TYPE: Final = "application/grpc-web+proto"
TEXT_CONTENT_TYPE: Final = "application/grpc-web-text"
FRAME_HEAD_BYTES: Final = 5
INVALID_ARGUMENT: Final = 3


class Flag(IntEnum):
    """The first byte of a frame."""

    MESSAGE = 0x00
    COMPRESSED = 0x01
    TRAILERS = 0x80


def frame(flag: Flag, payload: bytes) -> bytes:
    """One frame: flag, length in four bytes, payload."""
    return bytes((flag,)) + len(payload).to_bytes(4, "big") + payload


def trailers(status: int, message: str = "") -> bytes:
    """The frame that ends an answer."""
    return frame(Flag.TRAILERS, "".join(f"{name}:{value}\r\n" for name, value in _status(status, message)).encode())


def failure(status: int, message: str) -> Reply:
    """A gRPC error: HTTP 200, and a status other than 0 in the trailers, which are the whole body."""
    return Reply(200, trailers(status, message), CONTENT_TYPE)


def in_headers(status: int, message: str = "") -> Reply:
    """An answer without a body, its status in the HTTP headers."""
    return Reply(200, b"", CONTENT_TYPE, _status(status, message))


def message_of(content_type: str, body: bytes) -> bytes:
    """The protobuf message of a request.

    Raises:
        RefusedError: HTTP 415 for another content type (INFERRED, the notes show none), gRPC error 3 if the body isn't
            exactly one uncompressed message frame.
    """
    if content_type != CONTENT_TYPE:
        raise RefusedError(Reply(415, b"", "text/plain", (("accept-post", CONTENT_TYPE),)))
    message = body[FRAME_HEAD_BYTES:]
    if body != frame(Flag.MESSAGE, message):
        raise RefusedError(failure(INVALID_ARGUMENT, "the body must be one uncompressed message frame"))
    return message


def _status(status: int, message: str) -> tuple[tuple[str, str], ...]:
    pairs = (("grpc-status", str(status)), ("grpc-message", quote(message)))
    return pairs if message else pairs[:1]


SUCCESS: Final = Reply(200, frame(Flag.MESSAGE, b"") + trailers(0), CONTENT_TYPE)
"""An empty message and status 0."""
