"""Both languages say everything."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from grok_app.ui import layout, pages, session
from grok_app.ui.i18n import prefers_chinese, texts

CODE = Path(__file__).parents[2] / "grok_app"
PAGES = CODE / "ui"
USED = re.compile(r'(?:text|_say)\("([\w.]+)"')
EN, ZH = texts("en"), texts("zh")
FILLED = re.compile(r"\{(\w+)\}")
SAME_IN_BOTH = {"brand", "language_switch", "tasks.progress", "voice.speaker_grok"}
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


class Noting(Mapping[str, str]):
    """The texts, and which of them were asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __getitem__(self, key: str) -> str:
        self.asked.add(key)
        return EN[key]

    def __iter__(self) -> Iterator[str]:
        return iter(EN)

    def __len__(self) -> int:
        return len(EN)


def words_in(files: Iterable[Path]) -> set[str]:
    """All texts that stand in this code."""
    nodes = (node for file in files for node in ast.walk(ast.parse(file.read_text())))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_text_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a page as it is built, or by its name in the code; what is said of a wrong value, by its code.

    So names that are put together are found as what they come to, not as what they might.
    """
    noting, views = Noting(), []
    monkeypatch.setattr(session, "texts", lambda _language: noting)
    pages.add_pages(SimpleNamespace(add_page=lambda view, **_: views.append(view)))  # type: ignore[arg-type] # enough
    for view in (*views, layout.connection_note):
        view()
    settings = [*(CODE / "settings").glob("*.py"), *(PAGES / "pages" / "settings").glob("*.py")]
    used = noting.asked | words_in(PAGES.rglob("*.py")) | {f"faults.{word}" for word in words_in(settings)}
    assert EN.keys() - used == set()


@pytest.mark.parametrize(
    ("header", "is_chinese"),
    [("zh-CN,zh;q=0.9,en;q=0.8", True), ("ZH", True), ("en-US,zh;q=0.5", False), ("", False)],
)
def test_the_browser_decides_at_first(header: str, is_chinese: bool) -> None:
    """Accept-Language is in the order of preference; the first entry counts."""
    assert prefers_chinese(header) is is_chinese
