"""How much more several processes carry than one, and what Redis has to do for it.

Streams of 100 tokens without pauses, against each installation in turn, round after round. All installations run all
the time; what the idle ones ask Redis for is measured first, and taken off.
"""

import asyncio
import re
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg
from redis import Redis

from benchmarks.installations import ALONE, ONE, POSTGRES, TWO_REPLICAS, TWO_WORKERS, Installation
from benchmarks.load import Load, run_load
from benchmarks.processes import Served, cpu_s
from benchmarks.rounds import percentile
from benchmarks.workloads import Workload, ask_gateway, ask_sandbox

CROWD: Final = Workload("64 streams", streams=64, requests=1280)
IDLE_S: Final = 10.0
_COMMAND: Final = re.compile(r"cmdstat_(.+)")
_SCRIPTS: Final = "evalsha"
_NOT_COUNTED: Final = ("info", "client", "hello", "config")
"""What we ask Redis ourselves, and how connections begin."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What works beside the servers on the same cores."""

    sandbox: Served
    redis: Served

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds of each so far."""
        return {
            "sandbox": cpu_s(self.sandbox.pid),
            "load generator": time.process_time(),
            "Redis": cpu_s(self.redis.pid),
            "PostgreSQL": _postgres_cpu_s(),
        }

    def commands(self) -> Counter[str]:
        """How often Redis has done what."""
        with Redis(port=self.redis.port) as redis:
            stats = redis.info("commandstats")
        names = {key: match[1] for key in stats if (match := _COMMAND.fullmatch(key))}
        return Counter({name: stats[key]["calls"] for key, name in names.items() if name not in _NOT_COUNTED})


@dataclass(slots=True)
class Carried:
    """What one installation has carried in all rounds."""

    name: str
    processes: int
    replies: int = 0
    errors: int = 0
    first_error: str = ""
    replies_per_s: list[float] = field(default_factory=list)
    """Round by round."""
    total_ms: list[float] = field(default_factory=list)
    """Of each reply."""
    cpu_s: float = 0.0
    """Of the server's whole process tree."""
    other_cpu_s: dict[str, float] = field(default_factory=dict)
    """Of what works beside it, in its rounds."""
    commands: Counter[str] = field(default_factory=Counter)
    """What Redis did for its requests."""

    @property
    def rate(self) -> float:
        """Replies per second, the median of the rounds."""
        return statistics.median(self.replies_per_s)

    def per_1000(self, amount: float) -> float:
        """An amount of all rounds, for 1,000 replies."""
        return amount / max(1, self.replies) * 1000

    def as_json(self) -> dict[str, object]:
        """What is kept of it."""
        return {
            "name": self.name,
            "processes": self.processes,
            "replies": self.replies,
            "errors": self.errors,
            "first_error": self.first_error,
            "replies_per_s": self.rate,
            "replies_per_s_by_round": self.replies_per_s,
            "total_p50_ms": percentile(self.total_ms, 50),
            "total_p99_ms": percentile(self.total_ms, 99),
            "cpu_s_per_1000": self.per_1000(self.cpu_s),
            "other_cpu_s_per_1000": {name: self.per_1000(used) for name, used in self.other_cpu_s.items()},
            "redis_commands_per_request": {
                name: calls / max(1, self.replies) for name, calls in self.commands.most_common()
            },
        }


@dataclass(frozen=True, slots=True)
class Scaling:
    """All installations."""

    floor_per_s: float
    """Replies per second of the sandbox alone: what it and the load generator can do."""
    idle_s: float
    idle_commands: Counter[str]
    """What Redis was asked for in that time, while nobody asked the gateways for anything."""
    idle_processes: int
    """Which shared Redis meanwhile."""
    carried: list[Carried]

    def rate(self, name: str) -> float:
        """Replies per second of this installation."""
        return next(row.rate for row in self.carried if row.name == name)

    def ratio(self, name: str, other: str) -> float:
        """How much more one has carried than another: the median over the rounds, in which they were neighbours."""
        ours, theirs = (next(row.replies_per_s for row in self.carried if row.name == it) for it in (name, other))
        return statistics.median(one / two for one, two in zip(ours, theirs, strict=True))

    @property
    def idle_per_process(self) -> dict[str, float]:
        """Commands per second."""
        per = self.idle_s * self.idle_processes
        return {name: calls / per for name, calls in self.idle_commands.most_common()}

    @property
    def errors(self) -> int:
        """Replies that were not what they should be."""
        return sum(row.errors for row in self.carried)


async def measure_scaling(
    installations: Sequence[Installation], surroundings: Surroundings, rounds: int, workload: Workload = CROWD
) -> Scaling:
    """Run the workload against each of them, so many rounds. One short round before the first counts for nothing."""
    for installation in installations:
        await _ask(installation, workload, requests=2 * workload.streams)
    before = surroundings.commands()
    await asyncio.sleep(IDLE_S)
    idle = _news(surroundings, before)
    carried = [Carried(installation.kind.name, installation.processes) for installation in installations]
    for _ in range(rounds):
        for installation, row in zip(installations, carried, strict=True):
            await _run_round(installation, workload, surroundings, row, idle)
    floor = await run_load(
        surroundings.sandbox.port, ask_sandbox(workload), streams=workload.streams, requests=4 * workload.requests
    )
    sharing = sum(installation.processes for installation in installations if installation.kind.has_redis)
    return Scaling(len(floor.samples) / floor.elapsed_s, IDLE_S, idle, sharing, carried)


