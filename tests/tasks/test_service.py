"""The tasks of a process, as it sees them and as another one does."""

import asyncio
from collections.abc import Sequence

import pytest

from grok_app.errors import ConflictError, NotFoundError, OverloadedError
from grok_app.tasks import ItemFailedError, Status, Task, Tasks, open_tasks
from grok_app.tasks.service import KEPT_MS, MOST_KEPT, MOST_RUNNING
from tests.tasks.conftest import Clock, Pair, until
from tests.tasks.works import HandWork, job, settle


@pytest.fixture
def tasks(pair: Pair) -> Tasks:
    """No tasks yet."""
    return pair.here


async def nothing(_: object) -> None:
    """Work that is done at once."""


async def finished(tasks: Tasks) -> Task:
    """One more task that is over."""
    task = tasks.start(job(nothing))
    await task.wait()
    return task


async def knows(pair: Pair, task: Task) -> bool:
    """Whether the task is still kept, here and there."""
    return await _finds(pair.here, task.id) and await _finds(pair.there, task.id)


async def is_forgotten(pair: Pair, task: Task) -> bool:
    """Whether nobody knows it any more."""
    return not await _finds(pair.here, task.id) and not await _finds(pair.there, task.id)


async def _finds(tasks: Tasks, task_id: str) -> bool:
    try:
        return (await tasks.get(task_id)).id == task_id
    except NotFoundError:
        return False


async def test_a_task_is_found_by_its_id(pair: Pair) -> None:
    """While it runs and when it is over; no two have the same id, and no id can be guessed."""
    running, over = pair.start(HandWork(), kind="refresh"), await finished(pair.here)
    await pair.here.announce(running)
    await pair.here.announce(over)

    assert await knows(pair, running)
    assert await knows(pair, over)
    assert running.id != over.id
    assert len(running.id) == len(over.id) == 32
    assert (running.kind, running.started_at_ms, running.finished_at_ms) == ("refresh", 1_000_000, None)


@pytest.mark.parametrize("task_id", ["", "nobody", "../x", "ä"], ids=repr)
async def test_an_unknown_id_is_an_error(pair: Pair, task_id: str) -> None:
    """The caller is told in the contract's words."""
    for ask in (pair.there.get, pair.there.pause, pair.there.resume, pair.there.cancel, pair.there.retry_failed):
        with pytest.raises(NotFoundError, match=r"^Task not found$"):
            await ask(task_id)


async def test_a_finished_task_is_kept_for_300_seconds(pair: Pair, clock: Clock) -> None:
    """Counted from its end; to the millisecond, and then it is gone."""
    work = HandWork()
    task = pair.start(work, items="a")
    await settle()
    clock.now_ms += 10 * KEPT_MS
    await pair.seen(task)
    work.finish("a")
    await task.wait()
    await pair.seen(task)
    clock.now_ms += 300_000
    assert await knows(pair, task)
    assert (len(pair.here.all()), len(pair.there.all())) == (1, 1)
    clock.now_ms += 1
    assert await is_forgotten(pair, task)
    assert (len(pair.here.all()), len(pair.there.all())) == (0, 0)


async def test_a_task_that_was_forgotten_is_told_to_the_end_to_those_who_watch(pair: Pair, clock: Clock) -> None:
    """Only new callers find nothing."""
    task = await finished(pair.here)
    events = (await pair.seen(task)).watch()
    await anext(events)
    clock.now_ms += KEPT_MS + 1
    assert await is_forgotten(pair, task)
    assert [event.progress.status async for event in events] == [Status.DONE]


async def test_of_too_many_finished_tasks_the_ones_that_ended_first_go(clock: Clock) -> None:
    """Running ones are never let go, however old."""
    async with open_tasks(now_ms=clock) as tasks:
        running = tasks.start(job(HandWork()))
        over = []
        for _ in range(MOST_KEPT + 2):
            clock.now_ms += 1
            over.append(await finished(tasks))

        assert await _finds(tasks, running.id)
        assert [await _finds(tasks, task.id) for task in over] == [False] * 3 + [True] * (MOST_KEPT - 1)


async def test_too_many_at_once_are_refused(pair: Pair) -> None:
    """The caller is told to come back; when one has ended there is room again. Each process has room of its own."""
    work = HandWork()
    started = [pair.start(work) for _ in range(MOST_RUNNING)]
    started[0].pause()
    with pytest.raises(OverloadedError, match="50 tasks are under way"):
        pair.start(work)
    if pair.there is not pair.here:
        await pair.seen(started[-1])
        pair.there.start(job(work))
    await started[0].abort()
    assert not pair.start(work).is_over


