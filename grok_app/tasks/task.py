"""One task: works its items off, and tells everyone who watches.

Outcomes are kept in one log. A watcher only remembers how much of it was seen, so that one who is slow, or is never
heard of again, costs nothing.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from operator import attrgetter
from secrets import token_hex
from typing import Any, Final

from grok_app.errors import ConflictError, GatewayError, OverloadedError
from grok_app.logs import get_logger
from grok_app.tasks.types import (
    Ended,
    Event,
    ItemFailedError,
    ItemFinished,
    ItemT,
    Job,
    Outcome,
    Progress,
    Snapshot,
    Status,
)

log = get_logger(__name__)
_BUG: Final = "Internal server error"
_BROKEN_OFF: Final = "What it waited for was cancelled."


class TaskCancelledError(OverloadedError):
    """The result was waited for, but the task was cancelled, or the server stops."""


class Task:
    """A job under way, or what came of it. Begins at once; needs a running loop.

    Attributes:
        id: Nobody can guess it.
        kind: As the job says.
        status: Where it stands. A task that was told to cancel is running until the items under way have finished.
        started_at_ms: In Unix milliseconds.
        finished_at_ms: The same; None as long as it is not over.
    """

    def __init__(self, job: Job[Any], now_ms: Callable[[], int]) -> None:
        self.id: Final = token_hex(16)
        self.kind: Final = job.kind
        self.status = Status.RUNNING
        self.started_at_ms: Final = now_ms()
        self.finished_at_ms: int | None = None
        self._now_ms = now_ms
        self._total = len(job.items)
        self._warning = job.warning
        self._outcomes: list[Outcome] = []
        self._ok = 0
        self._is_cancelled = False
        self._result: Any = None
        self._error: BaseException | None = None
        self._resumed = asyncio.Event()
        self._news = asyncio.Event()
        self._retry: Callable[[], Task] | None = None
        self._runner = asyncio.create_task(self._run(job))
        self._runner.add_done_callback(lambda runner: self._end(runner, job))

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.finished_at_ms is not None

    def progress(self) -> Progress:
        """How far it has come."""
        return self._progress(len(self._outcomes), self._ok)

    def failures(self) -> list[Outcome]:
        """The items that have failed so far, in their order."""
        return sorted((outcome for outcome in self._outcomes if not outcome.is_ok), key=attrgetter("index"))

    @property
    def can_retry(self) -> bool:
        """Whether it is over, has failed items, and its work can be done again; once."""
        return self._retry is not None

    def retry_failed(self) -> "Task":
        """Start the same work over the items that failed.

        Raises:
            ConflictError: It is not over, nothing failed, its work can't be done again, or is being done again already.
            OverloadedError: Too many tasks are under way.
        """
        if self._retry is None:
            raise ConflictError("There is nothing to try again")
        retry, self._retry = self._retry, None
        return retry()

    def pause(self) -> None:
        """Start no new item for now. Does nothing when the task is over or was told to cancel."""
        if not self.is_over and not self._is_cancelled:
            self.status = Status.PAUSED
            self._resumed.clear()

    def resume(self) -> None:
        """Go on after a pause. Does nothing when there is none."""
        if self.status is Status.PAUSED:
            self.status = Status.RUNNING
            self._resumed.set()

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

    async def watch(self) -> AsyncGenerator[Event, None]:
        """A snapshot of now, each item that finishes from then on, in the order of finishing, and the end.

        Nothing is left out, however slowly the events are taken.
        """
        seen, ok = len(self._outcomes), self._ok
        yield Snapshot(self._progress(seen, ok))
        while True:
            while seen < len(self._outcomes):
                outcome = self._outcomes[seen]
                seen, ok = seen + 1, ok + outcome.is_ok
                yield ItemFinished(self._progress(seen, ok), outcome)
            if self.is_over:
                break
            await self._news.wait()
        yield Ended(self.progress(), self._result, _sentence(self._error) if self._error else None)

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
            self._outcomes.append(Outcome(index, name, reason, value))
            self._ok += reason is None
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
            self.status = Status.ERROR
            log.error("task failed", task_id=self.id, kind=self.kind, exc_info=self._error)
        elif self._is_cancelled or runner.cancelled():
            self.status = Status.CANCELLED
        else:
            self.status = Status.DONE
            self._result = runner.result()
        self._retry = _retry_of(job, self.failures())
        self.finished_at_ms = self._now_ms()
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def _until_over(self) -> None:
        while not self.is_over:
            await self._news.wait()

    def _progress(self, processed: int, ok: int) -> Progress:
        return Progress(self.id, self.status, self._total, processed, ok, processed - ok, self._warning)


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
