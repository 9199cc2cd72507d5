"""Which bytes a `Range` header asks for (RFC 9110, section 14.2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_app.api.files import read_range

HEADERS = {"etag": '"1-2"', "last-modified": "Sun, 29 Nov 2026 12:00:00 GMT"}
SIZES = st.integers(1, 10**12)
ODD = st.text(st.sampled_from("bytes=0123456789-, \t+٣²"), max_size=30)


@given(SIZES, st.integers(0, 10**12), st.integers(0, 10**12))
def test_the_bytes_between(size: int, first: int, length: int) -> None:
    """Both ends count; what is behind the end of the file is left out."""
    asked = {"range": f"bytes={first}-{first + length}"}
    assert read_range(asked, HEADERS, size) == range(first, min(first + length + 1, size))


@given(SIZES, st.integers(0, 10**12))
def test_from_the_start_and_from_the_end(size: int, number: int) -> None:
    """One end alone means all from there, or as many as that at the end."""
    assert read_range({"range": f"bytes={number}-"}, HEADERS, size) == range(number, size)
    assert read_range({"range": f"bytes=-{number}"}, HEADERS, size) == range(max(0, size - number), size)


@given(SIZES, st.text() | ODD, st.none() | st.text(max_size=5) | st.sampled_from(sorted(HEADERS.values())))
def test_no_range_is_a_crash(size: int, asked: str, condition: str | None) -> None:
    """Whatever is asked, it is the whole file, or a part that the file has, or nothing."""
    headers = {"range": asked} if condition is None else {"range": asked, "if-range": condition}
    span = read_range(headers, HEADERS, size)
    assert span is None or not span or (span.step == 1 and 0 <= span.start < span.stop <= size)


@pytest.mark.parametrize("asked", ["bytes=" + "9" * 5000 + "-", "bytes=-" + "9" * 5000, "bytes=5-2", "lines=1-2"])
def test_what_makes_no_sense_is_the_whole_file(asked: str) -> None:
    """A number that nobody can mean is as good as none."""
    assert read_range({"range": asked}, HEADERS, 10) is None