async def test_running_tasks_are_listed_oldest_first(pair: Pair, clock: Clock) -> None:
    """Paused ones too, finished ones not; wherever they run."""
    first = pair.start(HandWork())
    clock.now_ms += 1
    over = await finished(pair.here)
    clock.now_ms += 1
    second = pair.there.start(job(HandWork()))
    clock.now_ms += 1
    third = pair.start(HandWork())
    first.pause()
    await pair.there.announce(second)
    for task in (first, over, third):
        await pair.seen(task)
    await until(lambda: len(pair.here.all()) == 4)

    for tasks in (pair.here, pair.there):
        assert [task.id for task in tasks.all()] == [first.id, over.id, second.id, third.id]
        assert [task.id for task in tasks.running()] == [first.id, second.id, third.id]


async def test_a_task_is_paused_resumed_and_cancelled_from_there(pair: Pair) -> None:
    """What was told is seen at once, as it was by whoever told it; items under way finish."""
    work = HandWork()
    task = pair.start(work)
    await settle()
    seen = await pair.seen(task)
    await pair.there.pause(task.id)
    assert (task.status, seen.status) == (Status.PAUSED, Status.PAUSED)
    work.finish("ab")
    await settle()
    assert work.begun == ["a", "b"]

    await pair.there.resume(task.id)
    assert (task.status, seen.status) == (Status.RUNNING, Status.RUNNING)
    await settle()
    assert work.begun == ["a", "b", "c", "d"]

    await pair.there.cancel(task.id)
    assert not task.is_over
    work.finish("cd")
    await until(lambda: seen.is_over)
    assert (task.status, seen.progress()) == (Status.CANCELLED, task.progress())


async def test_a_task_that_is_over_stays_as_it_is(pair: Pair) -> None:
    """Pausing, resuming and cancelling come too late, and do no harm."""
    task = await finished(pair.here)
    await pair.seen(task)
    for steer in (pair.there.pause, pair.there.resume, pair.there.cancel):
        await steer(task.id)
    assert task.status is Status.DONE


async def test_failed_items_are_tried_again_from_there(pair: Pair) -> None:
    """Where they were tried first, once; the new task can be looked at by whoever wanted it."""

    async def fail(item: str) -> None:
        if item in "bd":
            raise ItemFailedError("no luck")

    def again(items: Sequence[str]) -> Task:
        return pair.start(nothing, items=items)

    task = pair.start(fail, again=again)
    await task.wait()
    seen = await pair.seen(task)

    retried = await pair.there.get(await pair.there.retry_failed(task.id))

    assert [event.progress.processed async for event in retried.watch()][-1] == 2
    assert {it.id for it in pair.here.all()} == {task.id, retried.id}
    assert not seen.can_retry
    with pytest.raises(ConflictError, match="nothing to try again"):
        await pair.there.retry_failed(task.id)


async def test_a_retry_that_finds_no_room_can_be_tried_again(pair: Pair) -> None:
    """Nothing is lost by the refusal, which is told as the process that refuses says it."""

    async def fail(_: str) -> None:
        raise ItemFailedError("no luck")

    task = pair.start(fail, again=lambda items: pair.start(nothing, items=items))
    await task.wait()
    await pair.seen(task)
    others = [pair.start(HandWork()) for _ in range(MOST_RUNNING)]
    with pytest.raises(OverloadedError, match="50 tasks are under way"):
        await pair.there.retry_failed(task.id)
    await others[0].abort()

    assert await pair.there.retry_failed(task.id) != task.id


async def test_what_is_under_way_ends_with_the_process() -> None:
    """When the block ends every item has ended, every watcher has been told, and nothing is left running."""
    before = asyncio.all_tasks()
    work, paused_work = HandWork(), HandWork()
    async with open_tasks() as tasks:
        over = await finished(tasks)
        under_way, paused = tasks.start(job(work)), tasks.start(job(paused_work))
        paused.pause()
        never_begun = tasks.start(job(work))
        watching = asyncio.ensure_future(_statuses(under_way))
        await settle()
        tasks.start(job(work))

    assert asyncio.all_tasks() - before <= {watching}
    assert sorted(work.broken_off) == sorted(work.begun)
    assert paused_work.begun == []
    assert [task.status for task in (under_way, paused, never_begun)] == [Status.CANCELLED] * 3
    assert over.status is Status.DONE
    assert await watching == [Status.RUNNING, Status.CANCELLED]


async def _statuses(task: Task) -> list[Status]:
    return [event.progress.status async for event in task.watch()]
