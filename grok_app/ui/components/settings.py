"""The form of the settings, see `settings_form.js` and `settings_fields.js`."""

from typing import Any

import reflex as rx
from reflex.event import EventSpec

from grok_app.ui.components.scripts import script

_LIBRARY = script("settings_form.js")
script("settings_fields.js")  # the form imports it
_EVENT = rx.event.passthrough_event_spec


class SettingsForm(rx.Component):
    """Keeps what is typed until it is saved, shows what is wrong at its field, and warns before it is lost.

    A secret is asked for by `on_reveal`, a new key by `on_generate`. The answers are `hand_secret` and `hand_key`.
    """

    library = _LIBRARY
    tag = "SettingsForm"

    sections: rx.Var[list[dict[str, Any]]]
    values: rx.Var[dict[str, Any]]
    answer: rx.Var[Any]
    language: rx.Var[str]
    labels: rx.Var[dict[str, str]]
    sign_in: rx.Var[str]
    """Where a tab goes whose session is over, edits or not."""

    on_save: rx.EventHandler[_EVENT(dict[str, str], list[str])]  # type: ignore[type-arg,valid-type] # Reflex's way
    on_reveal: rx.EventHandler[_EVENT(str)]  # type: ignore[type-arg,valid-type] # Reflex's way
    on_generate: rx.EventHandler[_EVENT(str)]  # type: ignore[type-arg,valid-type] # Reflex's way


def settings_form(sections: list[dict[str, Any]], **props: Any) -> rx.Component:
    """The form of these sections and their fields."""
    return SettingsForm.create(sections=sections, **props)


def hand_secret(name: str, value: str) -> EventSpec:
    """Hand a secret to the field of this setting that asked for it. It is part of no state."""
    return rx.set_value(f"secret.{name}", value)


def hand_key(name: str, value: str) -> EventSpec:
    """Hand a new key to the field of this setting that asked for one, likewise."""
    return rx.set_value(f"key.{name}", value)
