"""Several processes are measured, on a PostgreSQL and a Redis of the run; how fast anything is is not tested."""

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import scaling, spreading
from benchmarks.confining import confined
from benchmarks.installations import ALONE, ONE, TWO_REPLICAS, TWO_WORKERS, installed, running_redis
from benchmarks.processes import cpu_s, start_sandbox
from benchmarks.replicas import Found, print_found
from benchmarks.report import describe_machine, now
from benchmarks.scaling import Carried, Scaling, Surroundings, measure_scaling
from benchmarks.spreading import Hammered, Returned, Spread, measure_spread
from benchmarks.workloads import Workload
from tests.storage import postgres

__all__ = ["postgres"]

RATES = {
    ALONE.name: [100.0, 110.0],
    ONE.name: [100.0, 100.0],
    TWO_WORKERS.name: [170.0, 180.0],
    TWO_REPLICAS.name: [150.0, 150.0],
}


def carried(rates: Mapping[str, list[float]], *, errors: int = 0) -> Found:
    """A run that is good but for what is given: replies per second, round by round, and wrong ones."""
    rows = [Carried(name, 1, 10, errors, replies_per_s=rates[name], total_ms=[1.0]) for name in rates]
    return Found(
        now(),
        describe_machine([1.0, 1.1], 0.5),
        None,
        Scaling(1000.0, 10.0, Counter({"evalsha": 400}), 4, rows),
        [Spread("a setting", [0.1, 0.2])],
        Returned(16, 59.0),
        Hammered(8, 240, 100, 1.0),
    )


FOUND = carried(RATES)


def test_good_figures_meet_the_bars(capsys: pytest.CaptureFixture[str]) -> None:
    """They become tables and JSON. A ratio is the median of those of the rounds."""
    print_found(FOUND)
    assert "MISSED" not in capsys.readouterr().out
    kept = json.loads(FOUND.as_json())
    assert [verdict["is_met"] for verdict in kept["verdicts"]] == [True] * 5
    assert kept["verdicts"][0]["measured"] == pytest.approx(1.75)
    assert kept["idle_redis_commands_per_s_and_process"] == {"evalsha": 10}


@pytest.mark.parametrize(
    ("found", "missed"),
    [
        (carried({name: [100.0] for name in RATES}), 0),
        (carried(RATES, errors=1), 1),
        (replace(FOUND, spreads=[Spread("slow", [1.5])]), 2),
        (replace(FOUND, returned=Returned(16, 90.0)), 3),
        (replace(FOUND, returned=Returned(0, 0.0)), 3),
        (replace(FOUND, hammered=Hammered(8, 240, 101, 1.0)), 4),
        (replace(FOUND, hammered=Hammered(8, 240, 99, 1.0)), 4),
    ],
    ids=["no faster", "wrong", "slow", "late", "nothing held", "used twice", "left over"],
)
def test_bad_figures_miss_their_bar(found: Found, missed: int) -> None:
    """Each its own."""
    assert [number for number, verdict in enumerate(found.verdicts) if not verdict.is_met] == [missed]


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")
async def test_two_replicas_are_measured(
    postgres: str,  # noqa: ARG001 - skips without a server
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both are asked; commands are counted by request; changes are seen at the other one."""
    monkeypatch.setattr(scaling, "IDLE_S", 0.5)
    monkeypatch.setattr(spreading, "TIMES", 2)
    tiny = Workload("tiny", streams=4, requests=40)
    with (
        start_sandbox() as sandbox,
        running_redis(tmp_path) as redis,
        installed(tmp_path, sandbox, TWO_REPLICAS, redis) as installation,
    ):
        measured = await measure_scaling([installation], Surroundings(sandbox, redis), 2, tiny)
        spreads = await measure_spread(*installation.replicas)
    [row] = measured.carried
    assert (row.processes, row.replies, row.errors, len(row.replies_per_s)) == (2, 80, 0, 2)
    assert row.cpu_s > 0
    assert row.commands["evalsha"] >= 80
    assert measured.idle_commands["evalsha"] > 0
    assert [len(spread.times_s) for spread in spreads] == [2] * 3


def test_a_process_is_held_to_a_part_of_a_core() -> None:
    """It uses far less than the time that passes, and is let go after."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as spinning:
        try:
            with confined([spinning.pid], 0.1):
                began_s, began_at = cpu_s(spinning.pid), time.monotonic()
                while (passed_s := time.monotonic() - began_at) < 1.0:
                    time.sleep(0.1)
                assert cpu_s(spinning.pid) - began_s < 0.4 * passed_s
        except RuntimeError as error:
            pytest.skip(f"this machine doesn't let us: {error}")
        finally:
            spinning.kill()
