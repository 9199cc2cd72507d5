"""The markup filter: the same output however the text is cut."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_app.chat.markup import MarkupFilter

NAMES = ("xaiartifact", "xai:tool_usage_card", "grok:render")
OPENING = rf"<({'|'.join(NAMES)})(?=[\s/>]|\Z)"
WHOLE = r"(?P<whole>[^>]*/>|[^>]*>.*?</\1>)"
ELEMENT = re.compile(rf"{OPENING}(?:{WHOLE}|.*\Z)", re.DOTALL | re.IGNORECASE | re.ASCII)
PIECES = (
    *(f"<{name}>" for name in NAMES),
    *(f"</{name}>" for name in NAMES),
    *(f"<{name} a='1'>" for name in NAMES),
    '<grok:render card_id="c1"/>',
    "<xaiArtifact>",
    "<grok:renderer>",
    "<grok",
    "<xai",
    "<",
    ">",
    "/",
    "</",
    "a < b",
    "text ",
    "\n",
    "é中",
)
texts = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


def run(pieces: list[str], names: tuple[str, ...] = NAMES) -> str:
    """What a filter shows of a text that arrives in these pieces; elements become `{name}`."""
    markup = MarkupFilter(names, lambda name, _element: f"{{{name}}}")
    return "".join([markup.feed(piece) for piece in pieces] + [markup.close()])


def expected(text: str) -> str:
    """The same, by one regular expression over the whole text."""
    shown = ""
    place = 0
    for match in ELEMENT.finditer(text):
        shown += text[place : match.start()]
        if match["whole"] is not None:
            shown += ("" if shown.endswith("\n") or not shown else "\n") + f"{{{match[1].lower()}}}"
        place = match.end()
    return shown + text[place:]


@given(texts, st.data())
def test_any_cutting_gives_the_output_of_the_whole(text: str, data: st.DataObject) -> None:
    """A text's output does not depend on where the stream is cut, and is what the definition says."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert run(pieces) == run([text]) == expected(text)


@given(texts)
def test_one_character_at_a_time(text: str) -> None:
    """The finest cutting is no exception."""
    assert run(list(text)) == expected(text)


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        (["Here", " it is", "."], "Here it is."),
        (["a <", "b> c"], "a <b> c"),
        (["x<xai", "artifact>secret</xai", "artifact>y"], "x\n{xaiartifact}y"),
        (["x<grok:render a='1'", "/>y"], "x\n{grok:render}y"),
        (["x<xaiartifact>never closed"], "x"),
        (["1 <", "grok"], "1 <grok"),
        (["end<grok:render"], "end"),
    ],
    ids=["plain", "not a tag", "split element", "self-closing", "unclosed", "prefix at end", "bare tag at end"],
)
def test_examples(pieces: list[str], shown: str) -> None:
    """What is markup goes, what only looks like it stays."""
    assert run(pieces) == shown


def test_text_without_markup_is_passed_on_at_once() -> None:
    """Nothing is held back that can't be the beginning of a tag."""
    markup = MarkupFilter(NAMES, lambda *_: "")
    assert markup.feed("1 < 2, ") == "1 < 2, "
    assert markup.feed("<b>bold") == "<b>bold"


def test_no_names_filter_nothing() -> None:
    """An operator who empties `app.filter_tags` sees everything."""
    text = "<grok:render card_id='1'></grok:render>"
    assert run([text], ()) == text


def test_a_huge_element_is_not_kept() -> None:
    """The text of an element is kept up to a limit, its end is found all the same."""
    seen: list[int] = []

    def remember(_name: str, element: str) -> str:
        seen.append(len(element))
        return ""

    markup = MarkupFilter(NAMES, remember)
    shown = [markup.feed("<xaiartifact>")] + [markup.feed("x" * 1000) for _ in range(1000)]
    assert "".join([*shown, markup.feed("</xaiartifact>after")]) == "after"
    assert seen[0] < 70_000
