"""The page: a form that is generated from the schema."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Final

import reflex as rx

from grok_app.ui import routes
from grok_app.ui.components import settings_form
from grok_app.ui.console import console_page, skeleton
from grok_app.ui.pages.settings.fields import sections
from grok_app.ui.pages.settings.state import SettingsState
from grok_app.ui.session import Session, text

_LABELS: Final = (
    "search", "sections", "nothing", "nothing_lead", "show_all", "one_unsaved", "many_unsaved", "discard", "save",
    "leave_title", "leave_lead", "stay", "leave", "differs", "unsaved", "undo", "moved", "held", "default", "reset",
    "empty", "on", "off", "per_line", "as_object", "reveal", "hide", "copy", "copied", "generate",
)  # fmt: skip
"""The form's own texts."""


def view() -> rx.Component:
    """The page."""
    return console_page(routes.SETTINGS, rx.cond(SettingsState.is_loaded, _form(), skeleton(10)))


def _form() -> rx.Component:
    return settings_form(
        sections(),
        values=SettingsState.values,
        answer=SettingsState.answer,
        language=rx.cond(Session.is_chinese, "zh", "en"),
        labels={label: text(f"settings.{label}") for label in _LABELS},
        sign_in=routes.ADMIN_LOGIN,
        on_save=SettingsState.save,
        on_reveal=SettingsState.reveal,
        on_generate=SettingsState.generate,
    )
