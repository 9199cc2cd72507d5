"""The voice page."""

from grok_app.ui.pages.voice.state import VoiceState
from grok_app.ui.pages.voice.view import view

__all__ = ["VoiceState", "view"]
