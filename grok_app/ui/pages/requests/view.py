"""The page."""

import reflex as rx

from grok_app.ui import routes
from grok_app.ui.console import console_page
from grok_app.ui.session import text


def view() -> rx.Component:
    """The page."""
    return console_page(routes.REQUESTS, rx.el.p(text("requests.placeholder")))
