"""What a run has found: a table to read, JSON to keep, and the bar."""

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
from benchmarks.media import Media, print_media
from benchmarks.pages import Pages, print_pages
from benchmarks.pool import Choice
from benchmarks.processes import Memory
from benchmarks.recording import Recording, print_recording
from benchmarks.rounds import Comparison, Figures

BAR_MS: Final = 5.0
"""Most that the gateway may add to the median time to first text at 1 stream."""
CHOICE_BAR_US: Final = 20.0
"""Most that choosing an account may take, however many there are."""
CHOICE_BAR_RATIO: Final = 2.0
"""Most that it may take in the largest pool, as a multiple of the smallest."""
_FOLDER: Final = Path(__file__).parent / "results"
_COLUMNS: Final = (
    "",
    "first p50",
    "p99",
    "total p50",
    "p99",
    "replies/s",
    "events/s",
    "CPU s/1000",
    "errors",
)
_WIDTHS: Final = (12, 11, 11, 11, 11, 11, 11, 12, 8)


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

    @property
    def errors(self) -> int:
        """Replies that were not what they should be."""
        return sum(figures.errors for row in self.comparisons for figures in (row.floor, *row.others))

    @property
    def added_ms(self) -> float | None:
        """What the gateway adds to the median time to first text at 1 stream; None when that was not run."""
        row = next((row for row in self.comparisons if row.workload.streams == 1), None)
        return row.others[0].first_p50_ms - row.floor.first_p50_ms if row else None

    @property
    def meets_bar(self) -> bool:
        """Whether nothing took longer than its bar allows, and every reply was right."""
        is_quick = self.added_ms is None or self.added_ms < BAR_MS
        waits = [*self.waits, *(self.cache.waits if self.cache else ())]
        is_right = not self.errors and self.choices_meet_bar and self.media.meets_bar
        is_light = all(row is None or row.meets_bar for row in (self.recording, self.pages))
        return is_quick and is_right and is_light and all(wait.meets_bar for wait in waits)

    @property
    def choices_meet_bar(self) -> bool:
        """Whether choosing an account is quick in every pool, and hardly slower in the largest."""
        times_us = [choice.choose_us for choice in self.choices]
        return not times_us or max(times_us) < min(CHOICE_BAR_US, CHOICE_BAR_RATIO * times_us[0])

    def as_json(self) -> str:
        """Everything, and the bar with it."""
        verdict = {"bar_ms": BAR_MS, "added_ms": self.added_ms, "meets_bar": self.meets_bar}
        return json.dumps({**asdict(self), **verdict}, indent=2, default=str) + "\n"


def print_report(report: Report) -> None:
    """Print the tables and the bar."""
    _print_machine(report.machine)
    for row in report.comparisons:
        _print_comparison(row)
    _print_capacity(report.comparisons)
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
    _print_bar(report)


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
    print("Times in ms. 'first': the first text of the answer has arrived. 'added': median minus the sandbox's own.")


def _print_comparison(row: Comparison) -> None:
    print(f"\n{row.workload.name} ({row.floor.requests} replies of 100 tokens each)")
    print(_line(_COLUMNS))
    for figures in (row.floor, *row.others):
        print(_line(_cells(figures)))
    for figures in row.others:
        print(_line(_added(figures, row.floor)))
        print(_line(_ratios(figures, row.floor)))
        if len(figures.first_p50_ms_by_round) > 1:
            by_round = _added_by_round(figures, row.floor)
            print(f"  first p50 added, round by round: {' '.join(f'{added:.2f}' for added in by_round)}")
        if figures.first_error:
            print(f"  first error: {figures.first_error}")


def _cells(figures: Figures) -> list[str]:
    return [
        figures.target,
        f"{figures.first_p50_ms:.2f}",
        f"{figures.first_p99_ms:.2f}",
        f"{figures.total_p50_ms:.2f}",
        f"{figures.total_p99_ms:.2f}",
        f"{figures.requests_per_s:.0f}",
        f"{figures.events_per_s:.0f}",
        f"{figures.cpu_s_per_1000:.2f}",
        str(figures.errors),
    ]


