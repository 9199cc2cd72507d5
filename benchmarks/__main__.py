"""`python -m benchmarks`: start sandbox, gateway and relays, run every workload against each, print and keep it."""

import argparse
import os
import signal
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import uvloop

from benchmarks.admin import ACCOUNTS, Wait, measure_admin
from benchmarks.files import Cache, Serving, find_missing, make_files, measure_cache, measure_serving
from benchmarks.hot_path import GATEWAY, LEANEST, PLAIN
from benchmarks.media import NAMES, measure_media
from benchmarks.pages import NAME as PAGES
from benchmarks.pages import Pages, measure_pages
from benchmarks.pool import SIZES, measure_choice
from benchmarks.processes import memory, start_gateway, start_relay, start_sandbox
from benchmarks.recording import ROWS, Recording, measure_recording
from benchmarks.report import Report, describe_machine, now, print_report, write_report
from benchmarks.rounds import Comparison, compare, spin_ms
from benchmarks.wall import NAME as WALL
from benchmarks.wall import Filled, measure_wall
from benchmarks.workloads import WORKLOADS, Target, Workload, ask_gateway, ask_sandbox

_ACCOUNTS: Final = 500
"""Their quota of 80 each is more than a run asks for."""
_SPINS: Final = 5
_ADMIN: Final = "admin"
_FILES: Final = "files"
_REQUESTS: Final = "requests"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks; returns the exit code."""
    options = _parse(arguments)
    signal.signal(signal.SIGTERM, _interrupt)  # so that the servers end with us
    load_before = os.getloadavg()[0]
    workloads = [row for row in WORKLOADS if options.only in row.name]
    with (
        tempfile.TemporaryDirectory(prefix="grok-app-bench-") as folder,
        start_sandbox() as sandbox,
        start_gateway(Path(folder), sandbox, _ACCOUNTS) as gateway,
        start_relay(PLAIN, sandbox) as plain,
        start_relay(LEANEST, sandbox) as leanest,
    ):
        print(f"The gateway is ready (pid {gateway.pid}, port {gateway.port}). Measuring ...", flush=True)
        before = memory(gateway.pid)
        targets = (
            Target("sandbox", sandbox, ask_sandbox),
            Target(GATEWAY, gateway, ask_gateway),
            Target(PLAIN, plain, ask_gateway),
            Target(LEANEST, leanest, ask_gateway),
        )
        comparisons, spins_ms = uvloop.run(_compare_all(workloads, targets, options.rounds))
        after = memory(gateway.pid)
    waits = _measure_admin() if options.only in _ADMIN else []
    cache, servings = _measure_files(options.rounds) if options.only in _FILES else (None, [])
    choices = [measure_choice(size) for size in SIZES] if not options.only else []
    recording = _measure_recording(options.only)
    media = measure_media(options.only, options.rounds)
    pages = _measure_pages(options.rounds) if options.only == PAGES else None
    wall = _measure_wall() if options.only == WALL else []
    machine = describe_machine([*spins_ms, _spin_ms()], load_before)
    report = Report(
        now(), machine, comparisons, before, after, choices, waits, cache, servings, media, recording, pages, wall
    )
    print_report(report)
    print(f"Kept in {write_report(report).relative_to(Path(__file__).parents[1])}")
    return 1 if options.check and not report.meets_bar else 0


async def _compare_all(
    workloads: Sequence[Workload], targets: Sequence[Target], rounds: int
) -> tuple[list[Comparison], list[float]]:
    comparisons: list[Comparison] = []
    spins_ms = [_spin_ms()]
    for workload in workloads:
        print(f"  {workload.name} ...", flush=True)
        comparisons.append(await compare(workload, targets, rounds))
        spins_ms.append(_spin_ms())
    return comparisons, spins_ms


def _measure_admin() -> list[Wait]:
    print(f"  {_ADMIN} ...", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="grok-app-bench-") as folder,
        start_sandbox() as sandbox,
        start_gateway(Path(folder), sandbox, ACCOUNTS) as gateway,
    ):
        return measure_admin(gateway)


def _measure_files(rounds: int) -> tuple[Cache, list[Serving]]:
    print(f"  {_FILES} ...", flush=True)
    with tempfile.TemporaryDirectory(prefix="grok-app-bench-") as folder, start_sandbox() as sandbox:
        data_dir = Path(folder)
        make_files(data_dir)
        with start_gateway(data_dir, sandbox, accounts=1) as gateway:
            cache = measure_cache(gateway, data_dir)
            if missing := find_missing():
                print(f"  not installed: {', '.join(missing)}; serving isn't measured")
                return cache, []
            return cache, measure_serving(gateway, data_dir, rounds)


def _measure_recording(only: str) -> Recording | None:
    """A million rows take minutes, so they are made only when they are asked for."""
    if only not in ("", _REQUESTS):
        return None
    return measure_recording(rows=ROWS if only else 0)


def _measure_pages(rounds: int) -> Pages:
    print(f"  {PAGES} ...", flush=True)
    return measure_pages(rounds=rounds)


def _measure_wall() -> list[Filled]:
    print(f"  {WALL} ...", flush=True)
    return measure_wall()


def _spin_ms() -> float:
    return statistics.median(spin_ms() for _ in range(_SPINS))


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit with 1 when the bar is missed or a reply is wrong")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each workload (default: 5)")
    parser.add_argument(
        "--only",
        default="",
        metavar="TEXT",
        help="only workloads with this in their name, or only the admin API (admin), or the files (files); "
        f"and what is measured only when it is named: {', '.join((*NAMES, _REQUESTS, PAGES, WALL))}",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
