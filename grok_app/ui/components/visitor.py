"""The visitors' door, see `visitor.js`: the key is between browser and public API, without any state."""

from collections.abc import Mapping
from typing import Any

import reflex as rx

from grok_app.ui.components.public_api import VisitorComponent
from grok_app.ui.components.scripts import script

_LIBRARY = script("visitor.js")


class _DoorComponent(VisitorComponent):
    library = _LIBRARY


class VisitorSignIn(_DoorComponent):
    """The form. Says the server's error in place; skipped when no key is asked for, or the browser has it."""

    tag = "VisitorSignIn"

    home: rx.Var[str]
    asks_for: rx.Var[str]
    labels: rx.Var[dict[str, str]]


class VisitorSignOut(_DoorComponent):
    """The button, where there is a key to forget."""

    tag = "VisitorSignOut"

    label: rx.Var[str]


class StudioPage(_DoorComponent):
    """Shows nothing. Brings the visitor back to this page after signing in, and away who has no key that counts."""

    tag = "StudioPage"

    path: rx.Var[str]
    asks_for: rx.Var[str]


def visitor_sign_in_form(labels: Mapping[str, Any], *, home: str, asks_for: Any) -> rx.Component:
    """The form that opens the studio.

    Args:
        labels: Its texts.
        home: Where those go who were nowhere before.
        asks_for: `key` or `nothing`; empty while that isn't known.
    """
    return VisitorSignIn.create(labels=labels, home=home, asks_for=asks_for)


def visitor_sign_out_button(label: Any) -> rx.Component:
    """The button that forgets the key."""
    return VisitorSignOut.create(label=label)


def studio_page_marker(path: str, *, asks_for: Any) -> rx.Component:
    """What every page of the studio carries. `asks_for` as of `visitor_sign_in_form`."""
    return StudioPage.create(path=path, asks_for=asks_for)
