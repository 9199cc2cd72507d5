"""Everything that may change while it runs."""

from grok_app.ui.pages.settings.state import SettingsState
from grok_app.ui.pages.settings.view import view

__all__ = ["SettingsState", "view"]
