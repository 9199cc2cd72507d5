"""Both languages say everything, and the same."""

from collections.abc import Mapping
from string import Formatter
from typing import Any, get_args

import pytest

from grok_app import phrases
from grok_app.phrases import Language, drawing, filming, lost_picture, upscaling

LANGUAGES: tuple[Language, ...] = get_args(Language)
TABLES: dict[str, Mapping[Language, str]] = {
    name: value for name, value in vars(phrases).items() if isinstance(value, dict) and set(value) & set(LANGUAGES)
}


def places(text: str) -> set[str | None]:
    """What is put into a phrase."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_no_phrase_is_missing_in_a_language(table: Mapping[Language, str]) -> None:
    """Each has something to say, about the same things; only the Chinese ones are Chinese."""
    assert set(table) == set(LANGUAGES)
    assert len({frozenset(places(text)) for text in table.values()}) == 1
    assert {language for language, text in table.items() if text.isascii()} == {"en"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phrase_can_be_said(language: Language) -> None:
    """With its numbers in it, each of its own table."""
    said: list[Any] = [drawing(language, 2, 37), filming(language, 37), upscaling(language), lost_picture(language)]
    assert len(set(said)) == len(said) == len(TABLES)
    assert [text.count("37") for text in said] == [1, 1, 0, 0]
    assert "2" in said[0]
    assert not any(sign in text for text in said for sign in "{}")


def test_progress_is_told_as_the_contract_says() -> None:
    """Word for word. Source: API contract, section 5.3."""
    assert [filming("zh-CN", 5), filming("en", 5)] == ["正在生成视频中，当前进度5%", "Generating video: 5%"]
    assert [upscaling("zh-CN"), upscaling("en")] == ["正在对视频进行超分辨率", "Upscaling video"]
