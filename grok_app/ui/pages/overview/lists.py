"""What the last hour was made of: accounts, models, failures."""

# mypy: disable-error-code="no-any-return"
# Reflex makes its element functions at run time, without types.

from typing import Any, Final

import reflex as rx

from grok_app.catalog import Pool
from grok_app.ui import routes
from grok_app.ui.console import COUNT, empty_state, kind_name
from grok_app.ui.pages.overview.state import OverviewState
from grok_app.ui.session import text

_STATES: Final = {"active": "good", "cooling": "warn", "expired": "bad", "disabled": "neutral"}


def lists() -> rx.Component:
    """Whom requests went to, and what came back."""
    errors: Any = OverviewState.errors
    has_accounts = OverviewState.numbers.accounts > 0
    return rx.el.div(
        panel(
            "overview.accounts",
            rx.cond(has_accounts, _accounts(), _first_account()),
            beside=rx.cond(has_accounts, rx.link(text("overview.see_accounts"), href=routes.ACCOUNTS)),
        ),
        panel(
            "overview.models",
            _shares(OverviewState.models, rx.el.code, "accent", text("overview.models_none")),
        ),
        panel(
            "overview.errors",
            _shares(errors, kind_name, "bad", text("overview.errors_none")),
            beside=rx.cond(errors.length() > 0, rx.link(text("overview.see_requests"), href=routes.REQUESTS)),
        ),
        class_name="panels",
    )


def _accounts() -> rx.Component:
    rows = [_account_row(state, text(f"accounts.filter_{state}"), tone) for state, tone in _STATES.items()]
    return rx.el.table(
        rx.el.thead(
            rx.el.tr(
                rx.el.td(),
                rx.foreach(OverviewState.pools, lambda of: rx.el.th(_pool(of.pool), scope="col", class_name="number")),
            )
        ),
        rx.el.tbody(*rows, _account_row("quota", text("overview.quota_left"))),
        class_name="table compact",
    )


def _account_row(name: str, shown: Any, tone: str = "") -> rx.Component:
    """One of the figures, of each pool."""
    dot = [rx.el.span(class_name=f"dot {tone}", aria_hidden=True)] if tone else []
    return rx.el.tr(
        rx.el.th(*dot, shown, scope="row"),
        rx.foreach(OverviewState.pools, lambda of: rx.el.td(COUNT.call(getattr(of, name)), class_name="number")),
    )


def _pool(pool: Any) -> rx.Var[str]:
    return rx.match(pool, *((known.value, text(f"accounts.pool_{known.name.lower()}")) for known in Pool), pool)


def _first_account() -> rx.Component:
    return empty_state(
        "users",
        text("overview.no_accounts"),
        text("overview.no_accounts_lead"),
        rx.link(text("overview.add_accounts"), href=routes.ACCOUNTS, class_name="button primary"),
    )


def _shares(shares: Any, shown: Any, tone: str, none: Any) -> rx.Component:
    return rx.cond(
        shares.length() > 0,
        rx.el.ol(
            rx.foreach(
                shares,
                lambda share: rx.el.li(
                    rx.el.span(shown(share.name), class_name="share-name"),
                    rx.el.span(COUNT.call(share.count), class_name="share-count"),
                    rx.el.progress(value=share.percent, max=100, aria_hidden=True, class_name=f"meter {tone}"),
                ),
            ),
            class_name="shares",
        ),
        rx.el.p(none, class_name="panel-empty"),
    )


def linked(name: str, path: str) -> rx.Component:
    """A name that leads to another page."""
    return rx.link(text(name), href=path, class_name="quiet-link")


def panel(title: str, *content: rx.Component, beside: rx.Component | None = None) -> rx.Component:
    """A part of the page under its name."""
    name = title.rpartition(".")[2].replace("_", "-")
    return rx.el.section(
        rx.el.div(
            rx.el.h2(text(title), id=f"{name}-title", class_name="panel-title"),
            *([] if beside is None else [beside]),
            class_name="panel-head",
        ),
        *content,
        aria_labelledby=f"{name}-title",
        class_name="panel",
        id=f"panel-{name}",
    )
