"""The voice page's own component, see `voice.js`."""

from collections.abc import Mapping
from typing import Any, ClassVar

import reflex as rx

from grok_app.ui.components.public_api import VisitorComponent
from grok_app.ui.components.scripts import script

_LIBRARY = script("voice.js")


class _VoiceComponent(VisitorComponent):
    library = _LIBRARY


class Voice(_VoiceComponent):
    """The whole of the page. The choices are what the next session is asked for."""

    tag = "Voice"

    lib_dependencies: ClassVar[list[str]] = [  # type: ignore[misc] # Reflex reads it from the class
        *VisitorComponent.lib_dependencies,
        "livekit-client@2.23.0",
    ]

    labels: rx.Var[dict[str, str]]
    voice: rx.Var[str]
    personality: rx.Var[str]
    speed: rx.Var[str]


class SpeedRange(_VoiceComponent):
    """A slider that says where it stands."""

    tag = "SpeedRange"

    label: rx.Var[str]
    value: rx.Var[str]
    least: rx.Var[str]
    most: rx.Var[str]
    step: rx.Var[str]

    on_choose: rx.EventHandler[rx.event.passthrough_event_spec(str)]  # type: ignore[type-arg,valid-type] # Reflex's way


def voice(*toolbar: rx.Component, labels: Mapping[str, Any], **props: Any) -> rx.Component:
    """The whole of the page, with its choices in the toolbar."""
    return Voice.create(*toolbar, labels=labels, **props)


def speed_range(**props: Any) -> rx.Component:
    """A slider that says where it stands, from `least` to `most`."""
    return SpeedRange.create(**props)
