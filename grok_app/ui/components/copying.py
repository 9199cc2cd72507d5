"""A button that copies, see `copying.js`."""

from typing import Any

import reflex as rx

_LIBRARY = rx.asset("copying.js", shared=True)


class CopyButton(rx.Component):
    """Puts a text on the clipboard, also where the browser has no clipboard API (plain http)."""

    library = _LIBRARY.importable_path
    tag = "CopyButton"

    source: rx.Var[str]
    copy_label: rx.Var[str]
    copied_label: rx.Var[str]


def copy_button(source: rx.Var[str], **props: Any) -> rx.Component:
    """Offer a text for copying."""
    return CopyButton.create(source=source, **props)
