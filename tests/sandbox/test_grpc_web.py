"""Frames and trailers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_app.sandbox.grpc_web import CONTENT_TYPE, Flag, frame, message_of, trailers
from grok_app.sandbox.replies import RefusedError


@given(st.binary())
def test_a_framed_message_is_read_back(message: bytes) -> None:
    """And with any byte missing at the end, refused."""
    body = frame(Flag.MESSAGE, message)
    assert message_of(CONTENT_TYPE, body) == message
    with pytest.raises(RefusedError):
        message_of(CONTENT_TYPE, body[:-1])


@given(st.integers(0, 16), st.text())
def test_trailers_stay_whole_whatever_the_message(status: int, message: str) -> None:
    """A message can't add a line: it is percent-encoded."""
    lines = trailers(status, message)[5:].split(b"\r\n")
    assert lines[0] == f"grpc-status:{status}".encode()
    assert len(lines) == (3 if message else 2)
    assert all(line.isascii() for line in lines)
