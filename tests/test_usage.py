"""Estimated tokens."""

from hypothesis import given
from hypothesis import strategies as st

from grok_app.usage import byte_length, tokens

TEXTS = st.text(st.characters(exclude_categories=()))
"""Half a surrogate pair too: JSON can bring one."""


@given(TEXTS, TEXTS)
def test_the_length_of_a_text_is_that_of_its_utf_8(one: str, other: str) -> None:
    """And pieces of a stream add up to the whole."""
    assert byte_length(one) == len(one.encode("utf-8", "surrogatepass"))
    assert byte_length(one) + byte_length(other) == byte_length(one + other)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_only_an_empty_text_has_no_tokens(one: int, other: int) -> None:
    """More text never has fewer, and a text has as many as its parts, or less for being whole."""
    assert (tokens(one) == 0) is (one == 0)
    assert tokens(one) <= tokens(one + other) <= tokens(one) + tokens(other)
