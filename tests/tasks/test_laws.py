"""What holds for every task, whatever its size and whenever anybody interferes."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from grok_app.tasks import Ended, Event, ItemFailedError, ItemFinished, Snapshot, Status, Task
from tests.redis import forget
from tests.tasks.conftest import shared_tasks
from tests.tasks.works import assert_one_story, job, watched


@dataclass
class Script:
    """How a task goes."""

    lengths: list[int]
    """Of each item: how many rounds of the loop it takes; an odd one fails."""
    concurrent: int
    batch_size: int
    acts: list[tuple[str, int]]
    """What somebody does, and how many rounds later."""


@dataclass
class Journal:
    """What the work sees."""

    begun: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    most_at_once: int = 0
    is_in_order: bool = True
    """Whether no item began before the batch before its own was done."""


SCRIPTS = st.builds(
    Script,
    lengths=st.lists(st.integers(0, 7), max_size=12),
    concurrent=st.integers(1, 5),
    batch_size=st.integers(1, 5),
    acts=st.lists(st.tuples(st.sampled_from(["pause", "resume", "cancel", "watch"]), st.integers(0, 6)), max_size=8),
)


async def play(script: Script) -> tuple[Task, Journal, list[list[Event]]]:
    """Run a task to its end; what the work saw, and what each watcher did."""
    journal, watchers = Journal(), []

    async def work(index: int) -> int:
        journal.begun.append(index)
        journal.most_at_once = max(journal.most_at_once, len(journal.begun) - len(journal.ended))
        journal.is_in_order &= len(journal.ended) >= index // script.batch_size * script.batch_size
        for _ in range(script.lengths[index]):
            await asyncio.sleep(0)
        journal.ended.append(index)
        if script.lengths[index] % 2:
            raise ItemFailedError("odd")
        return index

    limits = {"concurrent": script.concurrent, "batch_size": script.batch_size}
    indices = range(len(script.lengths))
    task = Task(job(work, items=indices, conclude=lambda outcomes: [o.index for o in outcomes], **limits), lambda: 0)
    async with asyncio.TaskGroup() as group:
        for act, rounds in script.acts:
            for _ in range(rounds):
                await asyncio.sleep(0)
            if act == "watch":
                watchers.append(group.create_task(_read(task)))
            else:
                getattr(task, act)()
        task.resume()
        watchers.append(group.create_task(_read(task)))
    return task, journal, [watcher.result() for watcher in watchers]


async def _read(task: Task) -> list[Event]:
    return [event async for event in task.watch()]


@given(SCRIPTS)
def test_every_item_is_done_once_or_never_begun(script: Script) -> None:
    """What was begun is finished and counted; only a cancel leaves anything out."""
    task, journal, _ = asyncio.run(play(script))
    progress = task.progress()

    assert sorted(journal.begun) == sorted(journal.ended) == list(range(len(journal.begun)))
    assert progress.processed == progress.ok + progress.fail == len(journal.begun)
    assert progress.fail == sum(script.lengths[index] % 2 for index in journal.begun)
    assert [failure.index for failure in task.failures()] == [i for i in sorted(journal.begun) if script.lengths[i] % 2]
    if task.status is Status.DONE:
        assert progress.processed == progress.total == len(script.lengths)
    else:
        assert task.status is Status.CANCELLED
        assert "cancel" in [act for act, _ in script.acts]


@given(SCRIPTS)
def test_limits_hold(script: Script) -> None:
    """Never more items at once than allowed, and never two batches at once."""
    _, journal, _ = asyncio.run(play(script))

    assert journal.most_at_once <= min(script.concurrent, script.batch_size)
    assert journal.is_in_order


@given(SCRIPTS)
def test_every_watcher_sees_one_story(script: Script) -> None:
    """Whenever it came: a snapshot, then each item since, once and counted, and the one end."""
    task, journal, watchers = asyncio.run(play(script))

    for first, *between, last in watchers:
        assert isinstance(first, Snapshot)
        assert isinstance(last, Ended)
        assert last.progress == task.progress()
        assert last.result == (list(range(len(script.lengths))) if task.status is Status.DONE else None)
        items = [event for event in between if isinstance(event, ItemFinished)]
        assert len(items) == len(between)
        assert [event.outcome.index for event in items] == journal.ended[first.progress.processed :]
        counts = Counter(ok=first.progress.ok, fail=first.progress.fail)
        for event in items:
            counts["ok" if event.outcome.is_ok else "fail"] += 1
            assert (event.progress.ok, event.progress.fail) == (counts["ok"], counts["fail"])


@settings(max_examples=30, deadline=None)
@given(SCRIPTS)
def test_every_watcher_elsewhere_sees_the_same_story(redis_url: str, script: Script) -> None:
    """Whenever it came, and whoever paused, resumed or cancelled from there."""
    task, watchers = asyncio.run(play_elsewhere(redis_url, script))

    for events in watchers:
        assert_one_story(events, task)
        assert isinstance(events[-1], Ended)
        assert events[-1].result == ("made" if task.status is Status.DONE else None)


async def play_elsewhere(redis_url: str, script: Script) -> tuple[Task, list[list[Event]]]:
    """The same as `play`, with another process that watches and acts."""

    async def work(index: int) -> None:
        for _ in range(script.lengths[index]):
            await asyncio.sleep(0.001)
        if script.lengths[index] % 2:
            raise ItemFailedError("odd")

    limits = {"concurrent": script.concurrent, "batch_size": script.batch_size}
    async with shared_tasks(redis_url, name := uuid4().hex) as there, shared_tasks(redis_url, name) as here:
        task = here.start(job(work, items=range(len(script.lengths)), conclude=lambda _: "made", **limits))
        await here.announce(task)
        seen, watchers = await there.get(task.id), []
        async with asyncio.TaskGroup() as group:
            for act, rounds in script.acts:
                await asyncio.sleep(rounds * 0.001)
                if act == "watch":
                    watchers.append(group.create_task(watched(seen)))
                else:
                    await getattr(there, act)(task.id)
            await there.resume(task.id)
            watchers.append(group.create_task(watched(seen)))
    forget(redis_url, name)
    return task, [watcher.result() for watcher in watchers]
