"""The frame of the studio's pages: header with the way to the others, and content."""

from typing import Any, Final

import reflex as rx

from grok_app.ui import routes
from grok_app.ui.components import studio_page_marker, visitor_sign_out_button
from grok_app.ui.layout import navigation, page, top_line
from grok_app.ui.session import text
from grok_app.ui.studio.entrance import StudioState

_PAGES: Final = (
    (routes.IMAGINE, "image", "studio.imagine"),
    (routes.VIDEO, "clapperboard", "studio.video"),
    (routes.VOICE, "audio-lines", "studio.voice"),
    (routes.CHAT, "message-circle", "studio.chat"),
)
"""Path, icon and name, in the order of the navigation."""


def studio_page(path: str, *content: rx.Component, class_name: str = "", **props: Any) -> rx.Component:
    """A whole page of the studio.

    Args:
        path: Its route; its name in the navigation is its title.
        content: What it is about.
        class_name: Of the content.
        props: Of the whole page, as of `page`.
    """
    title = next(name for route, _, name in _PAGES if route == path)
    sign_out = visitor_sign_out_button(text("sign_out"))
    return page(
        studio_page_marker(path, asks_for=StudioState.asks_for),
        *content,
        title=title,
        header=top_line(
            routes.STUDIO,
            sign_out,
            navigation=navigation(_PAGES, active=path, label=text("studio.navigation"), class_name="studio-nav"),
        ),
        class_name=f"studio {class_name}",
        **props,
    )
