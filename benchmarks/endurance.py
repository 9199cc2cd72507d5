"""`python -m benchmarks.endurance`: a mixed load for half an hour, after which the gateway must be as it was before.

Memory, open files, tasks of the event loop and leases are looked at when nothing is asked: after a first part of the
time, in which caches fill, and in the end. How long a chat takes is compared with what the sandbox itself takes at the
same time, so that a busy machine makes no difference.
"""

import argparse
import asyncio
import itertools
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import uvloop

from benchmarks.errands import PUBLIC_KEY, Errand, ask_plainly, ask_sandbox_plainly, make_errands
from benchmarks.processes import API_KEY, Served, memory, open_files, start_drawing, start_gateway
from benchmarks.soak import SETTINGS, open_calls, settled
from benchmarks.watched import Held, ask_held

MINUTES: Final = 30.0
WARM_UP: Final = 0.3
"""The part of the time in which caches fill."""
MOST_GROWTH: Final = 0.10
MOST_SLOWER: Final = 2.0
"""Of the last minute against the first one, each as a multiple of the sandbox's own time. Medians of a minute differ by
less than a third on a machine that is busy with other things."""
_KEPT: Final = 8
"""So many connections and tasks may be kept for the next time."""
_CALLERS: Final = 6
_PAUSE_S: Final = 0.05
"""Of a caller between two errands: the machine has others to serve."""
_SAMPLE_S: Final = 0.5
_WINDOW_S: Final = 60.0
_TIMEOUT_S: Final = 60.0
_ACCOUNTS: Final = 1000
_OPEN: Final = {
    "app.public_key": PUBLIC_KEY,
    "app.public_enabled": "true",
    "public.requests_per_minute": "100000",
    "public.max_runs_per_address": "1000",
    "token.auto_refresh": "false",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment under load."""

    at_s: float
    pss_mib: float
    gateway_s: float
    """What a chat took."""
    sandbox_s: float
    """What it took without the gateway."""


@dataclass(frozen=True, slots=True)
class Rest:
    """What the gateway holds when nothing is asked."""

    pss_mib: float
    open_files: int
    held: Held
    calls: int
    """Open at the sandbox."""
    parts: int
    """Half-written files in the cache."""


@dataclass(slots=True)
class Endurance:
    """What came of it."""

    outcomes: Counter[str] = field(default_factory=Counter)
    surprises: Counter[str] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)
    """Without the warming up."""
    rests: list[Rest] = field(default_factory=list)
    """After the warming up, and in the end."""

    @property
    def growth(self) -> float:
        """What memory grew by, as a share: under load the last third against the first, or at rest if that is less."""
        under_load = [sample.pss_mib for sample in self.samples]
        third = max(1, len(under_load) // 3)
        loaded = statistics.median(under_load[-third:]) / statistics.median(under_load[:third]) - 1
        return min(loaded, self.rests[1].pss_mib / self.rests[0].pss_mib - 1)

    @property
    def slowdowns(self) -> tuple[float, float]:
        """How much longer than the sandbox's own a chat took, in the first minute and in the last one."""
        first_s, last_s = self.samples[0].at_s, self.samples[-1].at_s
        window_s = min(_WINDOW_S, (last_s - first_s) / 2)
        return (
            _slowdown([sample for sample in self.samples if sample.at_s <= first_s + window_s]),
            _slowdown([sample for sample in self.samples if sample.at_s >= last_s - window_s]),
        )

    @property
    def faults(self) -> list[str]:
        """What is not as it should be."""
        before, after = self.rests
        first, last = self.slowdowns
        found = {
            f"{self.surprises.total()} ended as they should not: {dict(self.surprises)}": bool(self.surprises),
            f"memory grew by {self.growth:.1%}": self.growth > MOST_GROWTH,
            f"chats take {last / first:.2f} times as long": last > first * MOST_SLOWER,
            f"{after.open_files - before.open_files} more open files": after.open_files > before.open_files + _KEPT,
            f"{after.held.tasks - before.held.tasks} more tasks": after.held.tasks > before.held.tasks + _KEPT,
            "an account is still on lease": after.held.is_lending,
            f"{after.calls} calls are still open at Grok": after.calls > 0,
            f"{after.parts} half-written files": after.parts > 0,
        }
        return [fault for fault, is_there in found.items() if is_there]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it and print what came of it; returns 1 when the gateway isn't as it was."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.endurance", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="how long, %(default)g by default")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the servers end with us
    with tempfile.TemporaryDirectory(prefix="grok-app-soak-") as folder, servers(Path(folder)) as (sandbox, gateway):
        result = endure(gateway, sandbox, Path(folder), options.minutes * 60)
    print_endurance(result)
    return 1 if result.faults else 0


@contextmanager
def servers(data_dir: Path) -> Iterator[tuple[Served, Served]]:
    """A sandbox and a gateway that can be asked what it holds, until the block ends."""
    with (
        start_drawing(is_paced=False) as sandbox,
        start_gateway(data_dir, sandbox, _ACCOUNTS, SETTINGS | _OPEN, module="benchmarks.watched") as gateway,
    ):
        yield sandbox, gateway


def endure(gateway: Served, sandbox: Served, data_dir: Path, seconds: float) -> Endurance:
    """Load the gateway for so long."""
    result = Endurance()
    for part_s in (seconds * WARM_UP, seconds * (1 - WARM_UP)):
        result.samples.clear()
        uvloop.run(_load(gateway, sandbox, part_s, result))
        result.rests.append(_rest(gateway, sandbox, data_dir, result))
    return result


def print_endurance(result: Endurance) -> None:
    """Print a table, and the verdict."""
    print(f"\nA mixed load by {_CALLERS} callers: {result.outcomes.total()} errands")
    for name, count in sorted(result.outcomes.items()):
        print(f"  {name:<32} {count:6}{'   not wanted' if name in result.surprises else ''}")
    print(f"\n  {'':20} {'before':>10} {'after':>10}")
    before, after = result.rests
    for name, values in {
        "memory at rest, MiB": (before.pss_mib, after.pss_mib),
        "open files": (before.open_files, after.open_files),
        "tasks": (before.held.tasks, after.held.tasks),
        "calls at Grok": (before.calls, after.calls),
        "half-written files": (before.parts, after.parts),
        "chat / sandbox": result.slowdowns,
    }.items():
        print(f"  {name:<20} {values[0]:>10.4g} {values[1]:>10.4g}")
    print(f"  memory grew by {result.growth:.1%}; bar {MOST_GROWTH:.0%}")
    print("  Flat." if not result.faults else "  NOT FLAT: " + "; ".join(result.faults))


async def _load(gateway: Served, sandbox: Served, seconds: float, result: Endurance) -> None:
    """Let callers go on errands for so long, and look at the gateway meanwhile."""
    deadline = time.monotonic() + seconds
    numbers = itertools.count()
    errands = make_errands()
    headers = {"authorization": f"Bearer {API_KEY}"}
    url = f"http://127.0.0.1:{gateway.port}"
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=_TIMEOUT_S, trust_env=False) as http:

        async def keep_asking() -> None:
            while time.monotonic() < deadline:
                number = next(numbers)
                await _go(http, errands[number % len(errands)], number, result)
                await asyncio.sleep(_PAUSE_S)

        async with asyncio.TaskGroup() as group:
            for _ in range(_CALLERS):
                group.create_task(keep_asking())
            group.create_task(_keep_looking(http, gateway, sandbox, deadline, result))


