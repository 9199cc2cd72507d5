"""gRPC-web, read strictly: what is malformed is an error and never half understood.

Source: protocol notes, sections 7.1 and 11.15; gRPC's PROTOCOL-WEB.md and PROTOCOL-HTTP2.md.
"""

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from grok_app.upstream.base import ErrorKind, GrpcStatus, UpstreamError
from grok_app.upstream.grokweb.unary import Reply

_MESSAGE: Final = 0x00
_TRAILERS: Final = 0x80
_COMPRESSED: Final = 0x01
_HEAD_BYTES: Final = 5
_HTML_TYPE: Final = "text/html"
_TEXT_TYPE: Final = "application/grpc-web-text"
_BASE64: Final = re.compile(rb"(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)+")
_BASE64_SEGMENT: Final = re.compile(rb"[^=]+=*")
_CODE: Final = re.compile(r"[0-9]{1,9}")
_MESSAGE_LIMIT: Final = 200
"""More characters of a `grpc-message` than that are cut off."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call brought, and how it ended."""

    messages: tuple[bytes, ...]
    status: GrpcStatus


def frame(message: bytes) -> bytes:
    """A protobuf message as the body of a request: flag, length, message."""
    return bytes((_MESSAGE,)) + len(message).to_bytes(4, "big") + message


def read_answer(reply: Reply) -> Answer:
    """The messages and the status of a reply, in binary or in base64.

    The status may stand in the HTTP headers, in HTTP's trailers and in the body's; the first that is not 0 counts.
    One that stands nowhere is 0.

    Raises:
        UpstreamError: The body is not whole frames, trailers last, or a status is not a number.
    """
    try:
        return _answer(reply)
    except ValueError as error:
        message = f"Grok's gRPC-web answer is malformed: {error}"
        raise UpstreamError(ErrorKind.PROTOCOL, message, status=reply.status) from error


def _answer(reply: Reply) -> Answer:
    messages: list[bytes] = []
    blocks = [list(reply.headers.items()), list(reply.trailers.items())]
    for flag, payload in _frames(_binary(reply)):
        if flag == _MESSAGE:
            messages.append(payload)
        else:
            blocks.append(list(_trailers(payload)))
    statuses = [status for block in blocks for status in _statuses(block)]
    if not statuses and reply.headers.get("content-type", "").lower().startswith(_HTML_TYPE):
        raise ValueError("it is a page")
    failed = (status for status in statuses if status.code != 0)
    return Answer(tuple(messages), next(failed, GrpcStatus(0, "")))


def _binary(reply: Reply) -> bytes:
    """The body's bytes.

    A body that is nothing but base64 is taken for it whatever its type: none of its characters is a frame's flag.
    """
    is_text = reply.headers.get("content-type", "").lower().startswith(_TEXT_TYPE)
    text = reply.body.strip()
    if _BASE64.fullmatch(text):
        return b"".join(base64.b64decode(segment) for segment in _BASE64_SEGMENT.findall(text))
    if is_text and text:
        raise ValueError("its text is not base64")
    return reply.body


def _frames(body: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    has_ended = False
    while at < len(body):
        if has_ended:
            raise ValueError("something follows its trailers")
        flag, start = body[at], at + _HEAD_BYTES
        if flag in (_MESSAGE | _COMPRESSED, _TRAILERS | _COMPRESSED):
            raise ValueError("a frame is compressed")
        if flag not in (_MESSAGE, _TRAILERS):
            raise ValueError(f"a frame has the unknown flag {flag:#04x}")
        at = start + int.from_bytes(body[at + 1 : start], "big")
        if at > len(body):
            raise ValueError("a frame is incomplete")
        has_ended = flag == _TRAILERS
        yield flag, body[start:at]


def _trailers(payload: bytes) -> Iterator[tuple[str, str]]:
    for line in payload.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if line and not colon:
            raise ValueError("a trailer has no colon")
        yield name.strip().lower(), value.strip()


def _statuses(block: Sequence[tuple[str, str]]) -> Iterator[GrpcStatus]:
    """Each status of a block, with the block's message."""
    message = next((unquote(value)[:_MESSAGE_LIMIT] for name, value in block if name == "grpc-message"), "")
    for name, value in block:
        if name != "grpc-status":
            continue
        if not _CODE.fullmatch(value):
            raise ValueError("its status is not a number")
        yield GrpcStatus(int(value), message)
