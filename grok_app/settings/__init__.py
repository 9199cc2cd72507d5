"""What an operator may change while it runs: the schema, the stored values and the snapshot in force."""

from grok_app.settings.schema import DEFINITIONS, KEYS, Definition, Settings, as_nested, nest
from grok_app.settings.service import SettingsService, SettingView, Skipped, open_settings
from grok_app.settings.spellings import flatten
from grok_app.settings.table import SettingRow

__all__ = [
    "DEFINITIONS",
    "KEYS",
    "Definition",
    "SettingRow",
    "SettingView",
    "Settings",
    "SettingsService",
    "Skipped",
    "as_nested",
    "flatten",
    "nest",
    "open_settings",
]
