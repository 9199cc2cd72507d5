"""The imagine page's own component, see `imagine.js`."""

from collections.abc import Mapping
from typing import Any, ClassVar

import reflex as rx

from grok_app.ui.components.public_api import VisitorComponent
from grok_app.ui.components.scripts import script

_LIBRARY = script("imagine.js")


class Imagine(VisitorComponent):
    """The whole of the page. Pictures go from the server's stream to the wall, and no state ever has them."""

    library = _LIBRARY
    tag = "Imagine"

    lib_dependencies: ClassVar[list[str]] = [  # type: ignore[misc] # Reflex reads it from the class
        *VisitorComponent.lib_dependencies,
        "client-zip@2.5.1",
    ]

    labels: rx.Var[dict[str, str]]
    choices: rx.Var[dict[str, Any]]
    toggles: rx.Var[dict[str, bool]]
    final_min_chars: rx.Var[int]


def imagine(fields: rx.Component, switches: rx.Component, *, labels: Mapping[str, Any], **props: Any) -> rx.Component:
    """The whole of the page.

    Args:
        fields: The choices under the prompt. Another one begins a session anew that is running.
        switches: The toggles of the options.
        labels: Its texts.
        props: What has been chosen, see `imagine.js`.
    """
    return Imagine.create(fields, switches, labels=labels, **props)
