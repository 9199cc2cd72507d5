"""The overview: its figures, and what of them reaches a tab."""

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import reflex as rx
from pydantic import SecretStr

from grok_app import __version__
from grok_app.accounts import Account, Status
from grok_app.catalog import Pool
from grok_app.env import Env
from grok_app.media import Kind, Stats
from grok_app.requests import Minute
from grok_app.ui.i18n import texts
from grok_app.ui.pages.overview import OverviewState, figures, state
from grok_app.ui.pages.overview.figures import collect, latest
from grok_app.upstream import ErrorKind

MB = 1 << 20


class Requests:
    """The last hour, as a test says."""

    def __init__(self) -> None:
        self.looks = 0
        self.last = (0, 0, None, None)
        self.before_last: tuple[int, int, float | None, float | None] = (0, 0, None, None)

    def minutes(self) -> list[Minute]:
        """Nothing but in the last two minutes."""
        self.looks += 1
        told = [(0, 0, None, None)] * 58 + [self.before_last, self.last]
        return [Minute(place * 60_000, *values) for place, values in enumerate(told)]

    def top_models(self) -> list[tuple[str, int]]:
        """Two."""
        return [("grok-4", 300), ("grok-3", 1)]

    def upstream_errors(self) -> list[tuple[str, int]]:
        """One kind."""
        return [("rate_limited", 2)]


class Services(SimpleNamespace):
    """What the overview looks at; as frozen as the real ones, but a test may change it."""


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """A gateway with three accounts and no request yet."""
    accounts = [
        Account(1, Pool.BASIC, SecretStr("a"), Status.ACTIVE, 80),
        Account(2, Pool.BASIC, SecretStr("b"), Status.COOLING, 0),
        Account(3, Pool.SUPER, SecretStr("c"), Status.ACTIVE, 41),
    ]
    settings = SimpleNamespace(
        app=SimpleNamespace(app_url=""),
        cache=SimpleNamespace(limit_mb=512),
        upstream=SimpleNamespace(grok_url="https://grok.com"),
    )
    stats = {Kind.IMAGE: Stats(3, 2 * MB), Kind.VIDEO: Stats(1, 5 * MB)}
    made = Services(
        roster=SimpleNamespace(all=lambda: accounts),
        requests=Requests(),
        media=SimpleNamespace(stats=stats.__getitem__),
        settings=SimpleNamespace(snapshot=settings),
        tasks=SimpleNamespace(running=list),
        env=Env(),
    )
    for module in (figures, state):
        monkeypatch.setattr(module, "current", lambda: made)
    yield made
    figures._shared.clear()


def tab() -> Any:
    """A tab's overview, before its first look."""
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg] # Reflex's way for tests
    return root.get_substate(OverviewState.get_full_name().split("."))


def test_the_accounts_are_counted_by_pool_and_in_all(services: Any) -> None:
    """Quota is that of active accounts, and a picture takes two of it."""
    seen = collect(services)
    assert [(row.pool, row.active, row.cooling, row.quota) for row in seen.pools] == [
        ("ssoBasic", 1, 1, 80),
        ("ssoSuper", 1, 0, 41),
    ]
    numbers = seen.numbers
    assert (numbers.accounts, numbers.active, numbers.cooling, numbers.chat_quota) == (3, 2, 1, 121)
    assert numbers.image_quota == 60


def test_requests_and_errors_are_those_of_the_hour(services: Any) -> None:
    """The charts have a point for each minute; the first-token time is that of the latest minute with one."""
    services.requests.before_last = (6, 1, 400.0, 900.0)
    services.requests.last = (2, 0, None, None)
    seen = collect(services)
    numbers = seen.numbers
    assert (numbers.requests, numbers.errors, numbers.error_percent, numbers.busiest) == (8, 1, 12.5, 6)
    assert (numbers.first_ms, numbers.slow_first_ms) == (400, 900)
    assert len(seen.minutes) == 60
    assert seen.minutes[-2] == {"at": 58 * 60_000, "ok": 5, "errors": 1, "p50": 400, "p95": 900}
    assert seen.minutes[-1] == {"at": 59 * 60_000, "ok": 2, "errors": 0, "p50": None, "p95": None}


