"""`python -m benchmarks.replicas`: what several processes on one PostgreSQL and one Redis carry, and cost.

Needs PostgreSQL (`TEST_POSTGRES_URL`), where it makes databases of its own, and the program `redis-server`.
"""

import argparse
import json
import math
import os
import signal
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import uvloop

from benchmarks.confining import confined
from benchmarks.hot_path import Verdict, print_verdicts
from benchmarks.installations import KINDS, ONE, TWO_WORKERS, installed, running_redis
from benchmarks.processes import start_sandbox
from benchmarks.report import Machine, describe_machine, now
from benchmarks.rounds import spin_ms
from benchmarks.scaling import Scaling, Surroundings, measure_scaling, print_scaling
from benchmarks.spreading import (
    QUOTA,
    Hammered,
    Returned,
    Spread,
    measure_hammering,
    measure_return,
    measure_spread,
    print_spreading,
)

_LEAST_OF_TWO: Final = 1.7
_MOST_SPREAD_S: Final = 1.0
_MOST_RETURN_S: Final = 61.0
"""The time limit of a lease, and a look."""
_SPINS: Final = 5
_FOLDER: Final = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Found:
    """One run."""

    at: datetime
    machine: Machine
    cores: float | None
    """What each serving process was held to, of a core; None: not held."""
    scaling: Scaling
    spreads: list[Spread]
    returned: Returned
    hammered: Hammered

    @property
    def verdicts(self) -> list[Verdict]:
        """On every bar."""
        ratio = self.scaling.ratio(TWO_WORKERS.name, ONE.name)
        slowest_s = max(spread.p99_s for spread in self.spreads)
        after_s = self.returned.after_s if self.returned.leases else math.inf
        return [
            Verdict("replies/s of two workers, as a multiple of one's", ratio, _LEAST_OF_TWO, is_least=True),
            Verdict("wrong replies", self.scaling.errors, 0),
            Verdict("what becomes known last at another replica, p99, s", slowest_s, _MOST_SPREAD_S),
            Verdict("return of a killed replica's leases, s", after_s, _MOST_RETURN_S),
            Verdict("of a wanted quota used twice, or left over", abs(self.hammered.served - QUOTA), 0),
        ]

    def as_json(self) -> str:
        """Everything, and the verdicts with it."""
        content = {
            "at": self.at,
            "machine": asdict(self.machine),
            "cores_of_each_worker": self.cores,
            "sandbox_alone_per_s": self.scaling.floor_per_s,
            "idle_redis_commands_per_s_and_process": self.scaling.idle_per_process,
            "installations": [row.as_json() for row in self.scaling.carried],
            "spreads": [{"p50_s": row.p50_s, "p99_s": row.p99_s, **asdict(row)} for row in self.spreads],
            "returned": asdict(self.returned),
            "hammered": asdict(self.hammered),
            "verdicts": [{**asdict(verdict), "is_met": verdict.is_met} for verdict in self.verdicts],
        }
        return json.dumps(content, indent=2, default=str) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    options = _parse(arguments)
    signal.signal(signal.SIGTERM, _interrupt)  # so that the servers end with us
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="grok-app-bench-") as folder:
        found = _measure(Path(folder), options.rounds, options.cores, load_before)
    print_found(found)
    _FOLDER.mkdir(exist_ok=True)
    path = _FOLDER / f"{found.at:%Y-%m-%dT%H-%M-%S}-replicas.json"
    path.write_text(found.as_json())
    print(f"Kept in {path.relative_to(Path(__file__).parents[1])}")
    return 1 if options.check and not all(verdict.is_met for verdict in found.verdicts) else 0


def _measure(folder: Path, rounds: int, cores: float | None, load_before: float) -> Found:
    spins_ms = [_spin_ms()]
    with ExitStack() as stack:
        sandbox, redis = stack.enter_context(start_sandbox()), stack.enter_context(running_redis(folder))
        installations = [stack.enter_context(installed(folder, sandbox, kind, redis)) for kind in KINDS]
        workers = [pid for installation in installations for pid in installation.workers]
        print("All installations are ready. Measuring what they carry ...", flush=True)
        with confined(workers, cores) if cores else nullcontext():
            scaling = uvloop.run(measure_scaling(installations, Surroundings(sandbox, redis), rounds))
        spins_ms.append(_spin_ms())
        here, there = installations[-1].replicas
        print("How soon one knows what was done at the other ...", flush=True)
        spreads = uvloop.run(measure_spread(here, there))
        print("Whether many processes keep to one quota ...", flush=True)
        hammered = measure_hammering(redis)
        print("How soon leases of a killed one return, a minute ...", flush=True)
        returned = uvloop.run(measure_return(here, redis))
        spins_ms.append(_spin_ms())
    return Found(now(), describe_machine(spins_ms, load_before), cores, scaling, spreads, returned, hammered)


def print_found(found: Found) -> None:
    """Print the tables and the bars."""
    machine = found.machine
    print(f"\n{machine.cores} cores, Python {machine.python}, load before the run {machine.load_before:.1f};", end=" ")
    print(f"noise: the same work took up to {machine.spread_percent:.0f} % longer")
    if found.cores:
        print(f"Each serving process is held to {found.cores:g} of a core")
    print_scaling(found.scaling)
    print_spreading(found.spreads, found.returned, found.hammered)
    print_verdicts(found.verdicts)


def _spin_ms() -> float:
    return statistics.median(spin_ms() for _ in range(_SPINS))


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replicas", description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit with 1 when a bar is missed")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each installation (default: 7)")
    parser.add_argument("--cores", type=float, help="hold each serving process to so much of a core, 0.4 say (root)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
