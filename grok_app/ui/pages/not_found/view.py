"""A sentence and the way back."""

import reflex as rx

from grok_app.ui.layout import page
from grok_app.ui.session import text


def view() -> rx.Component:
    """The page."""
    return page(
        rx.el.section(
            rx.el.h1(text("not_found_title"), class_name="card-title"),
            # A plain link: the server decides where the start is.
            rx.el.a(text("not_found_back"), href="/", class_name="button primary spaced"),
            class_name="card",
        ),
        class_name="centered",
    )
