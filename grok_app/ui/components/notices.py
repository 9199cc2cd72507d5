"""Toasts from the server, see `notices.js`."""

import dataclasses
from typing import Any, Literal

import reflex as rx

from grok_app.ui.components.scripts import script

_LIBRARY = script("notices.js")


@dataclasses.dataclass
class Notice:
    """Something to tell the visitor once; nothing without a text. Each has a higher serial than the one before."""

    serial: int = 0
    kind: Literal["success", "warning", "error"] = "success"
    text: str = ""


class Notices(rx.Component):
    """Shows a toast for each new notice."""

    library = _LIBRARY
    tag = "Notices"

    notice: rx.Var[Notice]


def notices(notice: Any) -> rx.Component:
    """Show a toast for each new notice."""
    return Notices.create(notice=notice)
