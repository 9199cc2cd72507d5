"""What a run has found: tables to read, JSON to keep, and the bars."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.admin import Wait
from benchmarks.files import Cache, Serving, print_cache, print_servings
from benchmarks.hot_path import Verdict, judge, print_verdicts
from benchmarks.media import Media, print_media
from benchmarks.pages import Pages, print_pages
from benchmarks.pool import Choice
from benchmarks.processes import Memory
from benchmarks.recording import Recording, print_recording
from benchmarks.rounds import Comparison
from benchmarks.table import line, print_capacity, print_comparison
from benchmarks.wall import Filled, print_wall

CHOICE_BAR_US: Final = 20.0
"""Most that choosing an account may take, however many there are."""
CHOICE_BAR_RATIO: Final = 2.0
"""Most that it may take in the largest pool, as a multiple of the smallest."""
_FOLDER: Final = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Machine:
    """What the figures depend on, without naming the machine."""

    cores: int
    python: str
    load_before: float
    """Average number of processes that wanted a core in the minute before."""
    spin_ms: list[float]
    """How long the same piece of work took, again and again between the workloads."""

    @property
    def spread_percent(self) -> float:
        """How much slower the slowest was than the fastest."""
        return (max(self.spin_ms) / min(self.spin_ms) - 1) * 100


@dataclass(frozen=True, slots=True)
class Report:
    """One run."""

    at: datetime
    machine: Machine
    comparisons: list[Comparison]
    memory_before: Memory
    memory_after: Memory
    choices: list[Choice]
    waits: list[Wait] = field(default_factory=list)
    cache: Cache | None = None
    servings: list[Serving] = field(default_factory=list)
    media: Media = field(default_factory=Media)
    recording: Recording | None = None
    pages: Pages | None = None
    wall: list[Filled] = field(default_factory=list)

    @property
    def errors(self) -> int:
        """Replies that were not what they should be."""
        return sum(figures.errors for row in self.comparisons for figures in (row.floor, *row.others))

    @property
    def verdicts(self) -> list[Verdict]:
        """On the bars of a chat request's way."""
        return judge(self.comparisons)

    @property
    def meets_bar(self) -> bool:
        """Whether nothing took longer than its bar allows, and every reply was right."""
        is_quick = all(verdict.is_met for verdict in self.verdicts)
        waits = [*self.waits, *(self.cache.waits if self.cache else ())]
        is_right = not self.errors and self.choices_meet_bar and self.media.meets_bar
        is_light = all(row is None or row.meets_bar for row in (self.recording, self.pages, *self.wall))
        return is_quick and is_right and is_light and all(wait.meets_bar for wait in waits)

    @property
    def choices_meet_bar(self) -> bool:
        """Whether choosing an account is quick in every pool, and hardly slower in the largest."""
        times_us = [choice.choose_us for choice in self.choices]
        return not times_us or max(times_us) < min(CHOICE_BAR_US, CHOICE_BAR_RATIO * times_us[0])

    def as_json(self) -> str:
        """Everything, and the verdicts with it."""
        verdicts = [{**asdict(verdict), "is_met": verdict.is_met} for verdict in self.verdicts]
        judged = {"verdicts": verdicts, "meets_bar": self.meets_bar}
        return json.dumps({**asdict(self), **judged}, indent=2, default=str) + "\n"


def print_report(report: Report) -> None:
    """Print the tables and the bars."""
    _print_machine(report.machine)
    for row in report.comparisons:
        print_comparison(row)
    print_capacity(report.comparisons)
    before, after = report.memory_before, report.memory_after
    print("\nMemory of the gateway's process tree, MiB")
    print(f"  before the load   RSS {before.rss_mib:6.0f}   PSS {before.pss_mib:6.0f}")
    print(f"  after the load    RSS {after.rss_mib:6.0f}   PSS {after.pss_mib:6.0f}")
    _print_choices(report)
    _print_waits(report.waits)
    if report.cache:
        print_cache(report.cache)
    if report.servings:
        print_servings(report.servings)
    if report.recording:
        print_recording(report.recording)
    print_media(report.media)
    if report.pages:
        print_pages(report.pages)
    if report.wall:
        print_wall(report.wall)
    print_verdicts(report.verdicts)
    print(f"  wrong replies {report.errors:>61}   at most 0: {'MISSED' if report.errors else 'met'}")


def write_report(report: Report) -> Path:
    """Keep the run as JSON in `benchmarks/results/`; returns the file."""
    _FOLDER.mkdir(exist_ok=True)
    path = _FOLDER / f"{report.at:%Y-%m-%dT%H-%M-%S}.json"
    path.write_text(report.as_json())
    return path


def describe_machine(spins_ms: Sequence[float], load_before: float) -> Machine:
    """The machine, given what was measured of it."""
    return Machine(os.cpu_count() or 0, platform.python_version(), load_before, list(spins_ms))


def now() -> datetime:
    """The time of a run."""
    return datetime.now(UTC)


def _print_machine(machine: Machine) -> None:
    print(f"\n{machine.cores} cores, Python {machine.python}, load before the run {machine.load_before:.1f};", end=" ")
    print(f"noise: the same work took up to {machine.spread_percent:.0f} % longer between workloads")
    print("Times in ms. 'first': the first text has arrived. '/': as a multiple of. '+': more than the sandbox itself.")


def _print_choices(report: Report) -> None:
    if not report.choices:
        return
    print("\nChoosing an account (reserve and release)")
    print(line(("accounts", "us each", "build ms")))
    for choice in report.choices:
        print(line((f"{choice.accounts}", f"{choice.choose_us:.2f}", f"{choice.build_ms:.0f}")))
    verdict = "met" if report.choices_meet_bar else "MISSED"
    print(f"  bar: under {CHOICE_BAR_US:.0f} us, at most {CHOICE_BAR_RATIO:.0f} times the smallest pool: {verdict}")


def _print_waits(waits: Sequence[Wait]) -> None:
    if waits:
        print(f"\nThe admin API with {waits[0].items} accounts, ms")
        print(line(("", "median", "fastest", "slowest", "accounts/s", "bar")))
        for wait in waits:
            verdict = "" if wait.bar_ms is None else f"{wait.bar_ms:.0f} {'met' if wait.meets_bar else 'MISSED'}"
            times = (f"{time_ms:.0f}" for time_ms in (wait.median_ms, min(wait.times_ms), max(wait.times_ms)))
            print(line((wait.name, *times, f"{wait.items_per_s:.0f}", verdict)))
