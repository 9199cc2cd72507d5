"""The page: what there is, and three lists of it."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Any

import reflex as rx

from grok_app.ui import routes
from grok_app.ui.console import console_page, meter, tab, tabs
from grok_app.ui.layout import icon
from grok_app.ui.pages.cache.files_state import FilesState
from grok_app.ui.pages.cache.files_view import files, files_question, files_tools
from grok_app.ui.pages.cache.online_state import OnlineState
from grok_app.ui.pages.cache.online_view import online, online_question, online_search
from grok_app.ui.session import text


def view() -> rx.Component:
    """The page."""
    return console_page(
        routes.CACHE,
        rx.el.dl(
            _local_card("image", FilesState.images),
            _local_card("video", FilesState.videos),
            _online_card(),
            class_name="numbers cache-cards",
        ),
        rx.el.div(
            tabs(
                _tab("image", FilesState.images.count, FilesState.choose("image")),
                _tab("video", FilesState.videos.count, FilesState.choose("video")),
                _tab("online", OnlineState.all_accounts, OnlineState.choose),
                label=text("cache.lists"),
            ),
            rx.cond(FilesState.tab == "online", online_search(), files_tools()),
            class_name="toolbar cache-toolbar",
        ),
        rx.cond(FilesState.tab == "online", online(), files()),
        files_question(),
        online_question(),
    )


def _tab(name: str, count: Any, on_click: Any) -> rx.Component:
    label = text(f"cache.tab_{name}")
    return tab(label, is_chosen=FilesState.tab == name, on_click=on_click, count=count, id=f"tab-{name}")


def _local_card(kind: str, local: Any) -> rx.Component:
    return _card(
        kind,
        FilesState.is_loaded,
        local.count,
        local.size,
        rx.el.dd(
            meter(local.size_mb, FilesState.limit_mb, text("cache.share_of_limit")),
            rx.cond(FilesState.is_cleaned, text("cache.limit", limit=FilesState.limit), text("cache.no_limit")),
            class_name="number-hint",
        ),
        rx.el.dd(
            _button(
                "trash-2", text("cache.clear"), FilesState.ask_to_clear(kind), FilesState.is_busy | (local.count == 0)
            ),
            class_name="card-actions",
        ),
    )


def _online_card() -> rx.Component:
    counted = text("cache.counted", counted=OnlineState.counted, accounts=OnlineState.all_accounts)
    return _card(
        "online",
        OnlineState.counted > 0,
        OnlineState.files,
        OnlineState.files_size,
        rx.el.dd(counted, class_name="number-hint"),
        rx.el.dd(
            _button(
                "scan-search",
                text("cache.count_all"),
                OnlineState.count_all,
                OnlineState.is_counting | (OnlineState.all_accounts == 0),
            ),
            _button(
                "trash-2",
                text("cache.clear"),
                OnlineState.ask_to_clear_counted,
                OnlineState.is_clearing | (OnlineState.files == 0),
                name=text("cache.clear_online"),
            ),
            class_name="card-actions",
        ),
    )


def _card(name: str, is_known: Any, count: Any, size: Any, *facts: rx.Component) -> rx.Component:
    """How much there is of something, and what can be done with all of it."""
    how_much = rx.fragment(rx.el.span(count), rx.el.span(size, class_name="card-size"))
    return rx.el.div(
        rx.el.dt(text(f"cache.{name}"), class_name="number-label"),
        rx.el.dd(rx.cond(is_known, how_much, "—"), class_name="number-value"),
        *facts,
        id=f"card-{name}",
        class_name="number-card",
    )


def _button(picture: str, label: Any, on_click: Any, is_off: Any, *, name: Any = None) -> rx.Component:
    return rx.el.button(
        icon(picture, 15),
        label,
        type="button",
        on_click=on_click,
        disabled=is_off,
        class_name="button small-text",
        **({} if name is None else {"aria_label": name}),
    )
