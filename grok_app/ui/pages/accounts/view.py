"""The page: numbers, filters, the list, and what opens over it."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Any, Final

import reflex as rx

from grok_app.accounts import Filter
from grok_app.ui import routes
from grok_app.ui.components import file_download
from grok_app.ui.console import console_page, empty_state, number_card, pager, search_field, skeleton, tab, tabs
from grok_app.ui.layout import icon
from grok_app.ui.pages.accounts.actions import ActionsState
from grok_app.ui.pages.accounts.dialogs import adult_dialog, delete_dialog, export_dialog
from grok_app.ui.pages.accounts.editing import EditState
from grok_app.ui.pages.accounts.forms import add_dialog, edit_dialog
from grok_app.ui.pages.accounts.import_dialog import import_dialog
from grok_app.ui.pages.accounts.importing import ImportState
from grok_app.ui.pages.accounts.selection import selection_bar
from grok_app.ui.pages.accounts.state import AccountsState
from grok_app.ui.pages.accounts.table import table
from grok_app.ui.session import text

_CARDS: Final = ("total", "active", "cooling", "invalid", "chat_quota", "image_quota", "calls")


def view() -> rx.Component:
    """The page."""
    return console_page(
        routes.ACCOUNTS,
        rx.cond(AccountsState.is_loaded, _content(), skeleton(10)),
        add_dialog(),
        edit_dialog(),
        import_dialog(),
        export_dialog(),
        adult_dialog(),
        delete_dialog(),
        file_download(failed_label=text("accounts.export_failed"), on_done=ActionsState.end_export),
        rx.el.span(
            on_mount=[ImportState.start_anew, EditState.close_edit, EditState.close_add],
            on_unmount=ImportState.start_anew,
            hidden=True,
        ),
        actions=_page_actions(),
    )


def _page_actions() -> tuple[rx.Component, ...]:
    return (
        _button("plus", "accounts.add", EditState.open_add, id="add", class_name="button primary"),
        _button("upload", "accounts.import", ImportState.open_import, id="import"),
        _button(
            "download",
            "accounts.export",
            ActionsState.open_export,
            id="export",
            disabled=(AccountsState.all_accounts == 0) | (ActionsState.busy == "export"),
        ),
    )


def _button(picture: str, key: str, event: Any, **props: Any) -> rx.Component:
    props.setdefault("class_name", "button")
    return rx.el.button(icon(picture, 16), text(key), type="button", on_click=event, **props)


def _content() -> rx.Component:
    return rx.el.div(
        _numbers(),
        rx.cond(AccountsState.all_accounts == 0, _nobody(), rx.fragment(_toolbar(), _list())),
    )


def _numbers() -> rx.Component:
    cards = [
        number_card(text(f"accounts.{name}"), getattr(AccountsState.cards, name), id=f"card-{name}") for name in _CARDS
    ]
    video = number_card(text("accounts.video"), "—", hint=text("accounts.video_hint"), id="card-video")
    return rx.el.dl(*cards[:-1], video, cards[-1], class_name="numbers account-numbers")


def _toolbar() -> rx.Component:
    filters = [
        tab(
            text(f"accounts.filter_{name.value}"),
            count=AccountsState.counts[name.value],
            is_chosen=AccountsState.chosen_filter == name.value,
            on_click=AccountsState.filter_by(name.value),
            id=f"filter-{name.value}",
        )
        for name in Filter
    ]
    return rx.el.div(
        tabs(*filters, label=text("accounts.filters")),
        search_field(text("accounts.search"), AccountsState.words, AccountsState.search),
        class_name="toolbar account-toolbar",
    )


def _list() -> rx.Component:
    return rx.cond(
        AccountsState.matches == 0,
        empty_state(
            "search-x",
            text("accounts.none_title"),
            text("accounts.none_lead"),
            rx.el.button(
                text("accounts.show_all"), type="button", on_click=AccountsState.show_all, class_name="button"
            ),
        ),
        rx.fragment(
            table(),
            pager(
                page=AccountsState.page,
                pages=AccountsState.pages,
                total=AccountsState.matches,
                size=AccountsState.page_size,
                on_page=AccountsState.go_to,
                on_size=AccountsState.resize,
            ),
            selection_bar(),
        ),
    )


def _nobody() -> rx.Component:
    return empty_state(
        "users",
        text("accounts.empty_title"),
        text("accounts.empty_lead"),
        rx.el.button(text("accounts.add"), type="button", on_click=EditState.open_add, class_name="button primary"),
        rx.el.button(text("accounts.import"), type="button", on_click=ImportState.open_import, class_name="button"),
    )
