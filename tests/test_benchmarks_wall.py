"""The wall of pictures is measured in a browser, and held against its bars; how fast it is is not tested."""

from dataclasses import replace

import pytest

from benchmarks.wall import Filled, Filling, measure_wall, print_wall

REAL, FAST = Filling("real", "ws", 100, 1, 6.0), Filling("fast", "ws", 100, 1, 0.3)
FOUND = Filled(REAL, painter_s=10.0, wall_s=10.9, heap_mb=59.0, longest_frame_ms=99.0)


@pytest.mark.timeout(300)  # a server, a painter, a browser
@pytest.mark.parametrize("way", ["ws", "sse"])
def test_the_wall_is_watched_while_it_fills(way: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A few pictures are enough to see that each was there, and when."""
    [row] = measure_wall((Filling("a few", way, pictures=8, runs=2, batch_s=0.6),))
    print_wall([row])

    assert 0 < row.painter_s < row.wall_s + 0.05
    assert row.heap_mb > 1
    assert row.longest_frame_ms > 0
    assert f"8 by {way}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("found", "is_met"),
    [
        (FOUND, True),
        (replace(FOUND, wall_s=11.1), False),
        (replace(FOUND, heap_mb=61.0), False),
        (replace(FOUND, longest_frame_ms=101.0), False),
        (replace(FOUND, longest_frame_ms=101.0, filling=FAST), True),
    ],
    ids=["met", "late", "large", "jerky", "faster than Grok"],
)
def test_each_bar_counts(found: Filled, is_met: bool) -> None:
    """One that is missed spoils the run."""
    assert found.meets_bar is is_met
