"""One request in full, in a window over the list."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Any

import reflex as rx

from grok_app.ui.components import copy_button
from grok_app.ui.console import DURATION, SIZE, badge, dialog, dialog_actions, kind_name
from grok_app.ui.layout import moment
from grok_app.ui.pages.requests.state import RequestsState
from grok_app.ui.pages.requests.table import account, or_dash, status, time_or_dash, tokens
from grok_app.ui.session import text


def detail_dialog() -> rx.Component:
    """The window."""
    return dialog(
        text("requests.detail_title"),
        _facts(),
        _attempts(),
        _content(),
        dialog_actions(
            rx.el.button(text("requests.close"), type="button", on_click=RequestsState.close, class_name="button")
        ),
        is_open=RequestsState.is_open,
        on_close=RequestsState.close,
        wide=True,
    )


def _facts() -> rx.Component:
    detail: Any = RequestsState.detail
    row = detail.row
    way = rx.cond(detail.is_stream, text("requests.streamed"), text("requests.whole"))
    sent = rx.cond(detail.bytes_sent > 0, SIZE.call(detail.bytes_sent), "—")
    facts = (
        ("id", rx.fragment(rx.el.code(detail.request_id, class_name="mono breaking"), _copy(detail.request_id))),
        ("time", moment(row.at_ms)),
        ("status", rx.fragment(status(row), _code(row), rx.cond(detail.reason != "", rx.el.span(detail.reason)))),
        ("route", rx.fragment(rx.el.code(row.route, class_name="mono breaking"), badge(way))),
        ("model", or_dash(row.model, rx.el.code(row.model, class_name="mono"))),
        ("key", or_dash(row.key, rx.el.code(row.key, class_name="mono"))),
        ("account", account(row)),
        ("first", time_or_dash(row.first_ms)),
        ("total", DURATION.call(row.duration_ms)),
        ("tokens", tokens(row)),
        ("sent", sent),
    )
    lines = [rx.el.div(rx.el.dt(text(f"requests.column_{name}")), rx.el.dd(value)) for name, value in facts]
    return rx.el.dl(*lines, class_name="request-facts", id="request-facts")


def _code(row: Any) -> rx.Component:
    return rx.cond(row.outcome == "error", rx.el.code(row.error, class_name="mono soft"))


def _attempts() -> rx.Component:
    attempts: Any = RequestsState.detail.attempts
    return rx.el.section(
        rx.el.h3(text("requests.attempts"), class_name="request-heading"),
        rx.cond(
            attempts.length() > 0,
            rx.el.ol(rx.foreach(attempts, _attempt), class_name="request-attempts", id="request-attempts"),
            rx.el.p(text("requests.no_attempts"), class_name="hint"),
        ),
    )


def _attempt(attempt: Any) -> rx.Component:
    return rx.el.li(
        rx.el.span(
            rx.el.strong(attempt.account),
            rx.cond(attempt.token != "", rx.el.code(attempt.token, class_name="mono")),
            rx.cond(
                attempt.error == "",
                rx.cond(
                    attempt.duration_ms > 0,
                    badge(text("requests.answered"), "good"),
                    badge(text("requests.broken_off")),
                ),
                rx.fragment(badge(kind_name(attempt.error), "bad"), rx.el.code(attempt.error, class_name="mono soft")),
            ),
            rx.el.span(time_or_dash(attempt.duration_ms), class_name="soft"),
            class_name="attempt-line",
        ),
        rx.cond(attempt.reason != "", rx.el.p(attempt.reason, class_name="attempt-reason")),
    )


def _content() -> rx.Component:
    detail: Any = RequestsState.detail
    return rx.cond(
        detail.has_content,
        rx.fragment(_said("requests.prompt", detail.prompt), _said("requests.answer", detail.answer)),
        rx.el.p(text("requests.no_content"), class_name="hint"),
    )


def _said(title: str, words: Any) -> rx.Component:
    return rx.el.details(
        rx.el.summary(text(title)),
        rx.cond(words != "", rx.el.pre(words, tab_index=0), rx.el.p("—")),
        class_name="request-content",
    )


def _copy(words: Any) -> rx.Component:
    return copy_button(words, copy_label=text("copy"), copied_label=text("copied"))
