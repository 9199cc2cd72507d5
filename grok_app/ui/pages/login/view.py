"""One field and one button."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

import reflex as rx

from grok_app.ui.layout import icon, icon_button, page
from grok_app.ui.pages.login.state import LoginState
from grok_app.ui.session import text


def view() -> rx.Component:
    """The page."""
    return page(
        rx.el.form(
            rx.el.img(src="/mark.svg", alt="", class_name="mark large"),
            rx.el.h1(text("login.title"), class_name="card-title"),
            rx.el.p(text("login.lead"), class_name="lead"),
            rx.el.label(text("login.key"), html_for="key", class_name="label"),
            _key_field(),
            rx.cond(
                LoginState.error != "",
                rx.el.p(LoginState.error, id="key-error", role="alert", class_name="field-error"),
            ),
            rx.el.button(text("login.submit"), type="submit", class_name="button primary wide"),
            rx.el.p(text("login.hint"), class_name="hint"),
            on_submit=LoginState.sign_in,
            class_name="card",
        ),
        class_name="centered",
    )


def _key_field() -> rx.Component:
    return rx.el.div(
        rx.el.input(
            id="key",
            name="key",
            type=rx.cond(LoginState.is_key_shown, "text", "password"),
            auto_complete="current-password",
            auto_focus=True,
            required=True,
            aria_invalid=LoginState.error != "",
            aria_describedby="key-error",
            class_name="input",
        ),
        icon_button(
            rx.cond(LoginState.is_key_shown, icon("eye-off"), icon("eye")),
            rx.cond(LoginState.is_key_shown, text("login.hide"), text("login.show")),
            on_click=LoginState.toggle_key,
        ),
        class_name="field",
    )
