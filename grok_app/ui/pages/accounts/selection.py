"""The bar that floats over the list while accounts are selected."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Any

import reflex as rx

from grok_app.ui.layout import icon, icon_button
from grok_app.ui.pages.accounts.actions import ActionsState
from grok_app.ui.pages.accounts.state import AccountsState
from grok_app.ui.session import text


def selection_bar() -> rx.Component:
    """How many are selected, and what can be done with them."""
    return rx.cond(
        AccountsState.selected > 0,
        rx.el.section(
            rx.el.div(
                rx.el.strong(text("accounts.selected", count=AccountsState.selected), role="status", id="selected"),
                rx.cond(
                    AccountsState.selected < AccountsState.matches,
                    rx.el.button(
                        text("accounts.select_all", count=AccountsState.matches),
                        type="button",
                        on_click=AccountsState.select_all,
                        class_name="button quiet small-text",
                        id="select-all",
                    ),
                ),
                icon_button(
                    icon("x", 16), text("accounts.select_none"), on_click=AccountsState.select_none, id="select-none"
                ),
                class_name="selected-count",
            ),
            rx.el.div(
                _button("download", "accounts.export", ActionsState.open_export, "export"),
                _button("refresh-cw", "accounts.refresh", ActionsState.refresh_selected, "refresh"),
                _button("flame", "accounts.adult", ActionsState.ask_adult_content, "adult"),
                _button("play", "accounts.enable", ActionsState.enable_selected, "enable"),
                _button("ban", "accounts.disable", ActionsState.disable_selected, "disable"),
                _button("trash-2", "console.delete", ActionsState.ask_delete_selected, "delete"),
                class_name="selected-actions",
            ),
            aria_label=text("accounts.selection"),
            class_name="selected-bar",
        ),
    )


def _button(picture: str, key: str, event: Any, name: str) -> rx.Component:
    return rx.el.button(
        icon(picture, 16),
        rx.el.span(text(key)),
        type="button",
        on_click=event,
        disabled=ActionsState.busy != "",
        id=f"selected-{name}",
        title=text(key),
        class_name="button",
    )
