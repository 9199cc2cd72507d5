"""The list of requests. On a phone each line of it becomes a card."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Any, Final

import reflex as rx

from grok_app.ui.console import COUNT, DURATION, badge, kind_name
from grok_app.ui.pages.requests.formats import STAMP
from grok_app.ui.pages.requests.state import RequestsState
from grok_app.ui.session import text

_COLUMNS: Final = ("time", "status", "model", "key", "account", "first", "total", "tokens", "retries")
_NUMBERS: Final = ("first", "total", "tokens", "retries")


def table() -> rx.Component:
    """The page of requests."""
    return rx.el.div(
        rx.el.table(
            rx.el.caption(text("console.requests"), class_name="visually-hidden"),
            rx.el.thead(rx.el.tr(*(_head(name) for name in _COLUMNS))),
            rx.el.tbody(rx.foreach(RequestsState.rows, _line)),
            class_name="table request-table",
            id="requests",
        ),
        class_name="table-box",
    )


def _head(name: str) -> rx.Component:
    return rx.el.th(text(f"requests.column_{name}"), scope="col", class_name="number" if name in _NUMBERS else "")


def _line(row: Any) -> rx.Component:
    return rx.el.tr(
        rx.el.td(_opener(row), class_name="name-cell"),
        _cell("status", status(row)),
        _cell("model", rx.cond(row.model != "", rx.el.code(row.model, class_name="mono"), row.route)),
        _cell("key", or_dash(row.key, rx.el.code(row.key, class_name="mono"))),
        _cell("account", account(row)),
        _cell("first", time_or_dash(row.first_ms)),
        _cell("total", DURATION.call(row.duration_ms)),
        _cell("tokens", tokens(row)),
        _cell("retries", rx.cond(row.retries > 0, badge(row.retries, "warn"), "0")),
        on_click=RequestsState.open(row.id),
        key=row.id,
    )


def _cell(name: str, content: Any) -> rx.Component:
    """A cell that says its column where the table's head is out of sight."""
    label = rx.el.span(text(f"requests.column_{name}"), class_name="cell-label", aria_hidden=True)
    return rx.el.td(label, content, class_name="number" if name in _NUMBERS else f"{name}-cell")


def _opener(row: Any) -> rx.Component:
    """What opens a request by keyboard. Its click is the line's."""
    stamp = STAMP.call(row.at_ms)
    return rx.el.button(stamp, type="button", aria_label=text("requests.open", time=stamp), class_name="row-opener")


def status(row: Any) -> rx.Component:
    """How a request ended: in a colour, and with its error where there was one."""
    return rx.el.span(
        rx.match(
            row.outcome,
            ("ok", badge(row.status, "good")),
            ("left", badge(text("requests.left"))),
            badge(row.status, "bad"),
        ),
        rx.cond(row.outcome == "error", rx.el.span(kind_name(row.error), class_name="error-code")),
        class_name="request-status",
    )


def account(row: Any) -> rx.Component:
    """Which account was asked last."""
    named = rx.el.span(row.account, rx.cond(row.note != "", rx.el.span(" · ", row.note, class_name="soft")))
    return or_dash(row.account, named)


def tokens(row: Any) -> rx.Component:
    """Those of the prompt and those of the answer."""
    counted = rx.el.span(COUNT.call(row.prompt_tokens), " → ", COUNT.call(row.completion_tokens))
    return rx.cond(row.prompt_tokens + row.completion_tokens > 0, counted, "—")


def time_or_dash(time_ms: Any) -> rx.Component:
    """A time, or that there is none."""
    return rx.cond(time_ms > 0, DURATION.call(time_ms), "—")


def or_dash(word: Any, shown: rx.Component) -> rx.Component:
    """What is shown of a word, or that there is none."""
    return rx.cond(word != "", shown, "—")
