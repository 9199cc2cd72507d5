"""One field and one button."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Final

import reflex as rx

from grok_app.ui import routes
from grok_app.ui.components import sign_in_form
from grok_app.ui.layout import page, top_line
from grok_app.ui.session import text

_LABELS: Final = ("title", "lead", "key", "show", "hide", "submit", "wait", "unreachable", "hint")


def view() -> rx.Component:
    """The page."""
    labels = {name: text(f"operator.{name}") for name in _LABELS}
    return page(
        sign_in_form(labels, home=routes.OVERVIEW),
        title="operator.title",
        class_name="centered",
        header=top_line(routes.ADMIN_LOGIN),
    )
