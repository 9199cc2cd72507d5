"""Endless runs: a hundred listeners of the public imagine routes, and those who stop reading.

Grok is `benchmarks/painting.py`, which sends real pictures and draws none. It notes when each finished picture left, so
that every listener's delay is known. As many listeners ask the painter directly, first and last: their delay is the
floor.
"""

import asyncio
import statistics
import time
import urllib.request
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

import orjson

from benchmarks.hearing import ALL, Listened, Painted, Session, judge
from benchmarks.listening import PUBLIC_KEY, Way, listening
from benchmarks.painting import BATCH_BYTES, PAINTED, PER_BATCH
from benchmarks.processes import Served, cpu_s, forget_peaks, memory, peak_mib

LISTENERS: Final = 100
BATCH_S: Final = 6.0
"""What six pictures take: the demo's sandbox, whose pace is Grok's as far as we know, takes 7 s for four."""
SETTINGS: Final = {
    "app.public_key": PUBLIC_KEY,
    "public.max_runs_per_address": "1000",
    "public.requests_per_minute": "100000",
    "token.auto_refresh": "false",
}
"""Of the gateway: everybody is let in from one address."""
BAR_ADDED_MS: Final = 20.0
"""Most that the gateway may add to the 95th percentile of how late a finished picture is."""
BAR_GROWTH: Final = 0.03
"""Most that memory may grow after the warming up: its last third against its first. As in the soak."""
BAR_DEAF_MIB: Final = 4.0
"""Most that a listener may cost who stops reading."""
DEAF: Final = 20
_WARM_UP_S: Final = 10.0
_ROUND_S: Final = 12.0
DEAF_S: Final = 30.0
_READERS: Final = [Way.SSE, Way.WS] * 2
"""Few, so that what they leave in memory hides little of what the deaf ones need."""
_LOOK_S: Final = 1.0
_SETTLE_S: Final = 3.0
_GRACE_S: Final = 1.0
_FULL_GRACE_S: Final = 10.0
"""Without pauses all buffers on the way are full, so that pictures are late by seconds."""
_POLL_S: Final = 0.1
_LOOKS: Final = 50


@dataclass(frozen=True, slots=True)
class _Plan:
    """So many listeners at the same time."""

    asked: Served
    ways: list[Way]
    batch_s: float


@dataclass(frozen=True, slots=True)
class Moment:
    """The gateway's memory, so long after the warming up."""

    at_s: float
    rss_mib: float
    pss_mib: float


@dataclass(frozen=True, slots=True)
class Deaf:
    """Listeners who read the head of the answer, and nothing more."""

    way: Way
    listeners: int
    before_mib: float
    peak_mib: float
    most_sockets: int
    """Open at the painter at the same time."""
    sockets_after: int
    """Open at the painter once they had left."""
    first_error: str

    @property
    def each_mib(self) -> float:
        """What one of them cost."""
        return (self.peak_mib - self.before_mib) / self.listeners

    @property
    def meets_bar(self) -> bool:
        """Whether they were cheap, and had no more than a socket each, which ended with them."""
        is_bounded = self.most_sockets <= self.listeners and not self.sockets_after
        return self.each_mib < BAR_DEAF_MIB and is_bounded and not self.first_error


