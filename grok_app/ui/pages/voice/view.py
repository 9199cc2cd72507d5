"""The page."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Any, Final

import reflex as rx

from grok_app.ui import routes
from grok_app.ui.components import speed_range, voice
from grok_app.ui.i18n import texts
from grok_app.ui.pages.voice.state import PERSONALITIES, SPEED_STEP, SPEEDS, VOICES, VoiceState
from grok_app.ui.session import text
from grok_app.ui.studio import choice_list, choosing, segmented, studio_page

_TABLE: Final = "voice."


def view() -> rx.Component:
    """The page."""
    return studio_page(
        routes.VOICE,
        voice(
            _choice(text("voice.fact_voice"), _voices()),
            _choice(text("voice.fact_personality"), _personalities()),
            _speed(),
            labels=_labels(),
            voice=VoiceState.voice,
            personality=VoiceState.personality,
            speed=VoiceState.speed,
        ),
        class_name="voice",
    )


def _choice(label: Any, control: rx.Component) -> rx.Component:
    return rx.el.div(rx.el.span(label, aria_hidden=True), control, class_name="voice-choice")


def _voices() -> rx.Component:
    names = {voice: voice.capitalize() for voice in VOICES}
    return segmented(text("voice.fact_voice"), VoiceState, "voice", names)


def _personalities() -> rx.Component:
    names = {personality: text(f"voice.personality_{personality}") for personality in PERSONALITIES}
    return choice_list(text("voice.fact_personality"), VoiceState, "personality", names)


def _speed() -> rx.Component:
    return speed_range(
        label=text("voice.fact_speed"),
        value=VoiceState.speed,
        least=SPEEDS[0],
        most=SPEEDS[-1],
        step=SPEED_STEP,
        on_choose=choosing(VoiceState, "speed"),
    )


def _labels() -> dict[str, Any]:
    """All of the page's texts, by their names: which of them a session says is known in the browser only."""
    names = [key.removeprefix(_TABLE) for key in texts("en") if key.startswith(_TABLE)]
    return {"copied": text("copied"), **{name: text(_TABLE + name) for name in names}}
