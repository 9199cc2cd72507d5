"""What there is to measure, in Prometheus' words. Everything is counted elsewhere; nothing here looks at many things.

Names and units: https://prometheus.io/docs/practices/naming/. No label holds a key, an address, a token or a prompt.
"""

import platform
from asyncio import all_tasks
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.utils import floatToGoString

from grok_app import __version__
from grok_app.accounts import Roster, Status
from grok_app.catalog import Pool
from grok_app.env import Env
from grok_app.insight.lag import BOUNDS_S
from grok_app.media import Kind, MediaCache
from grok_app.requests import Buckets, Requests
from grok_app.settings import SettingsService
from grok_app.shared import Shared
from grok_app.tasks import Status as TaskStatus
from grok_app.tasks import Tasks
from grok_app.trace import under_way

_BYTES_PER_MB: Final = 1 << 20
_ANSWERED: Final = "none"
"""The kind of failure of an attempt that had none."""


KeyT = TypeVar("KeyT", bound=tuple[str, ...])


@dataclass(frozen=True, slots=True)
class Measured:
    """What the figures are taken from."""

    env: Env
    settings: SettingsService
    requests: Requests
    roster: Roster
    media: MediaCache
    tasks: Tasks
    shared: Shared | None
    """None: this process is alone."""
    lag: Buckets = field(default_factory=lambda: Buckets(BOUNDS_S))


def own_families(of: Measured) -> Iterator[Metric]:
    """What each worker counts for itself."""
    yield from _requests(of.requests)
    yield from _media_lookups(of.media)
    yield _histogram(
        "grok_app_event_loop_lag_seconds", "How late the event loop is, looked at 4 times a second", "", {"": of.lag}
    )
    yield _gauge("grok_app_event_loop_tasks", "Tasks of asyncio under way", (), {(): len(all_tasks())})
    yield _gauge(
        "grok_app_writes_waiting",
        "Records of requests and changed accounts that are not in the database yet",
        ("what",),
        {("requests",): of.requests.waiting, ("accounts",): of.roster.unsaved},
    )
    yield _gauge("grok_app_database_away", "1 after a writing of requests that failed", (), {(): of.requests.is_away})
    if of.shared:
        yield _gauge("grok_app_redis_away", "1 after a call that failed", (), {(): of.shared.is_away})


def common_families(of: Measured) -> Iterator[Metric]:
    """What all workers know alike, so that one of them tells it."""
    yield InfoMetricFamily("grok_app_build", "What runs here", value=_build(of.env))
    yield from _accounts(of.roster)
    yield from _cache(of.media, of.settings)
    states = Counter(task.status for task in of.tasks.all())
    yield _gauge(
        "grok_app_tasks",
        "Long works of operators, by state; those that are over count for five minutes",
        ("state",),
        {(state.value,): states[state] for state in TaskStatus},
    )


def _requests(requests: Requests) -> Iterator[Metric]:
    counters = requests.counters()
    yield _counter(
        "grok_app_requests",
        "Requests for a model that have ended; the status is the one answered, also where a stream broke later",
        ("route", "model", "status"),
        {(route, model, str(status)): count for (route, model, status), count in counters.requests.items()},
    )
    yield _counter(
        "grok_app_request_errors",
        "Requests for a model that ended with an error, by its code; client_left: the caller went",
        ("route", "code"),
        counters.errors,
    )
    yield _gauge(
        "grok_app_requests_in_flight",
        "Requests for a model under way",
        ("route",),
        {(route,): n for route, n in under_way.items()},
    )
    yield _histogram("grok_app_first_chunk_seconds", "Time to the first word of a chat", "model", counters.first_chunks)
    yield _histogram("grok_app_request_duration_seconds", "Time to the end of an answer", "route", counters.durations)
    yield _counter(
        "grok_app_upstream_attempts",
        "Accounts asked, by the kind of failure; none: it answered",
        ("failure",),
        {(failure or _ANSWERED,): count for failure, count in counters.attempts.items()},
    )
    yield _counter("grok_app_tokens", "Tokens of text", ("model", "kind"), counters.tokens)


def _media_lookups(media: MediaCache) -> Iterator[Metric]:
    found = media.lookups[True]
    yield _counter(
        "grok_app_media_lookups",
        "Files asked for in the media cache, by whether they were there",
        ("result",),
        {("found",): found, ("missing",): media.lookups[False]},
    )
    yield _counter(
        "grok_app_media_memory_hits", "Files that were in memory when they were asked for", (), {(): media.hot.hits}
    )


def _accounts(roster: Roster) -> Iterator[Metric]:
    pool = roster.pool
    pool.wake_rested()
    yield _gauge(
        "grok_app_accounts",
        "Accounts by pool and state",
        ("pool", "state"),
        {(name.value, state.value): pool.counts[name, state] for name in Pool for state in Status},
    )
    yield _gauge(
        "grok_app_quota_left",
        "What the active accounts of a pool have left, in requests of the cheapest kind",
        ("pool",),
        {(name.value,): pool.quotas[name] for name in Pool},
    )
    yield _gauge("grok_app_leases", "Requests that accounts are lent for", (), {(): pool.leases})


def _cache(media: MediaCache, settings: SettingsService) -> Iterator[Metric]:
    stats = {(kind.value,): media.stats(kind) for kind in Kind}
    yield _gauge(
        "grok_app_media_files", "Files in the media cache", ("kind",), {k: of.count for k, of in stats.items()}
    )
    yield _gauge("grok_app_media_bytes", "Their size", ("kind",), {k: of.size_bytes for k, of in stats.items()})
    limit_bytes = settings.snapshot.cache.limit_mb * _BYTES_PER_MB
    yield _gauge("grok_app_media_limit_bytes", "How much is kept at most", (), {(): limit_bytes})


def _build(env: Env) -> dict[str, str]:
    return {
        "version": __version__,
        "python": platform.python_version(),
        "database": env.database_kind,
        "redis": "yes" if env.redis_url else "no",
    }


def _counter(name: str, text: str, labels: Iterable[str], values: Mapping[KeyT, float]) -> Metric:
    family = CounterMetricFamily(name, text, labels=tuple(labels))
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _gauge(name: str, text: str, labels: Iterable[str], values: Mapping[KeyT, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=tuple(labels))
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _histogram(name: str, text: str, label: str, values: Mapping[str, Buckets]) -> Metric:
    family = HistogramMetricFamily(name, text, labels=(label,) if label else ())
    for key, buckets in values.items():
        bounds = [*map(floatToGoString, buckets.bounds_s), "+Inf"]
        counts = list(zip(bounds, buckets.cumulative(), strict=True))
        family.add_metric((key,) if label else (), counts, buckets.sum_s)
    return family
