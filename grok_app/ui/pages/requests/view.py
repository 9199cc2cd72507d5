"""The page: filters, the list, and one request in a window over it."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Any

import reflex as rx

from grok_app.ui import routes
from grok_app.ui.console import console_page, empty_state, pager, search_field, skeleton, tab, tabs
from grok_app.ui.pages.requests.detail import detail_dialog
from grok_app.ui.pages.requests.state import CHOICES, SHOWS, RequestsState
from grok_app.ui.pages.requests.table import table
from grok_app.ui.session import text


def view() -> rx.Component:
    """The page."""
    rows: Any = RequestsState.rows
    is_empty = rows.length() == 0
    return console_page(
        routes.REQUESTS,
        rx.cond(
            RequestsState.is_loaded,
            rx.cond(is_empty & ~RequestsState.is_narrowed, _nothing(), rx.fragment(_toolbar(), _list(is_empty))),
            skeleton(10),
        ),
        detail_dialog(),
    )


def _toolbar() -> rx.Component:
    shows = [
        tab(
            text(f"requests.show_{show}"),
            is_chosen=RequestsState.show == show,
            on_click=RequestsState.filter_by(show),
            id=f"show-{show}",
        )
        for show in SHOWS
    ]
    return rx.el.div(
        tabs(*shows, label=text("requests.shows")),
        _models(),
        search_field(text("requests.search"), RequestsState.words, RequestsState.search),
        class_name="toolbar request-toolbar",
    )


def _models() -> rx.Component:
    options = [rx.el.option(model, value=model) for model in CHOICES]
    return rx.el.label(
        rx.el.span(text("requests.column_model"), class_name="visually-hidden"),
        rx.el.select(
            rx.el.option(text("requests.all_models"), value=""),
            *options,
            value=RequestsState.model,
            on_change=RequestsState.choose_model,
            id="model",
            class_name="select",
        ),
    )


def _list(is_empty: Any) -> rx.Component:
    return rx.cond(
        is_empty,
        empty_state(
            "search-x",
            text("requests.none_title"),
            text("requests.none_lead"),
            rx.el.button(
                text("requests.show_every"), type="button", on_click=RequestsState.show_all, class_name="button"
            ),
        ),
        rx.fragment(
            table(),
            pager(
                page=RequestsState.page,
                pages=RequestsState.pages,
                total=RequestsState.total,
                size=RequestsState.page_size,
                on_page=RequestsState.go_to,
                on_size=RequestsState.resize,
            ),
        ),
    )


def _nothing() -> rx.Component:
    return empty_state(
        "activity",
        text("requests.empty_title"),
        text("requests.empty_lead"),
        rx.el.a(text("requests.try_chat"), href=routes.CHAT, class_name="button primary"),
        rx.el.a(text("requests.reference"), href=routes.API_REFERENCE, class_name="button"),
    )
