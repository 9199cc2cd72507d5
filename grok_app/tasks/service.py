"""The tasks of this process: started, found again by their ids, and forgotten some time after their end."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from grok_app.errors import NotFoundError, OverloadedError
from grok_app.tasks.task import Task
from grok_app.tasks.types import Job

KEPT_MS: Final = 300_000
"""A finished task can be asked for that long. Source: API contract, section 10."""
MOST_RUNNING: Final = 50
MOST_KEPT: Final = 200
"""Running ones included."""


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Tasks:
    """Every task under way, and the ones that ended lately."""

    def __init__(self, now_ms: Callable[[], int] = _now_ms) -> None:
        self._now_ms = now_ms
        self._tasks: dict[str, Task] = {}

    def start(self, job: Job[Any]) -> Task:
        """Begin a job and return at once; needs a running loop. Whoever started it may go away.

        Raises:
            OverloadedError: Too many tasks are under way.
        """
        if len(self.running()) >= MOST_RUNNING:
            raise OverloadedError(f"{MOST_RUNNING} tasks are under way already. Please try again when one has ended.")
        task = Task(job, self._now_ms)
        self._tasks[task.id] = task
        self._forget()
        return task

    def get(self, task_id: str) -> Task:
        """The task with this id.

        Raises:
            NotFoundError: There is none, or it ended too long ago.
        """
        self._forget()
        if task_id not in self._tasks:
            raise NotFoundError("Task not found")
        return self._tasks[task_id]

    def all(self) -> list[Task]:
        """The tasks under way and those that ended lately, oldest first."""
        self._forget()
        return list(self._tasks.values())

    def running(self) -> list[Task]:
        """The tasks that are not over, paused ones included, oldest first."""
        return [task for task in self._tasks.values() if not task.is_over]

    async def abort(self) -> None:
        """Break everything off, and return when it has ended."""
        await asyncio.gather(*(task.abort() for task in self.running()))

    def _forget(self) -> None:
        """Let go of tasks that ended too long ago, and of the ones that ended first when there are too many."""
        ended = sorted((at_ms, task.id) for task in self._tasks.values() if (at_ms := task.finished_at_ms) is not None)
        surplus = len(self._tasks) - MOST_KEPT
        oldest_ms = self._now_ms() - KEPT_MS
        for place, (at_ms, task_id) in enumerate(ended):
            if place < surplus or at_ms < oldest_ms:
                del self._tasks[task_id]


@asynccontextmanager
async def open_tasks() -> AsyncGenerator[Tasks, None]:
    """The tasks of this process. Those still under way when the block ends are broken off."""
    tasks = Tasks()
    try:
        yield tasks
    finally:
        await tasks.abort()
