"""The tables of a run: one for each workload, a line for each target, what it adds to the floor, its ratios."""

from collections.abc import Sequence
from typing import Final

from benchmarks.rounds import Comparison, Figures

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


def print_comparison(row: Comparison) -> None:
    """Print one workload."""
    print(f"\n{row.workload.name} ({row.floor.requests} replies of 100 tokens each)")
    print(line(_COLUMNS))
    for figures in (row.floor, *row.others):
        print(line(_cells(figures)))
    ours, *relays = row.others
    for relay in (row.floor, *relays):
        print(line(_ratios(ours, relay)))
    for figures in row.others:
        print(line(_added(figures, row.floor)))
        if len(figures.first_p50_ms_by_round) > 1:
            by_round = _added_by_round(figures, row.floor)
            print(f"    first p50, round by round: {' '.join(f'{added:.2f}' for added in by_round)}")
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
        f"  {figures.target} +",
        f"{figures.first_p50_ms - floor.first_p50_ms:+.2f}",
        f"{figures.first_p99_ms - floor.first_p99_ms:+.2f}",
        f"{figures.total_p50_ms - floor.total_p50_ms:+.2f}",
        f"{figures.total_p99_ms - floor.total_p99_ms:+.2f}",
    ]


def _ratios(figures: Figures, other: Figures) -> list[str]:
    """The first target's figures as multiples of another's."""
    pairs = (
        (figures.first_p50_ms, other.first_p50_ms),
        (figures.first_p99_ms, other.first_p99_ms),
        (figures.total_p50_ms, other.total_p50_ms),
        (figures.total_p99_ms, other.total_p99_ms),
        (figures.requests_per_s, other.requests_per_s),
        (figures.events_per_s, other.events_per_s),
        (figures.cpu_s_per_1000, other.cpu_s_per_1000),
    )
    return [f"  / {other.target}", *(f"{ours / theirs:.3g}x" if theirs else "-" for ours, theirs in pairs)]


def _added_by_round(figures: Figures, floor: Figures) -> list[float]:
    return [
        ours - theirs for ours, theirs in zip(figures.first_p50_ms_by_round, floor.first_p50_ms_by_round, strict=False)
    ]


def print_capacity(comparisons: Sequence[Comparison]) -> None:
    """Print what the sandbox and the load generator can do, and whether that is enough to measure the others."""
    unpaced = [row for row in comparisons if not row.workload.pace_ms]
    if not unpaced:
        return
    best = max((row.floor for row in unpaced), key=lambda floor: floor.requests_per_s)
    most = max(figures.requests_per_s for row in unpaced for figures in row.others)
    if best.requests_per_s <= 2 * most:
        print("\nThe sandbox or the load generator may be the bottleneck of this run.")
        return
    print(
        f"\nThe sandbox and the load generator alone do {best.requests_per_s:.0f} replies/s "
        f"({best.events_per_s:.0f} frames/s), {best.requests_per_s / most:.0f} times the best of the others: "
        "they are not the bottleneck."
    )


def line(cells: Sequence[str]) -> str:
    """One line of a table."""
    first, *others = cells
    return f"  {first:<{_WIDTHS[0]}}" + "".join(
        f"{cell:>{width}}" for cell, width in zip(others, _WIDTHS[1:], strict=False)
    )
