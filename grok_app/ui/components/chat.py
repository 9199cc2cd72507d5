"""What the chat page needs from the browser itself: see `chat.js`, where these are written."""

from typing import Any, ClassVar

import reflex as rx

from grok_app.ui.components.scripts import script

_LIBRARY = script("chat.js")


class _ChatComponent(rx.Component):
    library = _LIBRARY


class Markdown(_ChatComponent):
    """Markdown as it streams in. Raw HTML in it stays text; code blocks have a copy button."""

    tag = "Markdown"
    lib_dependencies: ClassVar[list[str]] = [  # type: ignore[misc] # Reflex reads it from the class
        "react-markdown@10.1.0",
        "remark-gfm@4.0.1",
        "rehype-highlight@7.0.2",
    ]

    source: rx.Var[str]
    copy_label: rx.Var[str]
    copied_label: rx.Var[str]


class Composer(_ChatComponent):
    """The field to write in. Enter sends, Shift+Enter begins a line, an input method's Enter does neither."""

    tag = "Composer"

    placeholder: rx.Var[str]
    send_label: rx.Var[str]
    stop_label: rx.Var[str]
    is_busy: rx.Var[bool]

    on_send: rx.EventHandler[rx.event.passthrough_event_spec(str)]  # type: ignore[type-arg,valid-type] # Reflex's way
    on_stop: rx.EventHandler[rx.event.no_args_event_spec]  # type: ignore[type-arg,valid-type] # Reflex's way


class Transcript(_ChatComponent):
    """A scrolling area that follows what is added, unless the reader has scrolled up."""

    tag = "Transcript"

    label: rx.Var[str]


def markdown(source: rx.Var[str], **props: Any) -> rx.Component:
    """Show Markdown."""
    return Markdown.create(source=source, **props)


def composer(*toolbar: rx.Component, **props: Any) -> rx.Component:
    """The field to write in, over a row of further controls."""
    return Composer.create(*toolbar, **props)


def transcript(*content: rx.Component, **props: Any) -> rx.Component:
    """The scrolling area."""
    return Transcript.create(*content, **props)
