"""What is asked of voice, and what comes of it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class VoiceRequest:
    """One session."""

    voice: str
    """By its name at Grok; so is the personality. Grok decides which there are."""
    personality: str
    speed: float
    """1.0 is the voice's own."""


@dataclass(frozen=True, slots=True)
class VoicePass:
    """What a LiveKit client needs to enter the session."""

    token: str = field(repr=False)
    url: str
    """Of the LiveKit server."""
    participant_name: str
    """Empty when Grok didn't say."""
    room_name: str
    """Empty when Grok didn't say."""
