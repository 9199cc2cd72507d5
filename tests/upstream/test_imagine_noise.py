"""What Grok's socket may say that nobody expects: it is passed over or refused, never a crash."""

from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast

import orjson
from hypothesis import given
from hypothesis import strategies as st

from grok_app.upstream import PictureEnd, PictureFrame, UpstreamError
from grok_app.upstream.grokweb.imagine import read_message
from grok_app.upstream.grokweb.websocket import WebSocket

FIELDS = (
    "type",
    "current_status",
    "err_code",
    "err_msg",
    "url",
    "blob",
    "image_id",
    "id",
    "job_id",
    "order",
    "grid_index",
    "moderated",
)
WORDS = st.sampled_from(("json", "image", "error", "completed", "data:", "/images/a-0.png", "")) | st.text(max_size=5)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3),
    max_leaves=6,
)
MESSAGES = st.one_of(
    st.text(max_size=40),
    st.builds(lambda value: orjson.dumps(value).decode(), ODD | st.dictionaries(st.sampled_from(FIELDS), ODD)),
)
HEADS = st.builds(
    lambda opcode, length, rest: bytes([0x80 | opcode, length]) + rest,
    st.sampled_from((0, 1, 2, 8, 9, 10)),
    st.integers(0, 12),
    st.binary(max_size=14),
)
"""Like whole frames of all kinds, which may end too soon or too late."""


@given(MESSAGES)
def test_no_message_is_a_crash(message: str) -> None:
    """Whatever is said, it is a picture, an end, nothing, or an error of Grok's."""
    with suppress(UpstreamError):
        assert isinstance(read_message(message), PictureFrame | PictureEnd | None)


@given(st.lists(HEADS | st.binary(max_size=20), max_size=6))
async def test_no_bytes_are_a_crash(pieces: list[bytes]) -> None:
    """Whatever the connection brings, messages come out of it until it ends or breaks the rules."""
    socket = WebSocket(_response(pieces), cast("Any", SimpleNamespace(put=bytes)))
    try:
        with suppress(UpstreamError):
            while (message := await socket.receive()) is not None:
                assert isinstance(message, str)
    finally:
        socket.close()


def _response(pieces: list[bytes]) -> Any:
    """A connection that brings these and ends."""
    left = [piece for piece in pieces if piece]

    async def read() -> bytes:
        return left.pop(0) if left else b""

    return SimpleNamespace(read=read, resume_sending=lambda: None)
