"""Both languages say everything."""

import re
from pathlib import Path

import pytest

from grok_app.ui.i18n import prefers_chinese, texts

PAGES = Path(__file__).parents[2] / "grok_app" / "ui"
USED = re.compile(r'(?:text|_say)\("([\w.]+)"')
EN, ZH = texts("en"), texts("zh")
FILLED = re.compile(r"\{(\w+)\}")
SAME_IN_BOTH = {"brand", "language_switch", "tasks.progress"}
"""Names, and what stands in the other language on purpose."""


def test_no_text_is_missing_in_a_language() -> None:
    """Every key is in both dictionaries, with something to show."""
    assert EN.keys() == ZH.keys()
    assert all(EN.values())
    assert all(ZH.values())


def test_the_chinese_texts_are_chinese() -> None:
    """None was left in English; names and what stands in the other language on purpose aside."""
    assert {key for key, text in ZH.items() if text.isascii()} == SAME_IN_BOTH


def test_both_languages_fill_in_the_same() -> None:
    """A text with a number or a name in it has them in both."""
    assert {key for key in EN if set(FILLED.findall(EN[key])) != set(FILLED.findall(ZH[key]))} == set()


def test_every_text_in_use_exists() -> None:
    """A page can't name a text that is in no dictionary."""
    used = {key for path in PAGES.rglob("*.py") for key in USED.findall(path.read_text())}
    assert used
    assert used <= EN.keys()


@pytest.mark.parametrize(
    ("header", "is_chinese"),
    [("zh-CN,zh;q=0.9,en;q=0.8", True), ("ZH", True), ("en-US,zh;q=0.5", False), ("", False)],
)
def test_the_browser_decides_at_first(header: str, is_chinese: bool) -> None:
    """Accept-Language is in the order of preference; the first entry counts."""
    assert prefers_chinese(header) is is_chinese
