"""Work that tests hold in their hands."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from grok_app.tasks import Ended, Event, ItemFinished, Job, Outcome, Record, Snapshot, Status, Task


class HandWork:
    """Work whose items begin, and then wait until they are told what becomes of them."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.broken_off: list[str] = []
        self._ends: dict[str, asyncio.Future[object]] = {}

    async def __call__(self, item: str) -> object:
        """Begin, and wait."""
        self.begun.append(item)
        self._ends[item] = asyncio.get_running_loop().create_future()
        try:
            return await self._ends[item]
        except asyncio.CancelledError:
            self.broken_off.append(item)
            raise

    def finish(self, items: str, value: object = None) -> None:
        """Let these items succeed, in this order."""
        for item in items:
            self._ends[item].set_result(value)

    def fail(self, item: str, error: Exception) -> None:
        """Let this item fail."""
        self._ends[item].set_exception(error)

    def cut(self, item: str) -> None:
        """Cancel what this item waits for, not the item."""
        self._ends[item].cancel()


def job(work: Any, items: Sequence[Any] = "abcd", **changes: Any) -> Job[Any]:
    """A job of four items, two at once, in one batch; changed by `changes`."""
    return Job(
        **{"kind": "test", "items": items, "work": work, "name": str, "concurrent": 2, "batch_size": 4, **changes}
    )


async def until_over(task: Record) -> None:
    """Wait for the end, whatever it is."""
    async for _ in task.watch():
        pass


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(50):
        await asyncio.sleep(0)


async def watched(task: Record) -> list[Event]:
    """All events of a task."""
    async with aclosing(task.watch()) as events:
        return [event async for event in events]


def assert_one_story(events: list[Event], task: Task) -> None:
    """A snapshot, then each item since, once and counted, in the order of finishing, and the end."""
    first, *between, last = events
    assert isinstance(first, Snapshot)
    assert isinstance(last, Ended)
    assert last.progress == task.progress()
    items = [event for event in between if isinstance(event, ItemFinished)]
    finished = task.outcomes(first.progress.processed, task.progress().total)
    assert len(items) == len(between) == len(finished)
    assert [it.outcome.index for it in items] == [it.index for it in finished]
    assert [it.outcome.reason for it in items] == [it.reason for it in finished]
    ok, fail = first.progress.ok, first.progress.fail
    for item in items:
        ok, fail = ok + item.outcome.is_ok, fail + (not item.outcome.is_ok)
        assert (item.progress.ok, item.progress.fail) == (ok, fail)


async def echo(item: Any) -> Any:
    """Work that never waits and gives back what it got."""
    return item


def values(outcomes: Sequence[Outcome]) -> list[Any]:
    """A conclusion: what each item came to."""
    return [outcome.value for outcome in outcomes]


def names(events: list[Event]) -> list[str]:
    """The items of these events."""
    return [event.outcome.item for event in events if isinstance(event, ItemFinished)]


def counts(event: Event) -> tuple[Status, int, int, int]:
    """Status, processed, ok and fail."""
    progress = event.progress
    return progress.status, progress.processed, progress.ok, progress.fail


async def read(events: AsyncGenerator[Event, None], count: int = 1) -> list[Event]:
    """The next so many events."""
    return [await anext(events) for _ in range(count)]
