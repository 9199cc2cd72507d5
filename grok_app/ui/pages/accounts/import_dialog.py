"""The dialog that imports accounts: a text first, then what would come of it."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Any

import reflex as rx

from grok_app.accounts import LIMIT_CHARS
from grok_app.catalog import Pool
from grok_app.ui.components import text_intake
from grok_app.ui.console import badge, dialog, dialog_actions, meter
from grok_app.ui.pages.accounts.actions import ActionsState
from grok_app.ui.pages.accounts.importing import ImportState
from grok_app.ui.session import text

_LABELS = ("field", "placeholder", "choose", "hint", "pasted", "size", "forget", "preview")


def import_dialog() -> rx.Component:
    """The dialog. The text stays in its form while the preview is looked at."""
    is_previewed = ImportState.preview.is_ready
    return dialog(
        text("accounts.import_title"),
        rx.el.div(_intake(), hidden=is_previewed),
        rx.cond(is_previewed, _preview()),
        is_open=ImportState.is_importing,
        on_close=ImportState.close_import,
        wide=True,
    )


def _intake() -> rx.Component:
    return text_intake(
        rx.el.div(
            rx.el.label(text("accounts.import_pool"), html_for="import-pool", class_name="label"),
            rx.el.select(
                rx.el.option(text("accounts.pool_basic"), value=Pool.BASIC.value),
                rx.el.option(text("accounts.pool_super"), value=Pool.SUPER.value),
                value=ImportState.import_pool,
                on_change=ImportState.choose_pool,
                disabled=ImportState.is_receiving,
                id="import-pool",
                class_name="form-input",
            ),
            rx.el.p(text("accounts.import_pool_hint"), class_name="form-hint"),
            class_name="form-field",
        ),
        rx.cond(
            ImportState.is_receiving,
            meter(ImportState.received_chars, ImportState.size_chars, text("accounts.receiving")),
        ),
        rx.cond(
            ImportState.import_error != "",
            rx.el.p(ImportState.import_error, role="alert", id="import-error", class_name="form-error"),
        ),
        wanted=ImportState.wanted_piece,
        limit_chars=LIMIT_CHARS,
        is_busy=ImportState.is_receiving,
        labels={name: text(f"accounts.intake_{name}") for name in _LABELS} | {"cancel": text("console.cancel")},
        on_begin=ImportState.begin_text,
        on_piece=ImportState.take_piece,
        on_end=ImportState.end_text,
        on_cancel=ImportState.close_import,
        on_refuse=ImportState.refuse_text,
    )


def _preview() -> rx.Component:
    seen = ImportState.preview
    return rx.el.div(
        rx.el.dl(
            _number("new", seen.new, "good"),
            _number("known", seen.known, "neutral"),
            _number("repeated", seen.repeated, "neutral"),
            _number("malformed", seen.malformed, rx.cond(seen.malformed > 0, "bad", "neutral")),
            class_name="import-numbers",
        ),
        rx.cond(seen.new > 0, rx.el.p(text("accounts.preview_pools", basic=seen.basic, super=seen.super))),
        rx.cond(seen.malformed > 0, _faults(seen)),
        dialog_actions(
            rx.el.button(text("accounts.back"), type="button", on_click=ImportState.back, class_name="button"),
            rx.el.button(
                text("accounts.import_new", count=seen.new),
                type="button",
                on_click=ImportState.import_text,
                disabled=(seen.new == 0) | (ActionsState.busy != ""),
                id="import-new",
                class_name="button primary",
            ),
        ),
        id="import-preview",
    )


def _number(name: str, count: Any, tone: Any) -> rx.Component:
    return rx.el.div(
        rx.el.dt(text(f"accounts.preview_{name}")),
        rx.el.dd(badge(count, tone)),
        id=f"preview-{name}",
        class_name="import-number",
    )


def _faults(seen: Any) -> rx.Component:
    return rx.el.div(
        rx.el.h2(text("accounts.faults"), class_name="panel-title"),
        rx.el.ul(rx.foreach(seen.faults, _fault), tab_index=0, class_name="import-faults"),
        rx.cond(
            seen.malformed > seen.faults.length(),
            rx.el.p(text("tasks.more", count=seen.malformed - seen.faults.length()), class_name="form-hint"),
        ),
    )


def _fault(fault: Any) -> rx.Component:
    place = rx.cond(
        fault.pool == "",
        text("accounts.line", place=fault.place),
        text("accounts.item", place=fault.place, pool=fault.pool),
    )
    return rx.el.li(
        rx.el.span(place, class_name="fault-place"),
        rx.cond(fault.token != "", rx.el.code(fault.token, class_name="mono")),
        rx.el.span(fault.reason),
    )
