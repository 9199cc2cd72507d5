"""Texts that come slice by slice: put together, within limits, and forgotten in time."""

import pytest

from grok_app.accounts import Intake, intake
from grok_app.catalog import Pool
from grok_app.errors import InvalidRequestError, NotFoundError, OverloadedError, RequestTooLargeError


def test_slices_are_put_together() -> None:
    """Wherever they were cut; each tab has its own, and may read it for either pool."""
    texts = Intake()
    for tab, pieces in (("one", ["tok", "en-a\ntoken", "-b"]), ("two", ["token-c"])):
        texts.begin(tab)
        for piece in pieces:
            texts.add(tab, piece)
    assert texts.read("one", Pool.BASIC).items == {Pool.BASIC: ["token-a", "token-b"]}
    assert texts.read("one", Pool.SUPER).items == {Pool.SUPER: ["token-a", "token-b"]}
    assert texts.read("two", Pool.BASIC).items == {Pool.BASIC: ["token-c"]}


def test_a_new_text_replaces_the_one_before() -> None:
    """Whoever chooses another file means that one."""
    texts = Intake()
    for text in ("token-a", "token-b"):
        texts.begin("tab")
        texts.add("tab", text)
    assert texts.read("tab", Pool.BASIC).items == {Pool.BASIC: ["token-b"]}


@pytest.mark.parametrize("text", ["", "# nobody\n\n", "[]", '{"ssoBasic": []}'])
def test_a_text_without_accounts_is_refused(text: str) -> None:
    """Before anyone is shown a preview of nothing."""
    texts = Intake()
    texts.begin("tab")
    texts.add("tab", text)
    with pytest.raises(InvalidRequestError, match="no account"):
        texts.read("tab", Pool.BASIC)


def test_a_text_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too large is refused as it comes, and not kept."""
    monkeypatch.setattr(intake, "LIMIT_CHARS", 5)
    texts = Intake()
    texts.begin("tab")
    texts.add("tab", "12345")
    with pytest.raises(RequestTooLargeError):
        texts.add("tab", "6")
    with pytest.raises(NotFoundError):
        texts.add("tab", "7")


def test_only_some_wait_at_once() -> None:
    """More would fill the memory; one that is done makes room."""
    texts = Intake()
    for number in range(intake.MOST_TEXTS):
        texts.begin(str(number))
    with pytest.raises(OverloadedError):
        texts.begin("another")
    texts.drop("0")
    texts.begin("another")


def test_what_is_left_behind_is_forgotten() -> None:
    """A closed tab holds no tokens in memory for long; each slice is a sign of life."""
    clock_s = 1000.0
    texts = Intake(lambda: clock_s)
    texts.begin("tab")
    clock_s += intake.KEPT_S - 1
    texts.add("tab", "token")
    clock_s += intake.KEPT_S - 1
    assert texts.read("tab", Pool.BASIC).items
    clock_s += intake.KEPT_S + 1
    with pytest.raises(NotFoundError, match="choose it again"):
        texts.read("tab", Pool.BASIC)


def test_nothing_is_taken_unasked() -> None:
    """A slice of a text that nobody began is refused."""
    with pytest.raises(NotFoundError):
        Intake().add("tab", "token")
