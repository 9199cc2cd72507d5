"""Pictures by their first bytes."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from grok_app.media import picture_type
from grok_app.media.sniff import HEAD_BYTES

TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif"}


def drawn(form: str) -> bytes:
    """A picture as Pillow writes it."""
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, form)
    return file.getvalue()


@pytest.mark.parametrize("form", TYPES)
def test_real_pictures_are_known_by_their_head(form: str) -> None:
    """So many bytes are enough, and the whole file says the same."""
    content = drawn(form)
    assert picture_type(content[:HEAD_BYTES]) == picture_type(content) == TYPES[form]


@pytest.mark.parametrize("form", ["bmp", "tiff", "ico", "pdf", "ppm"])
def test_other_pictures_are_none_of_ours(form: str) -> None:
    """Though they are pictures."""
    assert picture_type(drawn(form)) is None


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\x89PNG",
        b"\xff\xd8",
        b"RIFF\x00\x00\x00\x00WAVEfmt ",
        b"WEBP",
        b"GIF88a",
        b"<svg xmlns=",
        b" \x89PNG\r\n",
    ],
    ids=["empty", "short", "shorter", "wave", "webp alone", "gif of no year", "svg", "blank before"],
)
def test_what_only_looks_like_one_is_none(head: bytes) -> None:
    """A browser would not show it, or show something else."""
    assert picture_type(head) is None


@given(st.binary(max_size=32), st.binary(max_size=32))
def test_what_follows_the_head_decides_nothing(head: bytes, tail: bytes) -> None:
    """Whatever it is, the type is in the first bytes."""
    head = head.ljust(HEAD_BYTES, b"\0")[:HEAD_BYTES]
    assert picture_type(head + tail) == picture_type(head)
