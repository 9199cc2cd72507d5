"""Buttons that copy, see `copying.js`."""

from typing import Any

import reflex as rx

from grok_app.ui.components.scripts import script

_LIBRARY = script("copying.js")


class _CopyComponent(rx.Component):
    library = _LIBRARY

    copy_label: rx.Var[str]
    copied_label: rx.Var[str]


class CopyButton(_CopyComponent):
    """Puts a text on the clipboard, also where the browser has no clipboard API (plain http)."""

    tag = "CopyButton"

    source: rx.Var[str]


class CopyAnswer(_CopyComponent):
    """Asks the admin API for a text at the click, and puts it on the clipboard. The page never has it."""

    tag = "CopyAnswer"

    path: rx.Var[str]
    body: rx.Var[dict[str, Any]]
    failed_label: rx.Var[str]

    on_fail: rx.EventHandler[rx.event.passthrough_event_spec(str)]  # type: ignore[type-arg,valid-type] # Reflex's way


def copy_button(source: rx.Var[str], **props: Any) -> rx.Component:
    """Offer a text for copying."""
    return CopyButton.create(source=source, **props)


def copy_answer(path: str, body: Any, **props: Any) -> rx.Component:
    """Offer what this path answers to this body for copying."""
    return CopyAnswer.create(path=path, body=body, **props)