async def _run_round(
    installation: Installation, workload: Workload, surroundings: Surroundings, row: Carried, idle: Counter[str]
) -> None:
    used_s, others_s = _used_s(installation), surroundings.cpu_s()
    commands, began_at = surroundings.commands(), time.perf_counter()
    load = await _ask(installation, workload, requests=workload.requests)
    row.commands += _without(_news(surroundings, commands), idle, time.perf_counter() - began_at)
    row.cpu_s += _used_s(installation) - used_s
    for name, used in surroundings.cpu_s().items():
        row.other_cpu_s[name] = row.other_cpu_s.get(name, 0.0) + used - others_s[name]
    row.replies += len(load.samples)
    row.errors += len(load.errors)
    row.first_error = row.first_error or next(iter(load.errors), "")
    row.replies_per_s.append(len(load.samples) / load.elapsed_s)
    row.total_ms += [sample.total_s * 1000 for sample in load.samples]


async def _ask(installation: Installation, workload: Workload, *, requests: int) -> Load:
    """Ask all replicas at once, each over its share of the streams."""
    share = len(installation.replicas)
    loads = await asyncio.gather(
        *(
            run_load(replica.port, ask_gateway(workload), streams=workload.streams // share, requests=requests // share)
            for replica in installation.replicas
        )
    )
    return Load(
        [sample for load in loads for sample in load.samples],
        [error for load in loads for error in load.errors],
        max(load.elapsed_s for load in loads),
    )


def print_scaling(scaling: Scaling) -> None:
    """Print the tables."""
    print(f"\nStreams of 100 tokens without pauses, {CROWD.streams} at once, in {_rounds(scaling)} rounds in turn")
    print(f"  {'':<20}{'replies/s':>11}{'p50 ms':>9}{'p99 ms':>9}{'CPU s/1000':>12}{'errors':>8}   round by round")
    for row in scaling.carried:
        times = f"{percentile(row.total_ms, 50):9.0f}{percentile(row.total_ms, 99):9.0f}"
        by_round = " ".join(f"{rate:.0f}" for rate in row.replies_per_s)
        print(f"  {row.name:<20}{row.rate:11.0f}{times}{row.per_1000(row.cpu_s):12.2f}{row.errors:8}   {by_round}")
        if row.first_error:
            print(f"    first error: {row.first_error}")
    for ours, theirs in ((ONE, ALONE), (TWO_WORKERS, ONE), (TWO_REPLICAS, ONE)):
        print(f"  {ours.name} / {theirs.name}: {scaling.ratio(ours.name, theirs.name):.2f}")
    print(f"  the sandbox and the load generator alone: {scaling.floor_per_s:.0f} replies/s")
    print("\nCPU seconds for 1,000 replies of what works beside them on the same cores")
    for row in scaling.carried:
        used = "   ".join(f"{name} {row.per_1000(used):.2f}" for name, used in row.other_cpu_s.items())
        print(f"  {row.name:<20} {used}")
    print("\nRedis commands for one request, idle ones taken off: calls of scripts, and what happens in them")
    for row in scaling.carried:
        print(
            f"  {row.name:<20} {_listed((name, calls / max(1, row.replies)) for name, calls in _calls(row.commands))}"
        )
    print(f"Redis commands per second of an idle process\n  {'':<20} {_listed(scaling.idle_per_process.items())}")


def _rounds(scaling: Scaling) -> int:
    return len(scaling.carried[0].replies_per_s)


def _calls(commands: Counter[str]) -> list[tuple[str, int]]:
    return sorted(commands.items(), key=lambda it: (it[0] != _SCRIPTS, -it[1]))


def _listed(amounts: Iterable[tuple[str, float]]) -> str:
    return ", ".join(f"{name} {amount:.2f}" for name, amount in amounts if amount >= 0.005) or "none"


def _used_s(installation: Installation) -> float:
    return sum(cpu_s(replica.pid) for replica in installation.replicas)


def _news(surroundings: Surroundings, before: Counter[str]) -> Counter[str]:
    return surroundings.commands() - before


def _without(commands: Counter[str], idle: Counter[str], elapsed_s: float) -> Counter[str]:
    return commands - Counter({name: round(calls * elapsed_s / IDLE_S) for name, calls in idle.items()})


def _postgres_cpu_s() -> float:
    """CPU seconds of the database's processes that live now; 0 where they are on another machine."""
    with psycopg.connect(f"{POSTGRES}/postgres") as connection:
        pids = [pid for (pid,) in connection.execute("SELECT pid FROM pg_stat_activity")]
    return sum(cpu_s(pid) for pid in pids if Path(f"/proc/{pid}/comm").exists())
