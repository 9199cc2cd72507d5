"""The sandbox's protobuf, against the real one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import models, rtc

from grok_app.sandbox.voice.protobuf import Fields, read, write

INT64 = st.integers(-(2**63), 2**63 - 1)


@given(number=INT64, text=st.text(max_size=300), flag=st.booleans())
def test_what_is_written_is_read_by_livekit(number: int, text: str, flag: bool) -> None:
    """Numbers of any size, texts of any length, and messages within messages."""
    room: Fields = {1: text, 5: number, 10: int(flag)}
    read_back = rtc.JoinResponse.FromString(write({1: write(room), 4: text}))
    assert (read_back.room.sid, read_back.room.creation_time, read_back.room.active_recording) == (text, number, flag)
    assert read_back.server_version == text


@given(number=INT64, text=st.text(max_size=300))
def test_what_livekit_writes_is_read(number: int, text: str) -> None:
    """Each field by its number; the numbers are those of 64 bits without a sign."""
    room = models.Room(sid=text, creation_time=number, enabled_codecs=[models.Codec(mime=text)])
    fields = read(room.SerializeToString())
    assert fields.get(1, b"") == text.encode()
    assert fields.get(5, 0) == number % 2**64
    assert fields[7] == models.Codec(mime=text).SerializeToString()


def test_fields_of_fixed_size_are_passed_over() -> None:
    """A client may send what we don't know."""
    assert read(b"\x09" + bytes(8) + b"\x15" + bytes(4) + b"\x18\x01") == {1: bytes(8), 2: bytes(4), 3: 1}


@pytest.mark.parametrize(
    "message", [b"\x08", b"\x08\xff", b"\x80" * 11, b"\x0a\x05ab", b"\x09abc", b"\x0b"], ids=bytes.hex
)
def test_what_is_no_message_is_refused(message: bytes) -> None:
    """Cut off, endless, or of a kind that there isn't."""
    with pytest.raises(ValueError, match=r"end|early"):
        read(message)


@given(st.binary(max_size=40))
def test_nothing_else_happens(message: bytes) -> None:
    """Whatever arrives, it is a message or a ValueError."""
    try:
        read(message)
    except ValueError:
        return
