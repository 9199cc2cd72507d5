"""Large texts between the browser and the server, see `texts.js`: no page's state ever holds them."""

import json
from collections.abc import Mapping
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from grok_app.ui.components.scripts import script

_LIBRARY = script("texts.js")
script("downloading.js")


class _TextComponent(rx.Component):
    library = _LIBRARY


class FileDownload(_TextComponent):
    """Fetches and saves each file that `fetch_file` names, and says how it went: why it failed, or nothing."""

    tag = "FileDownload"

    failed_label: rx.Var[str]

    on_done: rx.EventHandler[rx.event.passthrough_event_spec(str)]  # type: ignore[type-arg,valid-type] # Reflex's way


class TextIntake(_TextComponent):
    """A form for a text that is pasted, dropped or in a file. Tells its length, then sends it piece by piece."""

    tag = "TextIntake"

    wanted: rx.Var[int]
    """Which piece the server wants, from 1; 0 for none. After the last one it is told the end."""
    limit_chars: rx.Var[int]
    is_busy: rx.Var[bool]
    labels: rx.Var[dict[str, str]]

    on_begin: rx.EventHandler[rx.event.passthrough_event_spec(int)]  # type: ignore[type-arg,valid-type] # Reflex's way
    on_piece: rx.EventHandler[rx.event.passthrough_event_spec(str)]  # type: ignore[type-arg,valid-type] # Reflex's way
    on_end: rx.EventHandler[rx.event.no_args_event_spec]  # type: ignore[type-arg,valid-type] # Reflex's way
    on_cancel: rx.EventHandler[rx.event.no_args_event_spec]  # type: ignore[type-arg,valid-type] # Reflex's way
    on_refuse: rx.EventHandler[rx.event.no_args_event_spec]  # type: ignore[type-arg,valid-type] # Reflex's way


def file_download(**props: Any) -> rx.Component:
    """Save each file that `fetch_file` names."""
    return FileDownload.create(**props)


def fetch_file(path: str, body: Mapping[str, Any], name: str) -> EventSpec:
    """Let the page's `file_download` save what this path of the admin API answers to this body, under this name.

    It is said once and is part of no state: thousands of ids may be in it, and a page that is loaded anew must not
    fetch it again.
    """
    request = {"path": path, "body": dict(body), "name": name}
    return rx.set_value("file.download", json.dumps(request))  # as a text: a literal of 10,000 ids takes long to make


def text_intake(*fields: rx.Component, **props: Any) -> rx.Component:
    """The form, with further fields."""
    return TextIntake.create(*fields, **props)
