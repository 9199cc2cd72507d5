"""A small page that says what there is today."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

import reflex as rx

from grok_app.ui import routes
from grok_app.ui.layout import page
from grok_app.ui.session import text


def view() -> rx.Component:
    """The page."""
    return page(
        rx.el.section(
            rx.el.h1(text("admin_title"), class_name="card-title"),
            rx.el.p(text("admin_lead"), class_name="lead"),
            rx.el.p(text("admin_api"), " ", rx.el.code("/v1/admin"), class_name="lead"),
            # Not a page of Reflex's: a plain link makes the browser ask the server.
            rx.el.a(text("admin_docs"), href=routes.API_REFERENCE, class_name="button primary"),
            class_name="card",
        ),
        class_name="centered",
    )
