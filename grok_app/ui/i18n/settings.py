"""What people read of each setting and section. English is the schema's own; `settings_zh.toml` has the Chinese."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from grok_app.settings import DEFINITIONS, SECTION_DEFINITIONS


@dataclass(frozen=True, slots=True)
class SettingTexts:
    """The texts of one setting or section in one language."""

    title: str
    help: str
    unit: str = ""
    """Of the number; empty for what has none."""


@cache
def english() -> Mapping[str, SettingTexts]:
    """The texts by the dotted name of a setting, or the name of a section."""
    sections = {name: SettingTexts(item.title, item.help) for name, item in SECTION_DEFINITIONS.items()}
    return sections | {name: SettingTexts(item.title, item.help, item.unit or "") for name, item in DEFINITIONS.items()}


@cache
def chinese() -> Mapping[str, SettingTexts]:
    """The texts by the dotted name of a setting, or the name of a section."""
    tables = chinese_tables()
    units = tables["units"]
    return {name: _read(name, table, units) for name, table in tables.items() if name != "units"}


def chinese_tables() -> dict[str, Any]:
    """The file as it stands."""
    return tomllib.loads(Path(__file__).with_name("settings_zh.toml").read_text(encoding="utf-8"))


def _read(name: str, table: Mapping[str, str], units: Mapping[str, str]) -> SettingTexts:
    unit = DEFINITIONS[name].unit if name in DEFINITIONS else None
    return SettingTexts(table["title"], table["help"], units[unit] if unit else "")
