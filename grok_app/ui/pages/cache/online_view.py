"""The accounts and what Grok keeps for them, as a table."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Any, Final

import reflex as rx

from grok_app.accounts import Column, OnlineColumn
from grok_app.ui import routes
from grok_app.ui.console import badge, confirm_dialog, empty_state, pager, search_field, skeleton, sort_head
from grok_app.ui.layout import icon, icon_button, moment
from grok_app.ui.pages.cache.online_state import OnlineState
from grok_app.ui.pages.cache.selection import action, item_box, page_box, select_all, selected_bar
from grok_app.ui.session import text

_SIZE: Final = "size"
_COUNTED: Final = "counted"
_COLUMNS: Final = (
    OnlineColumn.TOKEN,
    OnlineColumn.POOL,
    OnlineColumn.STATUS,
    OnlineColumn.COUNT,
    _SIZE,
    _COUNTED,
    OnlineColumn.CLEARED,
)
_NUMBERS: Final = (OnlineColumn.COUNT, _SIZE)
_TONES: Final = {"active": "good", "cooling": "warn", "expired": "bad", "disabled": "neutral"}


def online() -> rx.Component:
    """The table with its tools; or what stands in its place."""
    return rx.cond(OnlineState.is_loaded, rx.cond(OnlineState.all_accounts > 0, _list(), _nothing()), skeleton())


def online_search() -> rx.Component:
    """The field that searches the accounts."""
    return search_field(text("accounts.search"), OnlineState.text, OnlineState.search)


def online_question() -> rx.Component:
    """What is asked before files at Grok go."""
    asked = OnlineState.question
    return confirm_dialog(
        text("cache.clear_online"),
        rx.fragment(
            text("cache.online_will_go", accounts=asked.accounts, files=asked.files),
            rx.cond(asked.uncounted > 0, rx.fragment(" ", text("cache.uncounted", count=asked.uncounted))),
        ),
        action=text("console.delete"),
        is_open=asked.accounts > 0,
        on_confirm=OnlineState.confirm,
        on_close=OnlineState.close,
    )


def _nothing() -> rx.Component:
    link = rx.link(text("cache.add_accounts"), href=routes.ACCOUNTS, class_name="button primary")
    return empty_state("users", text("accounts.empty_title"), text("cache.no_accounts_lead"), link)


def _list() -> rx.Component:
    return rx.fragment(
        rx.cond(
            OnlineState.total > 0,
            _table(),
            empty_state("search-x", text("accounts.none_title"), text("cache.no_match_lead"), _show_all()),
        ),
        pager(
            page=OnlineState.page,
            pages=OnlineState.pages,
            total=OnlineState.total,
            size=OnlineState.size,
            on_page=OnlineState.go_to,
            on_size=OnlineState.resize,
        ),
        selected_bar(
            OnlineState.selected,
            OnlineState.select_none,
            select_all(OnlineState.selected, OnlineState.total, OnlineState.select_all),
            action(
                "scan-search",
                text("cache.count"),
                OnlineState.count_selected,
                OnlineState.is_counting,
                "count-selected",
            ),
            action(
                "trash-2",
                text("cache.clear"),
                OnlineState.ask_to_clear_selected,
                OnlineState.is_clearing,
                "clear-selected",
            ),
        ),
    )


def _show_all() -> rx.Component:
    return rx.el.button(text("accounts.show_all"), type="button", on_click=OnlineState.show_all, class_name="button")


def _table() -> rx.Component:
    return rx.el.div(
        rx.el.table(
            rx.el.caption(text("cache.online"), class_name="visually-hidden"),
            rx.el.thead(
                rx.el.tr(
                    rx.el.th(
                        page_box(OnlineState.is_page_selected, OnlineState.toggle_page),
                        scope="col",
                        class_name="select-cell",
                    ),
                    *(_head(column) for column in _COLUMNS),
                    rx.el.th(rx.el.span(text("accounts.actions"), class_name="visually-hidden"), scope="col"),
                )
            ),
            rx.el.tbody(rx.foreach(OnlineState.rows, _row)),
            class_name="table account-table online-table",
            id="online",
        ),
        class_name="table-box",
    )


def _head(column: str) -> rx.Component:
    class_name = "number" if column in _NUMBERS else ""
    if column not in list(OnlineColumn):
        return rx.el.th(_name(column), scope="col", class_name=class_name)
    return sort_head(
        _name(column),
        is_sorted=OnlineState.sort == column,
        is_descending=OnlineState.is_descending,
        on_click=OnlineState.sort_by(column),
        class_name=class_name,
    )


def _name(column: str) -> rx.Var[str]:
    return text(f"accounts.column_{column}" if column in list(Column) else f"cache.column_{column}")


def _row(row: Any) -> rx.Component:
    cells = {
        OnlineColumn.POOL: rx.cond(row.pool == "ssoSuper", text("accounts.pool_super"), text("accounts.pool_basic")),
        OnlineColumn.STATUS: _status(row),
        OnlineColumn.COUNT: _count(row),
        _SIZE: rx.cond(row.is_counted, row.size, "—"),
        _COUNTED: moment(row.counted_at_ms),
        OnlineColumn.CLEARED: moment(row.cleared_at_ms),
    }
    return rx.el.tr(
        rx.el.td(
            item_box(row.is_selected, OnlineState.toggle(row.id), text("accounts.select", token=row.token)),
            class_name="select-cell",
        ),
        rx.el.td(rx.el.code(row.token, class_name="mono"), class_name="name-cell"),
        *(_cell(column, content) for column, content in cells.items()),
        rx.el.td(_actions(row), class_name="actions-cell"),
        class_name=rx.cond(row.is_selected, "selected", ""),
        key=row.id,
    )


def _cell(column: str, content: Any) -> rx.Component:
    """A cell that says its column where the table's head is out of sight."""
    label = rx.el.span(_name(column), class_name="cell-label", aria_hidden=True)
    return rx.el.td(label, content, class_name="number" if column in _NUMBERS else "")


def _actions(row: Any) -> rx.Component:
    return rx.el.div(
        icon_button(
            icon("scan-search", 16),
            text("cache.count_account", token=row.token),
            on_click=OnlineState.count(row.id),
            disabled=OnlineState.is_counting,
        ),
        icon_button(
            icon("trash-2", 16),
            text("cache.clear_account", token=row.token),
            on_click=OnlineState.ask_to_clear(row.id),
            disabled=OnlineState.is_clearing,
        ),
        class_name="row-buttons",
    )


def _status(row: Any) -> rx.Component:
    named = [(status, badge(text(f"accounts.filter_{status}"), tone)) for status, tone in _TONES.items()]
    return rx.match(row.status, *named, badge(row.status))


def _count(row: Any) -> rx.Component:
    failed = badge(text("cache.uncountable"), "bad", hint=row.error)
    return rx.cond(row.error != "", failed, rx.cond(row.is_counted, row.count, "—"))