def test_an_hour_without_requests_has_no_percentage(services: Any) -> None:
    """Nothing is divided by nothing."""
    numbers = collect(services).numbers
    assert (numbers.requests, numbers.error_percent, numbers.first_ms, numbers.busiest) == (0, 0, 0, 0)


def test_bars_are_measured_by_the_longest(services: Any) -> None:
    """Even the least of them can be seen."""
    assert [(share.name, share.count, share.percent) for share in collect(services).models] == [
        ("grok-4", 300, 100),
        ("grok-3", 1, 1),
    ]


def test_cache_and_tasks(services: Any) -> None:
    """Files and their size against the limit; how far all running tasks are together."""
    progress = [SimpleNamespace(processed=3, total=10), SimpleNamespace(processed=1, total=2)]
    services.tasks.running = lambda: [SimpleNamespace(progress=lambda it=it: it) for it in progress]
    numbers = collect(services).numbers
    assert (numbers.images, numbers.videos, numbers.cache_bytes, numbers.cache_limit_bytes) == (3, 1, 7 * MB, 512 * MB)
    assert (numbers.tasks, numbers.tasks_done, numbers.tasks_total) == (2, 4, 12)


@pytest.mark.parametrize(
    ("database", "redis", "name", "has_redis"),
    [
        ("", "", "SQLite", False),
        ("postgresql://u:secret@db/x", "redis://:secret@r", "PostgreSQL", True),
        ("mariadb://u:secret@db/x", "redis://:secret@r", "MySQL / MariaDB", True),
    ],
    ids=["small", "large", "mariadb"],
)
def test_storage_is_named_and_no_more(services: Any, database: str, redis: str, name: str, has_redis: bool) -> None:
    """The addresses, which may hold passwords, stay on the server."""
    services.env = Env(database_url=database, redis_url=redis)
    server = collect(services).server
    assert (server.database, server.has_redis, server.version) == (name, has_redis, __version__)
    assert "secret" not in repr(server)


@pytest.mark.parametrize(
    ("address", "shown", "is_grok"),
    [
        ("https://grok.com", "grok.com", True),
        ("http://127.0.0.1:9000", "127.0.0.1:9000", False),
        ("https://me:secret@relay.example/grok", "relay.example", False),
        ("https://grok.com.example", "grok.com.example", False),
    ],
    ids=["grok", "sandbox", "relay", "lookalike"],
)
def test_the_upstream_is_told_by_its_host(services: Any, address: str, shown: str, is_grok: bool) -> None:
    """Whether requests go to Grok itself can be seen."""
    services.settings.snapshot.upstream.grok_url = address
    server = collect(services).server
    assert (server.upstream, server.is_grok) == (shown, is_grok)


def test_all_tabs_see_the_same_and_cost_one_look(services: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a tick; the next one has new figures."""
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    first = latest()
    assert latest() is first
    assert services.requests.looks == 1
    now += figures.TICK_S
    assert latest() is not first


def test_only_what_changed_is_pushed(services: Any) -> None:
    """A quiet gateway costs a tab nothing; a request sends the numbers and the charts, not the accounts."""
    page = tab()
    page._look(collect(services))
    assert page.is_loaded
    page._clean()
    page._look(collect(services))
    assert page.dirty_vars == set()
    services.requests.last = (1, 0, 10.0, 10.0)
    page._look(collect(services))
    assert page.dirty_vars == {"numbers", "minutes"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_kind_of_failure_has_a_name(language: Any) -> None:
    """No code is shown where there is a word."""
    assert {f"overview.kind_{kind.value}" for kind in ErrorKind} <= texts(language).keys()
