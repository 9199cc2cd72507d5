"""What an operator may change while it runs: the schema, the stored values and the snapshot in force."""

from grok_app.settings.schema import KEYS, Settings
from grok_app.settings.service import SettingsService, open_settings
from grok_app.settings.table import SettingRow

__all__ = ["KEYS", "SettingRow", "Settings", "SettingsService", "open_settings"]
