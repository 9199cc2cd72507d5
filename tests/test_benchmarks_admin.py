"""What an operator waits for is measured, and held against its bars; how fast anything is is not tested here."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.admin import Wait, measure_admin
from benchmarks.files import Cache, Serving, make_files, measure_cache
from benchmarks.pool import Choice
from benchmarks.processes import Memory, start_gateway, start_sandbox
from benchmarks.report import Report, describe_machine, now, print_report


def test_every_row_is_measured_at_a_real_gateway(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A few accounts are enough to see that each thing was done, and that the table shows it."""
    with start_sandbox() as sandbox, start_gateway(tmp_path, sandbox, accounts=3) as gateway:
        waits = measure_admin(gateway, accounts=3, repeats=2)
    print_report(_report(waits))

    assert {wait.name: len(wait.times_ms) for wait in waits} == {"list": 4, "replace": 2, "the same": 2, "refresh": 1}
    assert all(time_ms > 0 for wait in waits for time_ms in wait.times_ms)
    assert "with 3 accounts" in capsys.readouterr().out


@pytest.mark.parametrize(("bar_ms", "is_met"), [(21, True), (20, False), (None, True)], ids=["met", "missed", "no bar"])
def test_the_median_decides_about_the_bar(bar_ms: float | None, is_met: bool) -> None:
    """One slow answer spoils nothing; a bar that is missed spoils the run."""
    report = _report([Wait("list", 1, [10, 20, 1000], bar_ms)])
    assert report.meets_bar is is_met


@pytest.mark.parametrize(
    ("times_us", "is_met"),
    [((4.0, 7.9), True), ((4.0, 8.1), False), ((15.0, 21.0), False), ((), True)],
    ids=["met", "grows", "slow", "not measured"],
)
def test_a_choice_must_be_quick_in_every_pool(times_us: tuple[float, ...], is_met: bool) -> None:
    """Under 20 µs, and in the largest pool at most twice as long as in the smallest."""
    choices = [Choice(number, choose_us, 0) for number, choose_us in enumerate(times_us)]
    assert _report([], choices).meets_bar is is_met


def _report(waits: list[Wait], choices: Sequence[Choice] = ()) -> Report:
    memory = Memory(rss_mib=1, pss_mib=1)
    return Report(now(), describe_machine([1.0], 0.5), [], memory, memory, list(choices), waits)


def test_a_large_cache_is_measured_at_a_real_gateway(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A few files are enough to see that each thing was asked for, and that the table shows it."""
    make_files(tmp_path, count=9)
    with start_sandbox() as sandbox, start_gateway(tmp_path, sandbox, accounts=1) as gateway:
        cache = measure_cache(gateway, tmp_path, count=9)
    print_report(replace(_report([]), cache=cache))

    assert [wait.name for wait in cache.waits] == ["stats", "first page", "middle page", "last page"]
    assert "A cache of 9 files" in capsys.readouterr().out


@pytest.mark.parametrize(("bar_ms", "is_met"), [(11, True), (10, False)], ids=["met", "missed"])
def test_a_slow_cache_spoils_the_run(bar_ms: float, is_met: bool) -> None:
    """Its bar counts as those of the accounts do."""
    report = replace(_report([]), cache=Cache(1.0, [Wait("stats", 1, [10], bar_ms)]))
    assert report.meets_bar is is_met


def test_serving_is_compared_round_by_round(capsys: pytest.CaptureFixture[str]) -> None:
    """A machine that slows down in one round slows both: the ratio is of the same round, the median of all."""
    serving = Serving(100, nginx_per_s=[1000, 100, 1000], gateway_per_s=[600, 60, 100])
    assert serving.ratio == pytest.approx(0.6)
    print_report(replace(_report([]), servings=[serving]))
    assert "ratio 0.60   bar 0.5 met" in capsys.readouterr().out
