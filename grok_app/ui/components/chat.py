"""The chat page's own component, see `chat.js`."""

from collections.abc import Mapping
from typing import Any, ClassVar

import reflex as rx

from grok_app.ui.components.public_api import VisitorComponent
from grok_app.ui.components.scripts import script

_LIBRARY = script("chat.js")


class Chat(VisitorComponent):
    """The whole of the page: the conversation streams from the public API, and stays in the browser."""

    library = _LIBRARY
    tag = "Chat"

    lib_dependencies: ClassVar[list[str]] = [  # type: ignore[misc] # Reflex reads it from the class
        *VisitorComponent.lib_dependencies,
        "react-markdown@10.1.0",
        "remark-gfm@4.0.1",
        "rehype-highlight@7.0.2",
        "idb@8.0.4",
    ]

    labels: rx.Var[dict[str, str]]
    language: rx.Var[str]
    model: rx.Var[str]
    effort: rx.Var[str]
    """`auto` leaves it to the server's setting."""
    is_history_open: rx.Var[bool]
    """Where there is room for the list of conversations beside the chat."""

    on_switch_history: rx.EventHandler[rx.event.passthrough_event_spec(bool)]  # type: ignore[type-arg,valid-type] # Reflex's way


def chat(*toolbar: rx.Component, labels: Mapping[str, Any], **props: Any) -> rx.Component:
    """The whole of the page, with its choices in the toolbar."""
    return Chat.create(*toolbar, labels=labels, **props)
