"""What the overview shows, as of one moment: plain values, the same for every open tab."""

import dataclasses
import time
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from grok_app import __version__
from grok_app.accounts import Totals, summarize_pools
from grok_app.media import Kind
from grok_app.requests import Minute
from grok_app.runtime import Services, current

TICK_S: Final = 2.0
"""How often the page follows."""
_GROK: Final = "grok.com"
_BYTES_PER_MB: Final = 1 << 20
_DATABASES: Final = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MySQL / MariaDB"}

Point = dict[str, float | None]
"""A minute of the charts, by the names of its lines."""


@dataclasses.dataclass
class PoolRow:
    """The accounts of one pool by state, and what the active ones have left."""

    pool: str
    active: int
    cooling: int
    expired: int
    disabled: int
    quota: int


@dataclasses.dataclass
class Share:
    """One of several things that were counted."""

    name: str
    count: int
    percent: int
    """Of the largest of them, at least 1."""


@dataclasses.dataclass
class Numbers:
    """What stands in the cards."""

    requests: int = 0
    """Of the last hour, as everything about requests here."""
    errors: int = 0
    error_percent: float = 0
    busiest: int = 0
    """Requests of the minute that had most."""
    first_ms: float = 0
    """Time to the first token, the median of the latest minute that had one; 0: there was none."""
    slow_first_ms: float = 0
    """The same, but 95 of 100 were faster."""
    accounts: int = 0
    active: int = 0
    cooling: int = 0
    chat_quota: int = 0
    image_quota: int = 0
    images: int = 0
    videos: int = 0
    cache_bytes: int = 0
    cache_limit_bytes: int = 0
    tasks: int = 0
    """Under way."""
    tasks_done: int = 0
    """Their items that were tried."""
    tasks_total: int = 0


@dataclasses.dataclass
class Server:
    """What runs here, and with what."""

    version: str = ""
    database: str = ""
    """Its kind by name."""
    has_redis: bool = False
    upstream: str = ""
    """Where Grok is: a host, with its port where it isn't the usual one."""
    is_grok: bool = True
    """Whether that is Grok itself."""


@dataclasses.dataclass
class Figures:
    """Everything."""

    numbers: Numbers
    pools: list[PoolRow]
    minutes: list[Point]
    models: list[Share]
    errors: list[Share]
    server: Server


def latest() -> Figures:
    """The figures of this tick. Worked out once for all tabs, so that they agree and ten cost as much as one."""
    services, tick = current(), int(time.monotonic() / TICK_S)
    if not _shared or _shared[0].services is not services or _shared[0].tick != tick:
        _shared[:] = [_Shared(services, tick, collect(services))]
    return _shared[0].figures


@dataclasses.dataclass(frozen=True, slots=True)
class _Shared:
    services: Services
    tick: int
    figures: Figures


_shared: list[_Shared] = []


def collect(services: Services) -> Figures:
    """Work out the figures of now."""
    pools = summarize_pools(services.roster.all())
    minutes = services.requests.minutes()
    return Figures(
        numbers=_numbers(services, list(pools.values()), minutes),
        pools=[
            PoolRow(pool.value, of.active, of.cooling, of.expired, of.disabled, of.chat_quota)
            for pool, of in pools.items()
        ],
        minutes=[_point(minute) for minute in minutes],
        models=_shares(services.requests.top_models()),
        errors=_shares(services.requests.upstream_errors()),
        server=_server(services),
    )


def _numbers(services: Services, pools: Sequence[Totals], minutes: Sequence[Minute]) -> Numbers:
    requests, errors = sum(minute.requests for minute in minutes), sum(minute.errors for minute in minutes)
    first = next((minute for minute in reversed(minutes) if minute.first_chunk_p50_ms is not None), None)
    images, videos = services.media.stats(Kind.IMAGE), services.media.stats(Kind.VIDEO)
    tasks = [task.progress() for task in services.tasks.running()]
    return Numbers(
        requests=requests,
        errors=errors,
        error_percent=round(100 * errors / requests, 1) if requests else 0,
        busiest=max((minute.requests for minute in minutes), default=0),
        first_ms=(first and first.first_chunk_p50_ms) or 0,
        slow_first_ms=(first and first.first_chunk_p95_ms) or 0,
        accounts=sum(of.total for of in pools),
        active=sum(of.active for of in pools),
        cooling=sum(of.cooling for of in pools),
        chat_quota=sum(of.chat_quota for of in pools),
        image_quota=sum(of.image_quota for of in pools),
        images=images.count,
        videos=videos.count,
        cache_bytes=images.size_bytes + videos.size_bytes,
        cache_limit_bytes=services.settings.snapshot.cache.limit_mb * _BYTES_PER_MB,
        tasks=len(tasks),
        tasks_done=sum(progress.processed for progress in tasks),
        tasks_total=sum(progress.total for progress in tasks),
    )


def _point(minute: Minute) -> Point:
    return {
        "at": minute.at_ms,
        "ok": minute.requests - minute.errors,
        "errors": minute.errors,
        "p50": minute.first_chunk_p50_ms,
        "p95": minute.first_chunk_p95_ms,
    }


def _shares(counted: Sequence[tuple[str, int]]) -> list[Share]:
    most = max((count for _, count in counted), default=1)
    return [Share(name, count, max(1, round(100 * count / most))) for name, count in counted]


def _server(services: Services) -> Server:
    address = urlsplit(services.settings.snapshot.upstream.grok_url)
    host = address.hostname or ""
    return Server(
        version=__version__,
        database=_DATABASES[services.env.database_kind],
        has_redis=bool(services.env.redis_url),
        upstream=f"{host}:{address.port}" if address.port else host,
        is_grok=host == _GROK,
    )
