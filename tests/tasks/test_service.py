"""The tasks of a process."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from grok_app.errors import NotFoundError, OverloadedError
from grok_app.tasks import Status, Task, Tasks, open_tasks
from grok_app.tasks.service import KEPT_MS, MOST_KEPT, MOST_RUNNING
from tests.tasks.works import HandWork, job, settle


class Clock:
    """A clock that stands still until told."""

    def __init__(self) -> None:
        self.now_ms = 1_000_000

    def __call__(self) -> int:
        """The time."""
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    """The time that the tasks go by."""
    return Clock()


@pytest.fixture
async def tasks(clock: Clock) -> AsyncGenerator[Tasks, None]:
    """No tasks yet."""
    tasks = Tasks(clock)
    yield tasks
    await tasks.abort()


async def nothing(_: object) -> None:
    """Work that is done at once."""


async def finished(tasks: Tasks) -> Task:
    """One more task that is over."""
    task = tasks.start(job(nothing))
    await task.wait()
    return task


def knows(tasks: Tasks, task: Task) -> bool:
    """Whether the task is still kept."""
    try:
        return tasks.get(task.id) is task
    except NotFoundError:
        return False


async def test_a_task_is_found_by_its_id(tasks: Tasks) -> None:
    """While it runs and when it is over; no two have the same id, and no id can be guessed."""
    running, over = tasks.start(job(HandWork(), kind="refresh")), await finished(tasks)

    assert knows(tasks, running)
    assert knows(tasks, over)
    assert running.id != over.id
    assert len(running.id) == len(over.id) == 32
    assert (running.kind, running.started_at_ms, running.finished_at_ms) == ("refresh", 1_000_000, None)


@pytest.mark.parametrize("task_id", ["", "nobody", "../x", "ä"], ids=repr)
async def test_an_unknown_id_is_an_error(tasks: Tasks, task_id: str) -> None:
    """The caller is told in the contract's words."""
    with pytest.raises(NotFoundError, match=r"^Task not found$"):
        tasks.get(task_id)


async def test_a_finished_task_is_kept_for_300_seconds(tasks: Tasks, clock: Clock) -> None:
    """Counted from its end; to the millisecond, and then it is gone."""
    work = HandWork()
    task = tasks.start(job(work, items="a"))
    await settle()
    clock.now_ms += 10 * KEPT_MS
    assert knows(tasks, task)
    work.finish("a")
    await task.wait()
    clock.now_ms += 300_000
    assert knows(tasks, task)
    clock.now_ms += 1
    assert not knows(tasks, task)


async def test_a_task_that_was_forgotten_is_told_to_the_end_to_those_who_watch(tasks: Tasks, clock: Clock) -> None:
    """Only new callers find nothing."""
    task = await finished(tasks)
    events = task.watch()
    await anext(events)
    clock.now_ms += KEPT_MS + 1
    assert not knows(tasks, task)
    assert [event.progress.status async for event in events] == [Status.DONE]


async def test_of_too_many_finished_tasks_the_ones_that_ended_first_go(tasks: Tasks, clock: Clock) -> None:
    """Running ones are never let go, however old."""
    running = tasks.start(job(HandWork()))
    over = []
    for _ in range(MOST_KEPT + 2):
        clock.now_ms += 1
        over.append(await finished(tasks))

    assert knows(tasks, running)
    assert [knows(tasks, task) for task in over] == [False] * 3 + [True] * (MOST_KEPT - 1)


async def test_too_many_at_once_are_refused(tasks: Tasks) -> None:
    """The caller is told to come back; when one has ended there is room again."""
    work = HandWork()
    started = [tasks.start(job(work)) for _ in range(MOST_RUNNING)]
    started[0].pause()
    with pytest.raises(OverloadedError, match="50 tasks are under way"):
        tasks.start(job(work))
    await started[0].abort()
    assert knows(tasks, tasks.start(job(work)))


async def test_running_tasks_are_listed_oldest_first(tasks: Tasks) -> None:
    """Paused ones too, finished ones not."""
    first = tasks.start(job(HandWork()))
    over = await finished(tasks)
    second = tasks.start(job(HandWork()))
    first.pause()

    assert over.is_over
    assert tasks.running() == [first, second]


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
