"""Every setting and section explains itself in both languages."""

from typing import get_args

import pytest

from grok_app.settings import DEFINITIONS, SECTION_DEFINITIONS
from grok_app.settings.types import Unit
from grok_app.ui.i18n.settings import chinese, chinese_tables, english

NAMES = [*SECTION_DEFINITIONS, *DEFINITIONS]


def is_chinese(text: str) -> bool:
    """Whether there is a Chinese character in it."""
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


def test_nothing_is_missing_and_nothing_left_over() -> None:
    """The Chinese file names every setting and section, with a title and a sentence, and nothing else."""
    assert english().keys() == chinese().keys() == set(NAMES)
    for name, table in chinese_tables().items():
        assert name == "units" or table.keys() == {"title", "help"}


@pytest.mark.parametrize("name", NAMES)
def test_each_language_says_it_in_its_own_words(name: str) -> None:
    """A title that fits a form and a whole sentence; no Chinese text was left in English or the other way round."""
    here, there = english()[name], chinese()[name]
    assert here.title
    assert here.help.endswith(".")
    assert not is_chinese(here.title + here.help)
    assert is_chinese(there.title)
    assert len(there.title) <= 20
    assert is_chinese(there.help)
    assert there.help.endswith("。")


def test_units_are_translated() -> None:
    """Every unit has a word; a setting with a unit shows it."""
    assert chinese_tables()["units"].keys() == set(get_args(Unit))
    assert (english()["chat.timeout"].unit, chinese()["chat.timeout"].unit) == ("s", "秒")
    assert chinese()["chat.concurrent"].unit == ""
