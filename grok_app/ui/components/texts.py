"""Large texts between the browser and the server, see `texts.js`: no page's state ever holds them."""

import dataclasses
from typing import Any

import reflex as rx

_LIBRARY = rx.asset("texts.js", shared=True)


@dataclasses.dataclass
class FileRequest:
    """A file that the browser is to fetch from the admin API and save. Each has a higher serial than the one before."""

    serial: int = 0
    is_wanted: bool = False
    path: str = ""
    body: dict[str, Any] = dataclasses.field(default_factory=dict)
    name: str = ""


class _TextComponent(rx.Component):
    library = _LIBRARY.importable_path


class FileDownload(_TextComponent):
    """Fetches and saves each file that is requested, and says how it went: why it failed, or nothing."""

    tag = "FileDownload"

    request: rx.Var[FileRequest]
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


def file_download(request: Any, **props: Any) -> rx.Component:
    """Save each file that is requested."""
    return FileDownload.create(request=request, **props)


def text_intake(*fields: rx.Component, **props: Any) -> rx.Component:
    """The form, with further fields."""
    return TextIntake.create(*fields, **props)
