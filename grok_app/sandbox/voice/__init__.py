"""Voice in the sandbox: tokens for a LiveKit room, and the signalling socket where they count. No sound."""

from grok_app.sandbox.voice.signalling import Signalling, Validation
from grok_app.sandbox.voice.tokens import decide_voice

__all__ = ["Signalling", "Validation", "decide_voice"]
