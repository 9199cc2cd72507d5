"""Shifts the clock of a process by as many seconds as a file says. Python imports this before anything else."""

import os
import time
from pathlib import Path

_SHIFT = Path(os.environ["TEST_CLOCK_SHIFT"])
_time, _time_ns = time.time, time.time_ns


def _shift_s() -> int:
    return int(_SHIFT.read_text())


def _shifted_time() -> float:
    return _time() + _shift_s()


def _shifted_time_ns() -> int:
    return _time_ns() + _shift_s() * 1_000_000_000


vars(time).update(time=_shifted_time, time_ns=_shifted_time_ns)
