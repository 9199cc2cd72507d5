"""Times in buckets, each a tenth wider than the one before: percentiles within 5 %, in a few hundred bytes."""

import math
from collections import Counter
from collections.abc import Iterable
from typing import Final

_GROWTH: Final = 1.1
_LOG: Final = math.log(_GROWTH)
LONGEST_MS: Final = 3_600_000
"""Longer times count as an hour."""


class Histogram:
    """How many times fell into each bucket; there are 160 of them at most."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, time_ms: int) -> None:
        """Count a time; less than a millisecond counts as one."""
        self._counts[int(math.log(min(max(time_ms, 1), LONGEST_MS)) / _LOG)] += 1

    def percentiles(self, wanted: Iterable[float]) -> tuple[float | None, ...]:
        """The smallest time that so many per cent don't exceed, by nearest rank; None for each when there is none."""
        total = self._counts.total()
        return tuple(self._at(max(1, math.ceil(total * percent / 100))) if total else None for percent in wanted)

    def _at(self, rank: int) -> float:
        passed = 0
        for bucket in sorted(self._counts):
            passed += self._counts[bucket]
            if passed >= rank:
                return math.exp((bucket + 0.5) * _LOG)  # its middle, as ratios go
        raise AssertionError("the rank is at most the number of times")
