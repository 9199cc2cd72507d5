"""The operator's door, see `operator.js`: signing in and out is between browser and server, without any state."""

from collections.abc import Mapping
from typing import Any

import reflex as rx

from grok_app.ui.components.scripts import script

_LIBRARY = script("operator.js")
script("key_form.js")  # both doors import it


class _OperatorComponent(rx.Component):
    library = _LIBRARY


class SignIn(_OperatorComponent):
    """The form. Says the server's error in place, and how long those who guessed must wait."""

    tag = "SignIn"

    home: rx.Var[str]
    labels: rx.Var[dict[str, str]]


class SignOut(_OperatorComponent):
    """The button. Ends the session on the server, in this tab and in all others."""

    tag = "SignOut"

    to: rx.Var[str]
    label: rx.Var[str]
    failed_label: rx.Var[str]


class ConsolePage(_OperatorComponent):
    """Shows nothing. Brings the operator back to this page after signing in, and away when another tab signs out."""

    tag = "ConsolePage"

    path: rx.Var[str]
    to: rx.Var[str]


def sign_in_form(labels: Mapping[str, Any], *, home: str) -> rx.Component:
    """The form that opens the console."""
    return SignIn.create(labels=labels, home=home)


def sign_out_button(label: Any, failed_label: Any, *, to: str) -> rx.Component:
    """The button that ends the session; where that fails it says so and stays."""
    return SignOut.create(label=label, failed_label=failed_label, to=to)


def console_page_marker(path: str, *, to: str) -> rx.Component:
    """What every page of the console carries."""
    return ConsolePage.create(path=path, to=to)
