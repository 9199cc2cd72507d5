"""The tasks of this process: started, found again by their ids, and forgotten some time after their end."""

import asyncio
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Final

from grok_app.errors import NotFoundError, OverloadedError
from grok_app.tasks.record import Record
from grok_app.tasks.task import Task
from grok_app.tasks.types import Job

KEPT_MS: Final = 300_000
"""A finished task can be asked for that long. Source: API contract, section 10."""
MOST_RUNNING: Final = 50
MOST_KEPT: Final = 200
"""Running ones included."""


def clock_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


class Command(StrEnum):
    """What can be done with a task."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RETRY_FAILED = "retry_failed"


class Tasks:
    """Every task under way, and the ones that ended lately: those of this process. See `SharedTasks` for all others."""

    _on_change: Callable[[Task], None] | None = None

    def __init__(self, now_ms: Callable[[], int] = clock_ms) -> None:
        self._now_ms = now_ms
        self._own: dict[str, Task] = {}

    def start(self, job: Job[Any]) -> Task:
        """Begin a job and return at once; needs a running loop. Whoever started it may go away.

        Raises:
            OverloadedError: Too many tasks are under way.
        """
        if sum(not task.is_over for task in self._own.values()) >= MOST_RUNNING:
            raise OverloadedError(f"{MOST_RUNNING} tasks are under way already. Please try again when one has ended.")
        task = Task(job, self._now_ms, self._on_change)
        self._own[task.id] = task
        self._forget()
        return task

    async def announce(self, task: Task) -> None:
        """Return when a task that was started here can be found wherever tasks are looked for."""

    async def get(self, task_id: str) -> Record:
        """The task with this id.

        Raises:
            NotFoundError: There is none, or it ended too long ago.
        """
        return self._get_own(task_id)

    def all(self) -> Sequence[Record]:
        """The tasks under way and those that ended lately, oldest first."""
        self._forget()
        return list(self._own.values())

    def running(self) -> list[Record]:
        """The tasks that are not over, paused ones included, oldest first."""
        return [task for task in self.all() if not task.is_over]

    async def pause(self, task_id: str) -> None:
        """Start no new item for now. Does nothing when the task is over or was told to cancel.

        Raises:
            NotFoundError: There is no such task.
            OverloadedError: The process that runs it can't be reached.
        """
        await self._command(task_id, Command.PAUSE)

    async def resume(self, task_id: str) -> None:
        """Go on after a pause. Does nothing when there is none. Raises what `pause` does."""
        await self._command(task_id, Command.RESUME)

    async def cancel(self, task_id: str) -> None:
        """Start no new item ever; when those under way have finished, it is cancelled. Raises what `pause` does."""
        await self._command(task_id, Command.CANCEL)

    async def retry_failed(self, task_id: str) -> str:
        """Start the same work over the items that failed, where the first task ran.

        Returns:
            The id of the new task.

        Raises:
            NotFoundError: There is no such task.
            ConflictError: It is not over, nothing failed, its work can't be done again, or is being done again already.
            OverloadedError: Too many tasks are under way, or the process that ran it can't be reached.
        """
        return await self._command(task_id, Command.RETRY_FAILED)

    async def keep_up(self) -> None:
        """Follow the tasks of other processes, of which there are none, until cancelled."""

    async def abort(self) -> None:
        """Break everything off that runs here, and return when it has ended."""
        await asyncio.gather(*(task.abort() for task in self._own.values() if not task.is_over))

    async def _command(self, task_id: str, command: Command) -> str:
        return self._obey(self._get_own(task_id), command)

    def _obey(self, task: Task, command: Command) -> str:
        """Do it; the id of the task that is to be looked at from then on."""
        match command:
            case Command.PAUSE:
                task.pause()
            case Command.RESUME:
                task.resume()
            case Command.CANCEL:
                task.cancel()
            case Command.RETRY_FAILED:
                return task.retry_failed().id
        return task.id

    def _get_own(self, task_id: str) -> Task:
        self._forget()
        if task_id not in self._own:
            raise NotFoundError("Task not found")
        return self._own[task_id]

    def _forget(self) -> None:
        """Let go of tasks that ended too long ago, and of the ones that ended first when there are too many."""
        ended = sorted((at_ms, task.id) for task in self._own.values() if (at_ms := task.finished_at_ms) is not None)
        surplus = len(self._own) - MOST_KEPT
        for place, (at_ms, task_id) in enumerate(ended):
            if place < surplus or at_ms < self._oldest_ms():
                del self._own[task_id]

    def _oldest_ms(self) -> int:
        """What ended before is forgotten."""
        return self._now_ms() - KEPT_MS