def _added(figures: Figures, floor: Figures) -> list[str]:
    return [
        "  added",
        f"{figures.first_p50_ms - floor.first_p50_ms:+.2f}",
        f"{figures.first_p99_ms - floor.first_p99_ms:+.2f}",
        f"{figures.total_p50_ms - floor.total_p50_ms:+.2f}",
        f"{figures.total_p99_ms - floor.total_p99_ms:+.2f}",
    ]


def _ratios(figures: Figures, floor: Figures) -> list[str]:
    pairs = (
        (figures.first_p50_ms, floor.first_p50_ms),
        (figures.first_p99_ms, floor.first_p99_ms),
        (figures.total_p50_ms, floor.total_p50_ms),
        (figures.total_p99_ms, floor.total_p99_ms),
        (figures.requests_per_s, floor.requests_per_s),
        (figures.events_per_s, floor.events_per_s),
        (figures.cpu_s_per_1000, floor.cpu_s_per_1000),
    )
    return ["  ratio", *(f"{ours / theirs:.3g}x" if theirs else "-" for ours, theirs in pairs)]


def _added_by_round(figures: Figures, floor: Figures) -> list[float]:
    return [
        ours - theirs for ours, theirs in zip(figures.first_p50_ms_by_round, floor.first_p50_ms_by_round, strict=False)
    ]


def _print_capacity(comparisons: Sequence[Comparison]) -> None:
    unpaced = [row for row in comparisons if not row.workload.pace_ms]
    if not unpaced:
        return
    best = max(unpaced, key=lambda row: row.floor.requests_per_s)
    most = max(figures.requests_per_s for row in unpaced for figures in row.others)
    print(
        f"\nThe sandbox and the load generator alone do {best.floor.requests_per_s:.0f} replies/s "
        f"({best.floor.events_per_s:.0f} frames/s), {best.floor.requests_per_s / most:.0f} times the gateway's best: "
        "they are not the bottleneck."
        if best.floor.requests_per_s > 2 * most
        else "\nThe sandbox or the load generator may be the bottleneck of this run."
    )


def _print_choices(report: Report) -> None:
    if not report.choices:
        return
    print("\nChoosing an account (reserve and release)")
    print(_line(("accounts", "us each", "build ms")))
    for choice in report.choices:
        print(_line((f"{choice.accounts}", f"{choice.choose_us:.2f}", f"{choice.build_ms:.0f}")))
    verdict = "met" if report.choices_meet_bar else "MISSED"
    print(f"  bar: under {CHOICE_BAR_US:.0f} us, at most {CHOICE_BAR_RATIO:.0f} times the smallest pool: {verdict}")


def _print_waits(waits: Sequence[Wait]) -> None:
    if waits:
        print(f"\nThe admin API with {waits[0].items} accounts, ms")
        print(_line(("", "median", "fastest", "slowest", "accounts/s", "bar")))
        for wait in waits:
            verdict = "" if wait.bar_ms is None else f"{wait.bar_ms:.0f} {'met' if wait.meets_bar else 'MISSED'}"
            times = (f"{time_ms:.0f}" for time_ms in (wait.median_ms, min(wait.times_ms), max(wait.times_ms)))
            print(_line((wait.name, *times, f"{wait.items_per_s:.0f}", verdict)))


def _print_bar(report: Report) -> None:
    if report.added_ms is None:
        return
    verdict = "met" if report.added_ms < BAR_MS and not report.errors else "MISSED"
    print(
        f"\nBar: median time to first text added at 1 stream < {BAR_MS:.0f} ms, no errors: "
        f"{report.added_ms:.2f} ms, {report.errors} errors: {verdict}"
    )


def _line(cells: Sequence[str]) -> str:
    first, *others = cells
    return f"  {first:<{_WIDTHS[0]}}" + "".join(
        f"{cell:>{width}}" for cell, width in zip(others, _WIDTHS[1:], strict=False)
    )
