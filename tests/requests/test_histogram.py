"""Percentiles of times in buckets."""

import math

from hypothesis import given
from hypothesis import strategies as st

from grok_app.requests.histogram import LONGEST_MS, Histogram

TIMES = st.lists(st.integers(0, 2 * LONGEST_MS), min_size=1, max_size=200)


@given(TIMES, st.floats(0.1, 100))
def test_a_percentile_is_within_five_per_cent(times_ms: list[int], percent: float) -> None:
    """Whatever the times: the nearest rank of what was counted, never more than 5 % beside it."""
    histogram = Histogram()
    for time_ms in times_ms:
        histogram.add(time_ms)
    counted = sorted(min(max(time_ms, 1), LONGEST_MS) for time_ms in times_ms)
    exact = counted[max(1, math.ceil(len(counted) * percent / 100)) - 1]
    [found] = histogram.percentiles((percent,))
    assert found is not None
    assert abs(found / exact - 1) < 0.05


@given(TIMES)
def test_it_stays_small(times_ms: list[int]) -> None:
    """However many and long the times, the buckets are few."""
    histogram = Histogram()
    for time_ms in times_ms:
        histogram.add(time_ms)
    assert len(vars(histogram)["_counts"]) <= min(len(times_ms), 160)


def test_of_nothing_there_is_no_percentile() -> None:
    """None, not zero."""
    assert Histogram().percentiles((50, 95)) == (None, None)
