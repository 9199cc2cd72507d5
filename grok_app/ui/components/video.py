"""The video page's own component, see `video.js`."""

from collections.abc import Mapping
from typing import Any

import reflex as rx

from grok_app.ui.components.public_api import VisitorComponent
from grok_app.ui.components.scripts import script

_LIBRARY = script("video.js")


class Video(VisitorComponent):
    """The whole of the page. A film is made with what the props say when it is begun."""

    library = _LIBRARY
    tag = "Video"

    labels: rx.Var[dict[str, str]]
    ratio: rx.Var[str]
    length: rx.Var[str]
    """Seconds."""
    resolution: rx.Var[str]
    preset: rx.Var[str]
    limit_bytes: rx.Var[int]
    """Of the picture that a film may begin with."""


def video(*toolbar: rx.Component, labels: Mapping[str, Any], **props: Any) -> rx.Component:
    """The whole of the page, with its choices in the toolbar."""
    return Video.create(*toolbar, labels=labels, **props)