@dataclass(slots=True)
class Runs:
    """What a run has found."""

    floor: Listened
    through: Listened
    full: Listened
    """Without pauses: as fast as the gateway can."""
    moments: list[Moment]
    deaf: list[Deaf] = field(default_factory=list)

    @property
    def added_p95_ms(self) -> float:
        """What the gateway adds to the 95th percentile."""
        return self.through.all.p95_ms - self.floor.all.p95_ms

    @property
    def growth(self) -> float:
        """What memory grew by after the warming up, as a share."""
        third = max(1, len(self.moments) // 3)
        held_mib = [moment.rss_mib for moment in self.moments]
        return statistics.median(held_mib[-third:]) / statistics.median(held_mib[:third]) - 1

    @property
    def slope_mib_per_minute(self) -> float:
        """Of the straight line through memory after the warming up."""
        times_s = [moment.at_s for moment in self.moments]
        return statistics.linear_regression(times_s, [moment.rss_mib for moment in self.moments]).slope * 60

    @property
    def meets_bar(self) -> bool:
        """Whether all pictures came, in time, and memory is bounded."""
        is_quick = self.added_p95_ms < BAR_ADDED_MS
        is_small = self.growth <= BAR_GROWTH and all(row.meets_bar for row in self.deaf)
        return self.through.is_whole and self.full.is_whole and is_quick and is_small


async def measure_runs(painter: Served, gateway: Served, rounds: int) -> Runs:
    """Listen to the painter, to the gateway, and to the painter again; then without pauses. The gateway has `SETTINGS`.

    One round is 12 s of listening to the gateway, after 10 s of warming up.
    """
    directly = _Plan(painter, [Way.DIRECT] * LISTENERS, BATCH_S)
    paced = _Plan(gateway, [Way.SSE, Way.WS] * (LISTENERS // 2), BATCH_S)
    moments: list[Moment] = []
    before = await _listen(painter, directly, _ROUND_S)
    through = await _listen(painter, paced, rounds * _ROUND_S, moments)
    after = await _listen(painter, directly, _ROUND_S)
    full = await _listen(painter, replace(paced, batch_s=0.0), _ROUND_S)
    return Runs(judge([before, after]), judge([through]), judge([full]), moments)


async def measure_deaf(painter: Served, gateway: Served, way: Way, lasting_s: float = DEAF_S) -> Deaf:
    """See what listeners cost who stop reading, after some others have read. The gateway has `SETTINGS`, and is new."""
    async with listening(gateway.port, _READERS, 0.0):
        await asyncio.sleep(_WARM_UP_S)
    await _sockets_after(painter)
    await asyncio.sleep(_SETTLE_S)
    forget_peaks(gateway.pid)
    before_mib = memory(gateway.pid).rss_mib
    most_sockets = 0
    async with listening(gateway.port, [way] * DEAF, 0.0, are_deaf=True) as heard:
        end = time.monotonic() + lasting_s
        while time.monotonic() < end:
            await asyncio.sleep(_LOOK_S)
            most_sockets = max(most_sockets, (await painted(painter)).open_sockets)
        highest_mib = peak_mib(gateway.pid)
    errors = [error for each in heard for error in each.errors]
    after = await _sockets_after(painter)
    return Deaf(way, DEAF, before_mib, highest_mib, most_sockets, after, errors[0] if errors else "")


def print_runs(runs: Runs) -> None:
    """Print the tables and the bars."""
    megabytes_per_s = LISTENERS / BATCH_S * BATCH_BYTES / 1e6
    print(
        f"\n{LISTENERS} endless runs, half SSE half WebSocket, six pictures of 100 KB in {BATCH_S:g} s each: "
        f"{LISTENERS * PER_BATCH / BATCH_S:.0f} finished ones/s, {megabytes_per_s:.0f} MB/s of base64 with all stages; "
        f"{runs.through.elapsed_s:.0f} s after {_WARM_UP_S:.0f} s of warming up"
    )
    print(f"  {'late, ms':<20}{'p50':>8}{'p95':>8}{'p99':>8}{'pictures/s':>12}{'CPU ms each':>13}")
    for name, row in (("painter itself", runs.floor), ("gateway", runs.through), ("gateway, no pauses", runs.full)):
        _print_delays(name, row)
    added_ms, verdict = runs.added_p95_ms, _verdict(runs.added_p95_ms < BAR_ADDED_MS)
    print(f"  added to the p95: {added_ms:.1f} ms, bar {BAR_ADDED_MS:.0f} ms: {verdict}")
    for name, row in (("at that pace", runs.through), ("no pauses", runs.full)):
        print(
            f"  {name}: {row.whole_batches} whole batches; {row.lost} finished pictures lost, {row.twice} twice, "
            f"{row.cut} batches cut, {row.errors} errors: {_verdict(row.is_whole)}"
            + (f"\n    first error: {row.first_error}" if row.first_error else "")
        )
    _print_memory(runs)


def _print_delays(name: str, row: Listened) -> None:
    for way, delay in row.delays.items():
        label = name if way == ALL else f"  {way}"
        if way != Way.DIRECT:
            figures = f"{delay.p50_ms:8.1f}{delay.p95_ms:8.1f}{delay.p99_ms:8.1f}"
            rest = f"{row.pictures_per_s:12.0f}{row.cpu_ms:13.2f}" if way == ALL else ""
            print(f"  {label:<20}{figures}{rest}")


def _print_memory(runs: Runs) -> None:
    for moment in runs.moments[:: max(1, len(runs.moments) // 6)]:
        print(f"  after {moment.at_s:3.0f} s: RSS {moment.rss_mib:6.1f} MiB   PSS {moment.pss_mib:6.1f} MiB")
    print(
        f"  RSS after the warming up {runs.growth:+.1%} ({runs.slope_mib_per_minute:+.1f} MiB a minute), "
        f"bar {BAR_GROWTH:.0%}: {_verdict(runs.growth <= BAR_GROWTH)}"
    )
    for row in runs.deaf:
        print(
            f"  {row.listeners} who stop reading ({row.way}): RSS {row.before_mib:.1f} MiB before, at most "
            f"{row.peak_mib:.1f}: {row.each_mib:.2f} each, bar {BAR_DEAF_MIB:.0f}; sockets at Grok at most "
            f"{row.most_sockets}, {row.sockets_after} in the end: {_verdict(row.meets_bar)}"
            + (f"\n    first error: {row.first_error}" if row.first_error else "")
        )


def _verdict(is_met: bool) -> str:
    return "met" if is_met else "MISSED"


async def _listen(painter: Served, plan: _Plan, lasting_s: float, moments: list[Moment] | None = None) -> Session:
    """Let so many listen to a server, after a warming up."""
    await painted(painter)
    asked = plan.asked
    async with listening(asked.port, plan.ways, plan.batch_s, spread_s=plan.batch_s) as heard:
        await asyncio.sleep(_WARM_UP_S)
        counts_from_ns, used_s = time.monotonic_ns(), cpu_s(asked.pid)
        async with _watching(asked, moments):
            await asyncio.sleep(lasting_s)
        ended_ns, used_s = time.monotonic_ns(), cpu_s(asked.pid) - used_s
    grace_s = _GRACE_S if plan.batch_s else _FULL_GRACE_S
    session = Session(heard, await painted(painter), counts_from_ns, ended_ns, used_s, grace_s)
    await _sockets_after(painter)
    return session


@asynccontextmanager
async def _watching(gateway: Served, moments: list[Moment] | None) -> AsyncGenerator[None, None]:
    """Note the memory once a second until the block ends."""
    began_at = time.monotonic()

    async def watch(moments: list[Moment]) -> None:
        while True:
            held = await asyncio.to_thread(memory, gateway.pid)
            moments.append(Moment(time.monotonic() - began_at, held.rss_mib, held.pss_mib))
            await asyncio.sleep(_LOOK_S)

    watching = asyncio.create_task(watch(moments)) if moments is not None else None
    try:
        yield
    finally:
        if watching:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def painted(painter: Served) -> Painted:
    """Ask the painter what it has done since it was last asked."""

    def ask() -> Painted:
        with urllib.request.urlopen(f"http://127.0.0.1:{painter.port}{PAINTED}") as answer:
            return Painted(**orjson.loads(answer.read()))

    return await asyncio.to_thread(ask)


async def _sockets_after(painter: Served) -> int:
    """How many sockets are open at the painter once none is, or after a while."""
    seen = 0
    for _ in range(_LOOKS):
        if not (seen := (await painted(painter)).open_sockets):
            break
        await asyncio.sleep(_POLL_S)
    return seen
