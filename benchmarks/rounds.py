"""Rounds: every target in turn, again and again, so that a machine that slows down slows all of them."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.load import Load, run_load
from benchmarks.processes import cpu_s
from benchmarks.workloads import Target, Workload


@dataclass(frozen=True, slots=True)
class Figures:
    """What one target did under one workload, over all rounds."""

    target: str
    requests: int
    errors: int
    first_error: str
    first_p50_ms: float
    first_p99_ms: float
    total_p50_ms: float
    total_p99_ms: float
    total_mean_ms: float
    requests_per_s: float
    events_per_s: float
    cpu_s_per_1000: float
    """CPU seconds of the target's process tree for 1,000 requests."""
    first_p50_ms_by_round: list[float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One workload: the floor, which is the sandbox asked directly, and the others against it."""

    workload: Workload
    floor: Figures
    others: list[Figures]


async def compare(workload: Workload, targets: Sequence[Target], rounds: int) -> Comparison:
    """Run a workload against every target in turn, so many rounds. The first target is the floor.

    One short round before the first counts for nothing.
    """
    loads: list[list[Load]] = [[] for _ in targets]
    cpu = [0.0 for _ in targets]
    for target in targets:
        await _run(target, workload, requests=workload.streams)
    for _ in range(rounds):
        for i, target in enumerate(targets):
            before_s = cpu_s(target.served.pid)
            loads[i].append(await _run(target, workload, requests=workload.requests))
            cpu[i] += cpu_s(target.served.pid) - before_s
    floor, *others = [
        _figures(target.name, runs, used_s) for target, runs, used_s in zip(targets, loads, cpu, strict=True)
    ]
    return Comparison(workload, floor, others)


def spin_ms() -> float:
    """How long a fixed piece of work takes: differs only by what else the machine does."""
    began_at = time.perf_counter()
    total = 0
    for number in range(200_000):
        total += number
    return (time.perf_counter() - began_at) * 1000


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent of the values don't exceed; 0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


async def _run(target: Target, workload: Workload, *, requests: int) -> Load:
    return await run_load(
        target.served.port,
        target.ask(workload),
        streams=workload.streams,
        requests=requests,
        spread_s=workload.spread_s,
    )


def _figures(target: str, runs: Sequence[Load], used_s: float) -> Figures:
    samples = [sample for run in runs for sample in run.samples]
    errors = [error for run in runs for error in run.errors]
    first_ms = [sample.first_s * 1000 for sample in samples]
    total_ms = [sample.total_s * 1000 for sample in samples]
    elapsed_s = sum(run.elapsed_s for run in runs)
    return Figures(
        target=target,
        requests=len(samples),
        errors=len(errors),
        first_error=errors[0] if errors else "",
        first_p50_ms=percentile(first_ms, 50),
        first_p99_ms=percentile(first_ms, 99),
        total_p50_ms=percentile(total_ms, 50),
        total_p99_ms=percentile(total_ms, 99),
        total_mean_ms=statistics.fmean(total_ms) if total_ms else 0.0,
        requests_per_s=len(samples) / elapsed_s,
        events_per_s=sum(sample.events for sample in samples) / elapsed_s,
        cpu_s_per_1000=used_s / max(1, len(samples)) * 1000,
        first_p50_ms_by_round=[
            statistics.median(sample.first_s * 1000 for sample in run.samples) for run in runs if run.samples
        ],
    )
