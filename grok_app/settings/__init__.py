"""What an operator may change while it runs: the schema, the stored values and the snapshot in force."""

from grok_app.settings.environment import settings_of
from grok_app.settings.keys import KEYS, make_key
from grok_app.settings.schema import (
    DEFINITIONS,
    SECTION_DEFINITIONS,
    Definition,
    SectionDefinition,
    Settings,
    as_nested,
    as_text,
    nest,
)
from grok_app.settings.service import SettingsService, SettingView, Skipped, open_settings
from grok_app.settings.spellings import flatten
from grok_app.settings.table import SEALED, SettingRow
from grok_app.settings.validation import Fault, WrongSettingsError

__all__ = [
    "DEFINITIONS",
    "KEYS",
    "SEALED",
    "SECTION_DEFINITIONS",
    "Definition",
    "Fault",
    "SectionDefinition",
    "SettingRow",
    "SettingView",
    "Settings",
    "SettingsService",
    "Skipped",
    "WrongSettingsError",
    "as_nested",
    "as_text",
    "flatten",
    "make_key",
    "nest",
    "open_settings",
    "settings_of",
]
