"""The frame of the studio's pages: header and content."""

from typing import Any

import reflex as rx

from grok_app.ui import routes
from grok_app.ui.components import studio_page_marker, visitor_sign_out_button
from grok_app.ui.layout import page, top_line
from grok_app.ui.session import text
from grok_app.ui.studio.entrance import StudioState


def studio_page(path: str, *content: rx.Component, **props: Any) -> rx.Component:
    """A whole page of the studio.

    Args:
        path: Its route.
        content: What it is about.
        props: Of the whole page, as of `page`.
    """
    header = top_line(routes.STUDIO, visitor_sign_out_button(text("sign_out")))
    return page(studio_page_marker(path, asks_for=StudioState.asks_for), *content, header=header, **props)
