"""The frame of the console's pages: header, navigation, content, and the tasks under way."""

from typing import Final

import reflex as rx

from grok_app.ui import routes
from grok_app.ui.components import console_page_marker, sign_out_button
from grok_app.ui.console.tray import task_tray
from grok_app.ui.layout import navigation, page, top_line
from grok_app.ui.session import text

_PAGES: Final = (
    (routes.OVERVIEW, "gauge", "console.overview"),
    (routes.ACCOUNTS, "users", "console.accounts"),
    (routes.REQUESTS, "activity", "console.requests"),
    (routes.CACHE, "images", "console.cache"),
    (routes.SETTINGS, "sliders-horizontal", "console.settings"),
)
"""Path, icon and name, in the order of the navigation."""


def console_page(path: str, *content: rx.Component, actions: tuple[rx.Component, ...] = ()) -> rx.Component:
    """A whole page of the console.

    Args:
        path: Its route; its name in the navigation is its heading.
        content: What stands below the heading.
        actions: Buttons beside the heading.
    """
    title = next(name for route, _, name in _PAGES if route == path)
    return page(
        console_page_marker(path, to=routes.ADMIN_LOGIN),
        navigation(_PAGES, active=path, label=text("console.navigation"), class_name="nav"),
        rx.el.div(
            rx.el.div(
                rx.el.h1(text(title), class_name="page-title"),
                rx.el.div(*actions, class_name="page-actions"),
                class_name="page-head",
            ),
            *content,
            class_name="page-body",
        ),
        task_tray(),
        title=title,
        class_name="console",
        header=top_line(
            routes.OVERVIEW, sign_out_button(text("sign_out"), text("console.sign_out_failed"), to=routes.ADMIN_LOGIN)
        ),
    )
