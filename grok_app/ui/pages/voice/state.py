"""What a visitor chooses."""

from typing import ClassVar, Final

import reflex as rx

from grok_app.ui.session import Session
from grok_app.ui.studio import Choices

VOICES: Final = ("ara", "eve", "leo", "rex", "sal", "gork")
"""By their names at Grok, of which a person's differs only in its first letter."""
PERSONALITIES: Final = (
    "assistant",
    "therapist",
    "storyteller",
    "kids_story_time",
    "kids_trivia_game",
    "meditation",
    "doc",
    "conspiracy",
    "motivation",
    "argumentative",
    "romantic",
    "unhinged",
    "sexy",
)
"""By their names at Grok, as other gateways' pages offered them in 2026. Grok decides which there are."""
SPEEDS: Final = tuple(f"{tenths / 10:g}" for tenths in range(5, 21))
"""As a browser's slider spells them: `0.5`, …, `1`, …, `2`."""
SPEED_STEP: Final = "0.1"


class VoiceState(Choices, Session):
    """The choices of the page, kept in the browser."""

    OFFERED: ClassVar = {"voice": VOICES, "personality": PERSONALITIES, "speed": SPEEDS}

    voice: str = rx.LocalStorage("ara", name="grok_app_voice")
    personality: str = rx.LocalStorage("assistant", name="grok_app_voice_personality")
    speed: str = rx.LocalStorage("1", name="grok_app_voice_speed")
