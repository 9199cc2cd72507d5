"""One field and one button."""

from typing import Final

import reflex as rx

from grok_app.ui import routes
from grok_app.ui.components import visitor_sign_in_form
from grok_app.ui.layout import page
from grok_app.ui.session import text
from grok_app.ui.studio import StudioState

_LABELS: Final = ("title", "lead", "key", "show", "hide", "submit", "unreachable", "hint")


def view() -> rx.Component:
    """The page."""
    labels = {name: text(f"login.{name}") for name in _LABELS}
    form = visitor_sign_in_form(labels, home=routes.STUDIO, asks_for=StudioState.asks_for)
    return page(form, title="login.submit", class_name="centered")
