"""A token as people paste it, and as it may be shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_app.accounts.credential import mask


@pytest.mark.parametrize(
    ("pasted", "shown"),
    [
        ("abcdefghijklmnop", "abcd…mnop"),
        ("sso=abcdefghijklmnop; path=/", "abcd…mnop"),
        ("abcdefghij", "ab…ij"),
        ("abcdefghi", "…"),
        ("", "…"),
    ],
)
def test_a_token_is_known_by_its_ends(pasted: str, shown: str) -> None:
    """The more there is of it, the more is shown, and of a short one nothing."""
    assert mask(pasted) == shown


@given(st.text(max_size=100))
def test_a_masked_token_can_not_be_used(pasted: str) -> None:
    """At most eight characters of it are ever shown, and none that could break a line."""
    assert len(mask(pasted)) <= 9
    assert mask(pasted).isprintable()
