"""The table of accounts. On a phone each line of it becomes a card."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Any, Final

import reflex as rx

from grok_app.accounts import Column
from grok_app.ui.components import copy_answer
from grok_app.ui.console import badge, meter, sort_head
from grok_app.ui.layout import icon, icon_button, moment
from grok_app.ui.pages.accounts.actions import ActionsState
from grok_app.ui.pages.accounts.editing import EditState
from grok_app.ui.pages.accounts.state import AccountsState
from grok_app.ui.session import text

_NUMBERS: Final = (Column.CALLS,)
_TONES: Final = {"active": "good", "cooling": "warn", "expired": "bad", "disabled": "neutral"}


def table() -> rx.Component:
    """The page of accounts."""
    return rx.el.div(
        rx.el.table(
            rx.el.caption(text("console.accounts"), class_name="visually-hidden"),
            rx.el.thead(rx.el.tr(_select_page(), *(_head(column) for column in Column), _actions_head())),
            rx.el.tbody(rx.foreach(AccountsState.rows, _line)),
            class_name="table account-table",
            id="accounts",
        ),
        class_name="table-box",
    )


def _select_page() -> rx.Component:
    box = rx.el.input(
        type="checkbox",
        checked=AccountsState.is_page_selected,
        on_change=lambda _: AccountsState.toggle_page,
        aria_label=text("accounts.select_page"),
        id="select-page",
        class_name="checkbox",
    )
    return rx.el.th(box, scope="col", class_name="select-cell")


def _head(column: Column) -> rx.Component:
    return sort_head(
        text(f"accounts.column_{column.value}"),
        is_sorted=AccountsState.sort == column.value,
        is_descending=AccountsState.is_descending,
        on_click=AccountsState.sort_by(column.value),
        class_name="number" if column in _NUMBERS else "",
    )


def _actions_head() -> rx.Component:
    return rx.el.th(rx.el.span(text("accounts.actions"), class_name="visually-hidden"), scope="col")


def _line(row: Any) -> rx.Component:
    selected: Any = AccountsState.selected_here
    is_selected = selected.contains(row.id)
    return rx.el.tr(
        rx.el.td(_select(row, is_selected), class_name="select-cell"),
        rx.el.td(
            rx.el.span(rx.el.code(row.token, class_name="mono"), _copy(row), class_name="token"), class_name="name-cell"
        ),
        _cell(Column.POOL, _pool(row)),
        _cell(Column.STATUS, _status(row)),
        _cell(Column.QUOTA, _quota(row)),
        _cell(Column.CALLS, row.calls, class_name="number"),
        _cell(Column.LAST_USED, moment(row.last_used_ms)),
        _cell(Column.TAGS, _tags(row), class_name=rx.cond(row.tags.length() == 0, "blank", "")),
        _cell(Column.NOTE, _note(row), class_name=rx.cond(row.note == "", "blank", "")),
        rx.el.td(_actions(row), class_name="actions-cell"),
        class_name=rx.cond(is_selected, "selected", ""),
        key=row.id,
    )


def _cell(column: Column, content: Any, class_name: Any = "") -> rx.Component:
    """A cell that says its column where the table's head is out of sight."""
    label = rx.el.span(text(f"accounts.column_{column.value}"), class_name="cell-label", aria_hidden=True)
    return rx.el.td(label, content, class_name=class_name)


def _select(row: Any, is_selected: Any) -> rx.Component:
    return rx.el.input(
        type="checkbox",
        checked=is_selected,
        on_change=lambda _: AccountsState.toggle(row.id),
        aria_label=text("accounts.select", token=row.token),
        class_name="checkbox",
    )


def _copy(row: Any) -> rx.Component:
    return copy_answer(
        "/v1/admin/tokens/export",
        {"ids": [row.id], "format": "txt"},
        copy_label=text("accounts.copy"),
        copied_label=text("copied"),
        failed_label=text("accounts.copy_failed"),
        on_fail=ActionsState.report,
    )


def _pool(row: Any) -> rx.Var[str]:
    return rx.cond(row.pool == "ssoSuper", text("accounts.pool_super"), text("accounts.pool_basic"))


def _status(row: Any) -> rx.Component:
    shown = [(name, badge(text(f"accounts.filter_{name}"), tone, hint=row.reason)) for name, tone in _TONES.items()]
    until = rx.el.span(text("accounts.rests_until"), " ", moment(row.rests_until_ms), class_name="rests-until")
    return rx.el.span(
        rx.match(row.status, *shown, badge(row.status)),
        rx.cond(row.rests_until_ms > 0, until),
        class_name="status",
    )


def _quota(row: Any) -> rx.Component:
    return rx.el.span(
        meter(row.quota, row.full, text("accounts.column_quota")),
        rx.el.span(row.quota, class_name="quota-number"),
        class_name="quota",
    )


def _tags(row: Any) -> rx.Component:
    return rx.el.span(
        rx.foreach(row.tags, _tag),
        rx.cond(row.more_tags > 0, badge(f"+{row.more_tags}")),
        class_name="tags",
    )


def _note(row: Any) -> rx.Component:
    return rx.el.span(row.note, title=row.note, class_name="note")


def _tag(tag: Any) -> rx.Component:
    return badge(tag)


def _actions(row: Any) -> rx.Component:
    busy_rows: Any = ActionsState.busy_rows
    is_busy = busy_rows.contains(row.id)
    return rx.el.div(
        icon_button(
            icon("refresh-cw", 16), text("accounts.refresh"), on_click=ActionsState.refresh(row.id), disabled=is_busy
        ),
        icon_button(icon("pencil", 16), text("accounts.edit"), on_click=EditState.edit(row.id)),
        rx.cond(
            row.status == "disabled",
            icon_button(
                icon("play", 16), text("accounts.enable"), on_click=ActionsState.enable(row.id), disabled=is_busy
            ),
            icon_button(
                icon("ban", 16), text("accounts.disable"), on_click=ActionsState.disable(row.id), disabled=is_busy
            ),
        ),
        icon_button(icon("trash-2", 16), text("console.delete"), on_click=ActionsState.ask_delete(row.id)),
        class_name="row-buttons",
    )
