"""What a way to Grok offers for voice. Its errors are those of `base`."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class VoicePrompt:
    """How the voice of a session is to be."""

    voice: str
    """By its name at Grok, such as `ara`."""
    personality: str
    """By its name at Grok, such as `assistant`."""
    speed: float
    """1.0 is the voice's own."""
    livekit_url: str
    """The address that the session is held at."""


@dataclass(frozen=True, slots=True)
class VoiceToken:
    """What opens a session at the LiveKit server."""

    token: str = field(repr=False)
    participant_name: str
    """Who we are there; empty when Grok didn't say."""
    room_name: str
    """Empty when Grok didn't say."""


class VoiceUpstream(Protocol):
    """A way to Grok for voice."""

    async def voice_token(self, credential: str, prompt: VoicePrompt) -> VoiceToken:
        """Ask for a session; sound goes by the LiveKit server, not by us.

        Raises:
            UpstreamError: Grok refused, didn't answer in time, or sent no token.
        """
        ...
