"""Numbers first, then the last hour, then what it was made of, then the server itself."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Any, Final

import reflex as rx

from grok_app.ui import routes
from grok_app.ui.components import copy_button
from grok_app.ui.console import COUNT, DURATION, SIZE, badge, console_page, empty_state, meter, number_card
from grok_app.ui.pages.overview.charts import first_token_chart, legend, requests_chart
from grok_app.ui.pages.overview.lists import linked, lists, panel
from grok_app.ui.pages.overview.state import OverviewState
from grok_app.ui.session import text

_CARDS: Final = 6


def view() -> rx.Component:
    """The page."""
    return console_page(
        routes.OVERVIEW,
        rx.cond(
            OverviewState.is_loaded,
            rx.el.div(_cards(), _hour(), lists(), _server(), class_name="overview", id="overview"),
            _waiting(),
        ),
    )


def _waiting() -> rx.Component:
    return rx.el.div(
        rx.el.div(*(rx.el.div(class_name="number-card skeleton-block") for _ in range(_CARDS)), class_name="numbers"),
        rx.el.div(*(rx.el.div(class_name="panel skeleton-block") for _ in range(2)), class_name="panels wide"),
        role="status",
        aria_busy=True,
        aria_label=text("console.loading"),
        class_name="overview skeleton",
    )


def _cards() -> rx.Component:
    return rx.el.dl(
        _requests_card(),
        _first_token_card(),
        *_account_cards(),
        _cache_card(),
        _tasks_card(),
        class_name="numbers",
    )


def _requests_card() -> rx.Component:
    numbers = OverviewState.numbers
    return number_card(
        linked("overview.requests", routes.REQUESTS),
        COUNT.call(numbers.requests),
        hint=text("overview.requests_hint", errors=COUNT.call(numbers.errors), percent=numbers.error_percent),
        id="number-requests",
    )


def _first_token_card() -> rx.Component:
    numbers = OverviewState.numbers
    has_time = numbers.first_ms > 0
    return number_card(
        text("overview.first_token"),
        rx.cond(has_time, DURATION.call(numbers.first_ms), "–"),
        hint=rx.cond(
            has_time,
            text("overview.first_token_hint", slow=DURATION.call(numbers.slow_first_ms)),
            text("overview.first_token_none"),
        ),
        id="number-first-token",
    )


def _account_cards() -> tuple[rx.Component, rx.Component]:
    numbers = OverviewState.numbers
    return (
        number_card(
            linked("overview.active_accounts", routes.ACCOUNTS),
            COUNT.call(numbers.active),
            hint=text(
                "overview.accounts_hint", total=COUNT.call(numbers.accounts), cooling=COUNT.call(numbers.cooling)
            ),
            id="number-accounts",
        ),
        number_card(
            text("overview.quota"),
            COUNT.call(numbers.chat_quota),
            hint=text("overview.quota_hint", images=COUNT.call(numbers.image_quota)),
            id="number-quota",
        ),
    )


def _cache_card() -> rx.Component:
    numbers = OverviewState.numbers
    return number_card(
        linked("overview.cache", routes.CACHE), SIZE.call(numbers.cache_bytes), hint=_cache_hint(), id="number-cache"
    )


def _tasks_card() -> rx.Component:
    numbers = OverviewState.numbers
    done = text("overview.tasks_hint", done=COUNT.call(numbers.tasks_done), total=COUNT.call(numbers.tasks_total))
    return number_card(
        text("overview.tasks"),
        numbers.tasks,
        hint=rx.cond(numbers.tasks > 0, done, text("overview.tasks_none")),
        id="number-tasks",
    )


def _cache_hint() -> rx.Component:
    numbers = OverviewState.numbers
    is_full = numbers.cache_bytes > 0.9 * numbers.cache_limit_bytes
    return rx.fragment(
        meter(
            numbers.cache_bytes,
            numbers.cache_limit_bytes,
            text("overview.cache_meter"),
            tone=rx.cond(is_full, "warn", "accent"),
        ),
        text("overview.cache_hint", limit=SIZE.call(numbers.cache_limit_bytes), files=numbers.images + numbers.videos),
    )


def _hour() -> rx.Component:
    numbers = OverviewState.numbers
    gist = text("overview.requests_gist", requests=numbers.requests, errors=numbers.errors, busiest=numbers.busiest)
    first_gist = text(
        "overview.first_token_gist", p50=DURATION.call(numbers.first_ms), p95=DURATION.call(numbers.slow_first_ms)
    )
    return rx.cond(
        numbers.requests > 0,
        rx.el.div(
            panel(
                "overview.per_minute",
                requests_chart(OverviewState.minutes, gist),
                beside=legend((text("overview.answered"), "accent"), (text("overview.failed"), "bad")),
            ),
            panel(
                "overview.first_token",
                first_token_chart(OverviewState.minutes, first_gist),
                beside=legend((text("overview.p50"), "accent"), (text("overview.p95"), "warn")),
            ),
            class_name="panels wide",
        ),
        _first_request(),
    )


def _first_request() -> rx.Component:
    command = (
        f"curl {OverviewState.base_url}/v1/chat/completions \\\n"
        '  -H "Authorization: Bearer $API_KEY" -H "Content-Type: application/json" \\\n'
        """  -d '{"model": "grok-4", "messages": [{"role": "user", "content": "Say hello"}]}'"""
    )
    return rx.el.section(
        empty_state(
            "activity",
            text("overview.no_requests"),
            text("overview.no_requests_lead"),
            rx.el.div(
                rx.el.pre(rx.el.code(command), tab_index=0),
                copy_button(rx.Var.create(command), copy_label=text("copy"), copied_label=text("copied")),
                class_name="command",
            ),
        ),
        class_name="panel",
        id="first-request",
    )


def _server() -> rx.Component:
    server = OverviewState.server
    return panel(
        "overview.server",
        rx.el.dl(
            _fact("overview.version", rx.el.code(server.version), "version"),
            _fact("overview.database", server.database, "database"),
            _fact(
                "overview.page_state",
                rx.cond(server.has_redis, text("overview.in_redis"), text("overview.in_memory")),
                "page-state",
            ),
            _fact(
                "overview.upstream",
                rx.fragment(
                    rx.el.code(server.upstream), rx.cond(server.is_grok, None, badge(text("overview.not_grok"), "warn"))
                ),
                "upstream",
            ),
            class_name="facts",
        ),
    )


def _fact(name: str, value: Any, id: str) -> rx.Component:
    return rx.el.div(rx.el.dt(text(name)), rx.el.dd(value), id=f"fact-{id}")
