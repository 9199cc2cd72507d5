"""What is seen of a task, by its own process and by another one."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from grok_app.errors import RateLimitedError
from grok_app.tasks import Ended, Event, ItemFailedError, ItemFinished, Record, Snapshot, Status
from tests.tasks.conftest import Pair
from tests.tasks.works import HandWork, counts, echo, names, read, settle, values


async def test_everything_about_a_task_can_be_seen(pair: Pair) -> None:
    """What it is, when it began and ended, how far it came and what failed, with the reasons."""
    work = HandWork()
    task = pair.start(
        work,
        kind="refresh",
        concurrent=4,
        warning="One was left out.",
        again=lambda items: pair.start(echo, items=items),
    )
    await settle()
    running = await pair.seen(task)
    assert (running.id, running.kind, running.started_at_ms, running.is_over) == (task.id, "refresh", 1_000_000, False)
    work.finish("ca")
    work.fail("d", ItemFailedError("no luck"))
    work.fail("b", RateLimitedError("slow down"))
    await task.wait()

    seen = await pair.seen(task)
    assert seen is running
    assert seen.progress() == task.progress()
    assert (seen.status, seen.finished_at_ms, seen.can_retry, seen.error) == (Status.DONE, 1_000_000, True, None)
    assert [(it.index, it.item, it.reason) for it in seen.failures()] == [(1, "b", "slow down"), (3, "d", "no luck")]


async def test_a_watcher_sees_everything_in_its_order(pair: Pair) -> None:
    """A snapshot, an event per item as they finish, the end with the result; each with the counts of its moment."""
    work = HandWork()
    task = pair.start(work, items="abc", conclude=values, warning="One was left out.")
    events = [event async for event in _finishing(await pair.seen(task), work)]

    assert [type(event) for event in events] == [Snapshot, ItemFinished, ItemFinished, ItemFinished, Ended]
    assert names(events) == ["b", "a", "c"]
    assert [counts(event)[1:] for event in events] == [(0, 0, 0), (1, 0, 1), (2, 1, 1), (3, 2, 1), (3, 2, 1)]
    assert [event.progress.status for event in events[:3]] == [Status.RUNNING] * 3
    assert {event.progress.warning for event in events} == {"One was left out."}
    assert {(event.progress.task_id, event.progress.total) for event in events} == {(task.id, 3)}
    end = events[-1]
    assert isinstance(end, Ended)
    assert (end.progress.status, end.result, end.error) == (Status.DONE, ["x", None, "x"], None)


async def _finishing(task: Record, work: HandWork) -> AsyncGenerator[Event, None]:
    """The task's events, while item b fails, then a and then c finish."""
    async with aclosing(task.watch()) as events:
        async for event in events:
            yield event
            await settle()
            if isinstance(event, Snapshot):
                work.fail("b", ItemFailedError("no"))
            elif event.progress.processed == 1:
                work.finish("a", "x")
            elif event.progress.processed == 2:
                work.finish("c", "x")


async def test_a_late_watcher_starts_with_what_is_now(pair: Pair) -> None:
    """What finished before is in the snapshot's counts, and is not told again."""
    work = HandWork()
    task = pair.start(work, concurrent=4)
    await settle()
    work.finish("ab")
    await settle()
    async with aclosing((await pair.seen(task)).watch()) as events:
        [snapshot] = await read(events)
        work.finish("cd")
        rest = [event async for event in events]

    assert counts(snapshot) == (Status.RUNNING, 2, 2, 0)
    assert names(rest) == ["c", "d"]


async def test_a_watcher_who_comes_after_the_end_hears_it_at_once(pair: Pair) -> None:
    """A snapshot and the end, result included, as often as it is asked."""
    task = pair.start(echo, conclude=values)
    await task.wait()
    seen = await pair.seen(task)
    for _ in range(2):
        snapshot, end = [event async for event in seen.watch()]
        assert counts(snapshot) == counts(end) == (Status.DONE, 4, 4, 0)
        assert isinstance(end, Ended)
        assert end.result == ["a", "b", "c", "d"]


async def test_a_slow_watcher_misses_nothing_and_holds_nothing_up(pair: Pair) -> None:
    """It may take the events after everything is over; the task and other watchers don't wait for it."""
    work = HandWork()
    items = [chr(code) for code in range(100, 200)]
    task = pair.start(work, items=items, concurrent=100, batch_size=100, conclude=values)
    await settle()
    seen = await pair.seen(task)
    async with aclosing(seen.watch()) as slow:
        await read(slow)
        watching = asyncio.create_task(_all(seen))
        await settle()
        work.finish("".join(items))
        quick = await watching
        rest = [event async for event in slow]

    assert names(rest) == names(quick) == items
    assert [event.progress.processed for event in rest] == [*range(1, 101), 100]


async def _all(task: Record) -> list[Event]:
    return [event async for event in task.watch()]


async def test_a_watcher_who_leaves_is_not_missed(pair: Pair) -> None:
    """Whether it closes while it waits or is just never heard of again."""
    work = HandWork()
    task = pair.start(work, items="ab")
    seen = await pair.seen(task)
    stays, leaves, forgets = seen.watch(), seen.watch(), seen.watch()
    for events in (stays, leaves, forgets):
        await read(events)
    next_event = asyncio.ensure_future(anext(leaves))
    await settle()
    next_event.cancel()
    await asyncio.wait((next_event,))
    work.finish("ab")

    assert len([event async for event in stays]) == 3
    with pytest.raises(StopAsyncIteration):
        await anext(leaves)
    await forgets.aclose()


async def test_a_watcher_is_woken_when_a_paused_task_is_cancelled(pair: Pair) -> None:
    """Nobody waits for a task that will do nothing more."""
    task = pair.start(HandWork())
    task.pause()
    async with aclosing((await pair.seen(task)).watch()) as events:
        [snapshot] = await read(events)
        ending = asyncio.ensure_future(anext(events))
        await settle()
        task.cancel()
        assert [counts(snapshot)[0], counts(await ending)[0]] == [Status.PAUSED, Status.CANCELLED]


async def test_a_task_that_could_not_be_done_says_why(pair: Pair) -> None:
    """In words that give nothing away; there is no result."""

    def conclude(_: object) -> object:
        raise KeyError("sso-secret")

    task = pair.start(echo, conclude=conclude)
    with pytest.raises(KeyError):
        await task.wait()
    *_, end = await _all(await pair.seen(task))

    assert isinstance(end, Ended)
    assert (counts(end), end.error, end.result) == ((Status.ERROR, 4, 4, 0), "Internal server error", None)
