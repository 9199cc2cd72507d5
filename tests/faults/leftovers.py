"""What a cell may leave behind: nothing."""

from pathlib import Path
from typing import Final

from benchmarks.processes import forget_peaks, open_files, peak_mib
from tests.conftest import APP_KEY
from tests.contract.admin import bearer
from tests.faults.stage import Stage
from tests.servers import eventually

SPARE_FILES: Final = 12
"""Connections to Grok and to the database that are kept for the next time. Over a module's cells, any leak is more."""
SPARE_TASKS: Final = 4
"""What the gateway does by itself now and then."""
SPARE_MIB: Final = 128
"""Most that one cell may take for a moment: six pictures in base64, or a line of 8 MiB; not 100 MB, not 1 GB."""


class Leftovers:
    """Looks for them. Begins with what there is now: an idle gateway that has served.

    Args:
        stage: Where the cells are played.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._pid = stage.gateway.process.pid
        self._files = open_files(self._pid)
        self._tasks = self._leases_and_tasks()[1]
        self._memory_mib = 0.0

    def begin(self) -> None:
        """Let a cell begin."""
        forget_peaks(self._pid)
        self._memory_mib = peak_mib(self._pid)
        self._stage.gateway.process.mark()

    def check(self, crash: str = "Traceback") -> None:
        """Nothing is left of the cell: no call at Grok, no lent account, task, open file or temporary file, no crash.

        Args:
            crash: What the log has of one, for faults whose own traceback belongs there.

        Raises:
            AssertionError: Something is, after a while.
        """
        eventually(lambda: self._open_calls() == 0, within_s=5)
        eventually(self._is_at_rest, within_s=5)
        eventually(lambda: open_files(self._pid) <= self._files + SPARE_FILES, within_s=5)
        eventually(lambda: not self._parts(), within_s=5)
        assert peak_mib(self._pid) - self._memory_mib < SPARE_MIB
        assert crash not in self._stage.gateway.process.news()

    def _open_calls(self) -> int:
        state = self._stage.sandbox.state()
        return int(state["open_streams"]) + int(state["open_sockets"])

    def _is_at_rest(self) -> bool:
        leases, tasks = self._leases_and_tasks()
        return leases == 0 and tasks <= self._tasks + SPARE_TASKS

    def _leases_and_tasks(self) -> tuple[float, float]:
        answer = self._stage.gateway.stranger.get("/metrics", headers=bearer(APP_KEY)).raise_for_status()
        figures = dict(line.split(" ", 1) for line in answer.text.splitlines())
        return float(figures["grok_app_leases"]), float(figures['grok_app_event_loop_tasks{worker="1"}'])

    def _parts(self) -> list[Path]:
        return list(self._stage.folder.rglob("*.part"))
