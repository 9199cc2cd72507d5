"""What opens before something is done with accounts: exporting, adult content, deleting."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Any

import reflex as rx

from grok_app.ui.console import confirm_dialog, dialog, dialog_actions
from grok_app.ui.pages.accounts.actions import ActionsState
from grok_app.ui.pages.accounts.state import AccountsState
from grok_app.ui.session import text


def delete_dialog() -> rx.Component:
    """Asks before accounts are deleted."""
    question = ActionsState.question
    title = rx.cond(
        question.token != "",
        text("accounts.delete_one", token=question.token),
        text("accounts.delete_many", count=question.count),
    )
    return confirm_dialog(
        title,
        text("accounts.delete_lead"),
        action=text("console.delete"),
        is_open=question.count > 0,
        on_confirm=ActionsState.delete,
        on_close=ActionsState.close_question,
        is_busy=ActionsState.busy != "",
    )


def adult_dialog() -> rx.Component:
    """Asks for the date of birth that Grok wants to know."""
    return dialog(
        text("accounts.adult_title", count=ActionsState.adult_count),
        rx.el.form(
            rx.el.p(text("accounts.adult_lead"), class_name="dialog-lead"),
            rx.el.div(
                rx.el.label(text("accounts.birth_date"), html_for="birth-date", class_name="label"),
                rx.el.input(
                    type="date",
                    name="birth_date",
                    id="birth-date",
                    default_value=ActionsState.birth_date,
                    aria_invalid=ActionsState.adult_error != "",
                    aria_describedby="birth-date-error",
                    class_name="form-input",
                ),
                rx.cond(
                    ActionsState.adult_error != "",
                    rx.el.p(ActionsState.adult_error, role="alert", id="birth-date-error", class_name="form-error"),
                ),
                class_name="form-field spaced",
            ),
            dialog_actions(cancel(ActionsState.close_adult_content), submit(text("accounts.adult_start"))),
            on_submit=ActionsState.start_adult_content,
        ),
        is_open=ActionsState.adult_count > 0,
        on_close=ActionsState.close_adult_content,
    )


def export_dialog() -> rx.Component:
    """Asks which accounts, and how they are written down."""
    selected = text("accounts.export_selected", count=AccountsState.selected)
    matching = text("accounts.export_matching", count=AccountsState.matches)
    has_selected = AccountsState.selected > 0
    return dialog(
        text("accounts.export"),
        rx.el.form(
            rx.el.fieldset(
                rx.el.legend(text("accounts.export_which"), class_name="label"),
                rx.cond(has_selected, _choice("scope", "selected", selected, is_default=True)),
                _choice("scope", "matching", matching, is_default=~has_selected),
                class_name="choices",
            ),
            rx.el.fieldset(
                rx.el.legend(text("accounts.export_form"), class_name="label"),
                _choice("format", "txt", text("accounts.export_txt"), is_default=True),
                _choice("format", "json", text("accounts.export_json"), is_default=False),
                class_name="choices",
            ),
            rx.el.p(text("accounts.export_warning"), class_name="hint"),
            dialog_actions(cancel(ActionsState.close_export), submit(text("accounts.export"))),
            on_submit=ActionsState.export,
        ),
        is_open=ActionsState.is_exporting,
        on_close=ActionsState.close_export,
    )


def cancel(on_click: Any) -> rx.Component:
    """The button that does nothing but close."""
    return rx.el.button(text("console.cancel"), type="button", on_click=on_click, class_name="button")


def submit(label: Any) -> rx.Component:
    """The button that does it."""
    return rx.el.button(
        label, type="submit", disabled=ActionsState.busy != "", id="submit", class_name="button primary"
    )


def _choice(name: str, value: str, label: Any, *, is_default: Any) -> rx.Component:
    return rx.el.label(
        rx.el.input(type="radio", name=name, value=value, default_checked=is_default), label, class_name="choice"
    )
