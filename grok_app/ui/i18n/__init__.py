"""Every visible text in both languages, `en.toml` and `zh.toml`: a table for each page, `accounts.title` in the code.

A test says that no key is missing in either.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

__all__ = ["LANGUAGES", "Language", "prefers_chinese", "texts"]

Language = Literal["en", "zh"]
LANGUAGES: Final = {"en": "English", "zh": "简体中文"}


@cache
def texts(language: Language) -> Mapping[str, str]:
    """The texts of a language by dotted key."""
    return dict(_flatten(tomllib.loads(Path(__file__).with_name(f"{language}.toml").read_text(encoding="utf-8"))))


def prefers_chinese(accept_language: str) -> bool:
    """Whether a browser's Accept-Language header asks for Chinese before anything else."""
    return accept_language.strip().lower().startswith("zh")


def _flatten(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    flat: list[tuple[str, str]] = []
    for key, value in table.items():
        flat += _flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else [(prefix + key, value)]
    return flat
