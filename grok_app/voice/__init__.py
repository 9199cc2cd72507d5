"""Voice: a pass for a session of spoken words, which browser and Grok then hold without us."""

from grok_app.voice.service import VoiceService
from grok_app.voice.types import VoicePass, VoiceRequest

__all__ = ["VoicePass", "VoiceRequest", "VoiceService"]
