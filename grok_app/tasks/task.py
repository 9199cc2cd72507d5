"""One task where it runs: works its items off."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from operator import attrgetter
from secrets import token_hex
from typing import Any, Final

from grok_app.errors import ConflictError, GatewayError, OverloadedError
from grok_app.logs import get_logger
from grok_app.tasks.record import Record
from grok_app.tasks.types import ItemFailedError, ItemT, Job, Outcome, Status

log = get_logger(__name__)
_BUG: Final = "Internal server error"
_BROKEN_OFF: Final = "What it waited for was cancelled."


class TaskCancelledError(OverloadedError):
    """The result was waited for, but the task was cancelled, or the server stops."""


class Task(Record):
    """A job under way, or what came of it. Begins at once; needs a running loop.

    Args:
        job: What is to be done.
        now_ms: The clock.
        on_change: Is called with the task whenever there is news of it; must not wait.

    Attributes:
        version: Counts its changes.
    """

    def __init__(
        self, job: Job[Any], now_ms: Callable[[], int], on_change: "Callable[[Task], None] | None" = None
    ) -> None:
        super().__init__(
            token_hex(16), kind=job.kind, total=len(job.items), warning=job.warning, started_at_ms=now_ms()
        )
        self.version = 0
        self._now_ms = now_ms
        self._on_change = on_change
        self._is_cancelled = False
        self._result: Any = None
        self._error: BaseException | None = None
        self._resumed = asyncio.Event()
        self._retry: Callable[[], Task] | None = None
        self._runner = asyncio.create_task(self._run(job))
        self._runner.add_done_callback(lambda runner: self._end(runner, job))

    @property
    def has_result(self) -> bool:
        """Whether there is something to fetch."""
        return self._result is not None

    async def fetch_result(self) -> Any:
        """What `Job.conclude` made; None for a task that is not done."""
        return self._result

    def outcomes(self, first: int, most: int) -> list[Outcome]:
        """So many of what has finished, in the order of finishing, from a place on."""
        return self._outcomes[first : first + most]

    def retry_failed(self) -> "Task":
        """Start the same work over the items that failed.

        Raises:
            ConflictError: It is not over, nothing failed, its work can't be done again, or is being done again already.
            OverloadedError: Too many tasks are under way.
        """
        if self._retry is None:
            raise ConflictError("There is nothing to try again")
        again = self._retry()
        self._retry, self.can_retry = None, False
        self._tell()
        return again

    def pause(self) -> None:
        """Start no new item for now. Does nothing when the task is over or was told to cancel."""
        if not self.is_over and not self._is_cancelled:
            self.status = Status.PAUSED
            self._resumed.clear()
            self._tell()

    def resume(self) -> None:
        """Go on after a pause. Does nothing when there is none."""
        if self.status is Status.PAUSED:
            self.status = Status.RUNNING
            self._resumed.set()
            self._tell()

    def cancel(self) -> None:
        """Start no new item ever; when those under way have finished, the task is cancelled."""
        if not self.is_over:
            self._is_cancelled = True
            self.resume()

    async def abort(self) -> None:
        """Break off the items under way too, and return when all of them have ended."""
        self.cancel()
        self._runner.cancel()
        await self._until_over()

    async def wait(self) -> Any:
        """The job's result, once there is one. Whoever stops waiting stops nothing else.

        Raises:
            TaskCancelledError: There will be none.
            Exception: What `Job.conclude` raised.
        """
        await self._until_over()
        if self._error is not None:
            raise self._error
        if self.status is Status.CANCELLED:
            raise TaskCancelledError("The task was cancelled before its end.")
        return self._result

    async def _run(self, job: Job[Any]) -> object:
        for first in range(0, self._total, job.batch_size):
            items = job.items[first : first + job.batch_size]
            batch = deque((index, job.name(item), item) for index, item in enumerate(items, first))
            async with asyncio.TaskGroup() as group:
                for _ in range(min(job.concurrent, len(batch))):
                    group.create_task(self._work_off(batch, job))
            if self._is_cancelled:
                return None
        return job.conclude(sorted(self._outcomes, key=attrgetter("index"))) if job.conclude else None

    async def _work_off(self, batch: deque[tuple[int, str, ItemT]], job: Job[ItemT]) -> None:
        while await self._may_start_one_of(batch):
            index, name, item = batch.popleft()
            reason, value = await self._try(job, name, item)
            self._add(Outcome(index, name, reason, value))
            self._tell()
            await asyncio.sleep(0)  # work that never waits must not hold everyone else up

    async def _may_start_one_of(self, batch: deque[Any]) -> bool:
        while batch and self.status is Status.PAUSED:
            await self._resumed.wait()
        return bool(batch) and not self._is_cancelled

    async def _try(self, job: Job[ItemT], name: str, item: ItemT) -> tuple[str | None, Any]:
        """Do one item; why it failed, if it did, and what is to be kept of it."""
        try:
            return None, await job.work(item)
        except ItemFailedError as error:
            return error.reason, error.value
        except GatewayError as error:
            return error.message, None
        except asyncio.CancelledError:
            if _is_being_cancelled():
                raise
            return _BROKEN_OFF, None
        except Exception:  # one failing item must not stop the rest
            log.exception("item failed", task_id=self.id, kind=self.kind, item=name)
            return _BUG, None

    def _end(self, runner: "asyncio.Task[object]", job: Job[Any]) -> None:
        self._error = None if runner.cancelled() else runner.exception()
        if self._error is not None:
            self.status, self.error = Status.ERROR, _sentence(self._error)
            log.error("task failed", task_id=self.id, kind=self.kind, exc_info=self._error)
        elif self._is_cancelled or runner.cancelled():
            self.status = Status.CANCELLED
        else:
            self.status = Status.DONE
            self._result = runner.result()
        self._retry = _retry_of(job, self.failures())
        self.can_retry = self._retry is not None
        self.finished_at_ms = self._now_ms()
        self._tell()

    def _tell(self) -> None:
        super()._tell()
        self.version += 1
        if self._on_change:
            self._on_change(self)

    async def _until_over(self) -> None:
        while not self.is_over:
            await self._news.wait()


def _retry_of(job: Job[Any], failures: Sequence[Outcome]) -> Callable[[], Task] | None:
    """What starts the job's work over the items that failed. Holds no other item."""
    again = job.again
    if again is None or not failures:
        return None
    items = [job.items[outcome.index] for outcome in failures]
    return lambda: again(items)


def _sentence(error: BaseException) -> str:
    return error.message if isinstance(error, GatewayError) else _BUG


def _is_being_cancelled() -> bool:
    """Whether a CancelledError is meant for us; work that awaits what others cancelled raises one too."""
    current = asyncio.current_task()
    return current is not None and current.cancelling() > 0
