"""The accounts and what Grok keeps for them, as a table."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Any

import reflex as rx

from grok_app.accounts import OnlineColumn
from grok_app.ui import routes
from grok_app.ui.console import badge, confirm_dialog, empty_state, pager, search_field, skeleton, sort_head
from grok_app.ui.layout import icon, icon_button, moment
from grok_app.ui.pages.cache.online_state import OnlineState
from grok_app.ui.pages.cache.selection import selection_bar
from grok_app.ui.session import text

_TONES = {"active": "good", "cooling": "warn", "expired": "bad", "disabled": "neutral"}


def online() -> rx.Component:
    """The table with its tools; or what stands in its place."""
    return rx.cond(OnlineState.is_loaded, rx.cond(OnlineState.all_accounts > 0, _list(), _nothing()), skeleton())


def online_search() -> rx.Component:
    """The field that searches the accounts."""
    return search_field(text("cache.search"), OnlineState.text, OnlineState.search)


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
    return empty_state("users", text("cache.no_accounts"), text("cache.no_accounts_lead"), link)


def _list() -> rx.Component:
    return rx.el.div(
        selection_bar(
            OnlineState.selected,
            is_page_selected=OnlineState.is_page_selected,
            on_page=OnlineState.toggle_page,
            on_none=OnlineState.select_none,
            actions=_actions(),
        ),
        rx.cond(
            OnlineState.total > 0,
            _table(),
            empty_state("search-x", text("cache.no_match"), text("cache.no_match_lead")),
        ),
        pager(
            page=OnlineState.page,
            pages=OnlineState.pages,
            total=OnlineState.total,
            size=OnlineState.size,
            on_page=OnlineState.go_to,
            on_size=OnlineState.resize,
        ),
    )


def _actions() -> tuple[rx.Component, ...]:
    is_none = OnlineState.selected == 0
    return (
        rx.el.button(
            icon("scan-search", 16),
            text("cache.count_selected"),
            type="button",
            on_click=OnlineState.count_selected,
            disabled=is_none | OnlineState.is_counting,
            class_name="button",
            id="count-selected",
        ),
        rx.el.button(
            icon("trash-2", 16),
            text("cache.clear_selected"),
            type="button",
            on_click=OnlineState.ask_to_clear_selected,
            disabled=is_none | OnlineState.is_clearing,
            class_name="button",
            id="clear-selected",
        ),
    )


def _table() -> rx.Component:
    return rx.el.div(
        rx.el.table(
            rx.el.thead(
                rx.el.tr(
                    rx.el.th(rx.el.span(text("cache.select"), class_name="visually-hidden"), scope="col"),
                    _head(OnlineColumn.TOKEN, text("cache.token")),
                    _head(OnlineColumn.POOL, text("cache.pool")),
                    _head(OnlineColumn.STATUS, text("cache.status")),
                    _head(OnlineColumn.COUNT, text("cache.files"), "number"),
                    rx.el.th(text("cache.size"), scope="col", class_name="number"),
                    rx.el.th(text("cache.counted_at"), scope="col"),
                    _head(OnlineColumn.CLEARED, text("cache.cleared_at")),
                    rx.el.th(rx.el.span(text("cache.actions"), class_name="visually-hidden"), scope="col"),
                )
            ),
            rx.el.tbody(rx.foreach(OnlineState.rows, _row)),
            aria_label=text("cache.online"),
            class_name="table",
        ),
        class_name="table-box",
        tab_index=0,
        role="region",
        aria_label=text("cache.online"),
    )


def _head(column: OnlineColumn, label: Any, class_name: str = "") -> rx.Component:
    return sort_head(
        label,
        is_sorted=OnlineState.sort == column,
        is_descending=OnlineState.is_descending,
        on_click=OnlineState.sort_by(column),
        class_name=class_name,
    )


def _row(row: Any) -> rx.Component:
    return rx.el.tr(
        rx.el.td(
            rx.el.input(
                type="checkbox",
                checked=row.is_selected,
                on_change=lambda _: OnlineState.toggle(row.id),
                aria_label=text("cache.select_account", token=row.token),
            )
        ),
        rx.el.td(row.token, class_name="mono"),
        rx.el.td(row.pool),
        rx.el.td(_status(row)),
        rx.el.td(_count(row), class_name="number"),
        rx.el.td(rx.cond(row.is_counted, row.size, ""), class_name="number"),
        rx.el.td(moment(row.counted_at_ms)),
        rx.el.td(moment(row.cleared_at_ms)),
        rx.el.td(
            icon_button(
                icon("scan-search", 16),
                text("cache.count_account", token=row.token),
                on_click=OnlineState.count(row.id),
                disabled=OnlineState.is_counting,
                class_name="button quiet icon small",
            ),
            icon_button(
                icon("trash-2", 16),
                text("cache.clear_account", token=row.token),
                on_click=OnlineState.ask_to_clear(row.id),
                disabled=OnlineState.is_clearing,
                class_name="button quiet icon small",
            ),
            class_name="row-actions",
        ),
        key=row.id,
    )


def _status(row: Any) -> rx.Component:
    named = [(status, badge(text(f"cache.{status}"), tone)) for status, tone in _TONES.items()]
    return rx.match(row.status, *named, badge(row.status))


def _count(row: Any) -> rx.Component:
    failed = badge(text("cache.uncountable"), "bad", hint=row.error)
    return rx.cond(row.error != "", failed, rx.cond(row.is_counted, row.count, "—"))
