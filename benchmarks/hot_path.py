"""The bars of a chat request's way through the gateway, judged by what all targets did in the same rounds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.rounds import Comparison, Figures
from benchmarks.workloads import CROWD_PACED, ONE, SIXTEEN, SIXTEEN_PACED

GATEWAY: Final = "gateway"
PLAIN: Final = "plain"
LEANEST: Final = "leanest"
_MOST_OF_PLAIN: Final = 0.7
_MOST_OF_LEANEST: Final = 2.0
_FIRST_AT_ONE_MS: Final = 3.0
_FIRST_OF_SIXTEEN_MS: Final = 10.0
_LEAST_DELIVERED: Final = 240.0
_LATE_MS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """One bar, and what was measured."""

    name: str
    measured: float
    limit: float
    is_least: bool = False
    """Whether the limit is the least that is wanted, else the most."""

    @property
    def is_met(self) -> bool:
        """Whether it is good enough."""
        return self.measured >= self.limit if self.is_least else self.measured <= self.limit


def judge(comparisons: Sequence[Comparison]) -> list[Verdict]:
    """The verdict on every bar whose workload and targets were run."""
    rows = {row.workload: row for row in comparisons}
    return [
        verdict
        for workload, verdicts in _BARS
        if (row := rows.get(workload)) and (gateway := _find(row, GATEWAY))
        for verdict in verdicts(row, gateway)
    ]


def print_verdicts(verdicts: Sequence[Verdict]) -> None:
    """Print a line for each bar."""
    if verdicts:
        print("\nBars")
    for row in verdicts:
        sign, verdict = "at least" if row.is_least else "at most", "met" if row.is_met else "MISSED"
        print(f"  {row.name:<66} {row.measured:8.2f}   {sign} {row.limit:g}: {verdict}")


def _find(row: Comparison, name: str) -> Figures | None:
    return next((figures for figures in row.others if figures.target == name), None)


def _judge_cpu(row: Comparison, gateway: Figures) -> Iterator[Verdict]:
    for name, limit in ((PLAIN, _MOST_OF_PLAIN), (LEANEST, _MOST_OF_LEANEST)):
        if (relay := _find(row, name)) and relay.cpu_s_per_1000:
            ratio = gateway.cpu_s_per_1000 / relay.cpu_s_per_1000
            yield Verdict(f"{row.workload.name}: CPU of a reply, as a multiple of the {name} relay's", ratio, limit)


def _judge_first(row: Comparison, gateway: Figures) -> Iterator[Verdict]:
    added_ms = gateway.first_p50_ms - row.floor.first_p50_ms
    yield Verdict(f"{row.workload.name}: first text over the floor, p50, ms", added_ms, _FIRST_AT_ONE_MS)


def _judge_slowest_first(row: Comparison, gateway: Figures) -> Iterator[Verdict]:
    added_ms = gateway.first_p99_ms - row.floor.first_p99_ms
    yield Verdict(f"{row.workload.name}: first text over the floor, p99, ms", added_ms, _FIRST_OF_SIXTEEN_MS)


def _judge_crowd(row: Comparison, gateway: Figures) -> Iterator[Verdict]:
    # Each stream asks again the moment it is answered, so their number over the time of a reply is the rate.
    delivered = row.workload.streams / gateway.total_mean_ms * 1000 if gateway.total_mean_ms else 0.0
    yield Verdict(f"{row.workload.name}: replies/s", delivered, _LEAST_DELIVERED, is_least=True)
    late_ms = gateway.total_p99_ms - row.workload.ideal_s * 1000
    yield Verdict(f"{row.workload.name}: whole reply over Grok's own pace, p99, ms", late_ms, _LATE_MS)


_BARS: Final = (
    (SIXTEEN, _judge_cpu),
    (ONE, _judge_first),
    (SIXTEEN_PACED, _judge_slowest_first),
    (CROWD_PACED, _judge_crowd),
)
