"""Serving processes held to a part of a core each, so that what works beside them on the machine isn't the bottleneck.

Control groups of Linux do it, version 1 or 2; making them takes root.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

_PERIOD_US: Final = 100_000
"""Longer ones make pauses of their own, shorter ones cost the held process itself more (2026-11-29)."""
_ROOTS: Final = (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup"))


@contextmanager
def confined(pids: Iterable[int], cores: float) -> Iterator[None]:
    """Hold each of these processes to so many cores until the block ends.

    Raises:
        RuntimeError: This machine doesn't let us.
    """
    with ExitStack() as stack:
        for pid in pids:
            stack.enter_context(_confined(pid, cores))
        yield


@contextmanager
def _confined(pid: int, cores: float) -> Iterator[None]:
    root = next((root for root in _ROOTS if (root / "cgroup.procs").exists()), None)
    if root is None:
        raise RuntimeError("no control groups at /sys/fs/cgroup")
    group = root / f"grok-app-bench-{pid}"
    quota_us = round(cores * _PERIOD_US)
    try:
        group.mkdir()
        if (quota := group / "cpu.cfs_quota_us").exists():
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
            quota.write_text(str(quota_us))
        else:
            (group / "cpu.max").write_text(f"{quota_us} {_PERIOD_US}")
        (group / "cgroup.procs").write_text(str(pid))
    except OSError as error:
        raise RuntimeError(f"can't hold a process to a part of a core: {error}") from error
    try:
        yield
    finally:
        (root / "cgroup.procs").write_text(str(pid))
        group.rmdir()