async def _go(http: httpx.AsyncClient, errand: Errand, number: int, result: Endurance) -> None:
    try:
        ended = await errand.run(http, number)
    except httpx.HTTPError as error:
        ended = type(error).__name__
    outcome = f"{errand.name}: {ended}"
    result.outcomes[outcome] += 1
    if ended not in errand.ends:
        result.surprises[outcome] += 1


async def _keep_looking(
    http: httpx.AsyncClient, gateway: Served, sandbox: Served, deadline: float, result: Endurance
) -> None:
    while (now := time.monotonic()) < deadline:
        began_at = time.perf_counter()
        await ask_plainly(http)
        between = time.perf_counter()
        await ask_sandbox_plainly(http, sandbox)
        sandbox_s = time.perf_counter() - between
        pss_mib = (await asyncio.to_thread(memory, gateway.pid)).pss_mib
        result.samples.append(Sample(now, pss_mib, between - began_at, sandbox_s))
        await asyncio.sleep(_SAMPLE_S)


def _rest(gateway: Served, sandbox: Served, data_dir: Path, result: Endurance) -> Rest:
    """Wait until the gateway is as it was the last time, or for a while."""
    calls = settled(lambda: open_calls(sandbox), 0)
    last = result.rests[-1] if result.rests else None
    tasks = last.held.tasks if last else 0
    settled(lambda: ask_held(gateway, data_dir).tasks, tasks)
    held = ask_held(gateway, data_dir)
    parts = len(list((data_dir / "media").rglob("*.part")))
    return Rest(memory(gateway.pid).pss_mib, open_files(gateway.pid), held, calls, parts)


def _slowdown(samples: Sequence[Sample]) -> float:
    gateway_s = statistics.median(sample.gateway_s for sample in samples)
    return gateway_s / statistics.median(sample.sandbox_s for sample in samples)


if __name__ == "__main__":
    sys.exit(main())
