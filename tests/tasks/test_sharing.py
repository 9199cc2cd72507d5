"""Tasks of several processes: one that dies, one that leaves, a Redis that goes away or forgets."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from typing import Any, Final

import pytest
from redis import Redis
from structlog.testing import capture_logs

from grok_app.errors import NotFoundError, OverloadedError
from grok_app.shared import SharedAwayError, open_shared
from grok_app.tasks import (
    Ended,
    ItemFailedError,
    Snapshot,
    Status,
    Task,
    Tasks,
    open_tasks,
)
from grok_app.tasks.others import Others
from grok_app.tasks.sharing import SharedTasks
from grok_app.tasks.teller import Teller
from tests.redis import Cable, forget
from tests.tasks.conftest import VAULT, Pair, found, looks, shared_tasks, until
from tests.tasks.works import HandWork, assert_one_story, job, settle, watched

MANY: Final = 10_000
GONE: Final = "The process that did this has ended."
OWNER: Final = """
import asyncio, sys
from grok_app.tasks import others
from tests.tasks.conftest import shared_tasks
from tests.tasks.works import job

others.BEAT_S = 0.1

async def work(item):
    if item != "a":
        await asyncio.Event().wait()

async def main():
    async with shared_tasks(sys.argv[1], sys.argv[2]) as tasks:
        over, hung = tasks.start(job(work, items="a", conclude=lambda _: "x")), tasks.start(job(work))
        await over.wait()
        await tasks.announce(over)
        await tasks.announce(hung)
        print(over.id, hung.id, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that look at each other often, and wait less for one that is silent."""
    monkeypatch.setattr("grok_app.tasks.others.BEAT_S", 0.1)
    monkeypatch.setattr("grok_app.tasks.others.GONE_S", 2.0)
    monkeypatch.setattr("grok_app.tasks.asking._LIMIT_S", 0.5)


@pytest.fixture
async def two(redis_url: str, installation: str) -> AsyncGenerator[Pair]:
    """Two processes with one Redis."""
    async with shared_tasks(redis_url, installation) as there, shared_tasks(redis_url, installation) as here:
        yield Pair(here, there)


async def _cable(redis_url: str) -> AsyncGenerator[Cable]:
    """A way to Redis that can be cut."""
    cable = Cable(redis_url)
    await cable.plug()
    yield cable
    await cable.cut()


cable = pytest.fixture(_cable, name="cable")
other_cable = pytest.fixture(_cable, name="other_cable")


async def some_fail(item: int) -> None:
    """Work that takes a moment; every tenth item fails."""
    await asyncio.sleep(0)
    if item % 10 == 0:
        raise ItemFailedError("no luck")


async def test_ten_thousand_items_are_watched_from_elsewhere(two: Pair, redis_url: str, installation: str) -> None:
    """By a process that knew the task from its start, and by one that comes in between."""
    has_come = asyncio.Event()

    async def work(item: int) -> None:
        if item >= MANY // 2:
            await has_come.wait()
        await some_fail(item)

    task = two.start(work, items=range(MANY), concurrent=50, batch_size=MANY)
    await two.here.announce(task)
    seen = await two.there.get(task.id)
    early = asyncio.create_task(watched(seen))
    await until(lambda: seen.progress().processed > MANY // 3)
    async with shared_tasks(redis_url, installation) as third:
        late = asyncio.create_task(watched(await third.get(task.id)))
        await settle()
        has_come.set()
        for watching in (early, late):
            assert_one_story(await watching, task)
    assert early.result()[0].progress.processed < late.result()[0].progress.processed < MANY
    assert looks(await two.seen(task)) == looks(task)


@pytest.mark.usefixtures("quick")
async def test_messages_that_are_lost_make_no_gap(
    monkeypatch: pytest.MonkeyPatch, redis_url: str, installation: str
) -> None:
    """What was missed is read from Redis: the start, what is between, and the end."""
    hear, heard = Others._hear, 0

    def hear_some(self: Others, message: bytes) -> None:
        nonlocal heard
        heard += 1
        if heard % 3 == 0:
            hear(self, message)

    monkeypatch.setattr(Others, "_hear", hear_some)
    async with shared_tasks(redis_url, installation) as there, shared_tasks(redis_url, installation) as here:
        task = here.start(job(some_fail, items=range(MANY), concurrent=50, batch_size=MANY))
        await here.announce(task)
        assert_one_story(await watched(await there.get(task.id)), task)
    assert heard > 3


@pytest.mark.usefixtures("quick")
async def test_answers_that_are_lost_repeat_nothing(
    monkeypatch: pytest.MonkeyPatch, redis_url: str, installation: str
) -> None:
    """What was told, and then seemed not to have been, is told on from where it stands."""
    publish, told = Teller._send, 0

    async def send(self: Teller, task: Task) -> None:
        nonlocal told
        told += 1
        lengths, versions = dict(self._lengths), dict(self._versions)
        await publish(self, task)
        if told in (2, 3):
            self._lengths, self._versions = lengths, versions
            raise SharedAwayError("no answer")

    monkeypatch.setattr(Teller, "_send", send)
    monkeypatch.setattr("grok_app.tasks.teller._AGAIN_S", 0.1)
    async with shared_tasks(redis_url, installation) as there, shared_tasks(redis_url, installation) as here:
        task = here.start(job(some_fail, items=range(MANY), concurrent=50, batch_size=MANY))
        await here.announce(task)
        watching = asyncio.create_task(watched(await there.get(task.id)))
        assert_one_story(await watching, task)
        async with shared_tasks(redis_url, installation) as later:
            assert looks(await later.get(task.id)) == looks(task)
    assert told > 3


@pytest.mark.usefixtures("quick")
async def test_after_an_absence_of_redis_every_process_gets_time_to_come_back(
    monkeypatch: pytest.MonkeyPatch, cable: Cable, other_cable: Cable, installation: str
) -> None:
    """Everybody has been silent, so that silence says nothing."""
    monkeypatch.setattr("grok_app.tasks.others.GONE_S", 4.0)
    work = HandWork()
    async with shared_tasks(cable.url, installation) as there, shared_tasks(other_cable.url, installation) as here:
        task = here.start(job(work, items="a"))
        await here.announce(task)
        watching = asyncio.create_task(watched(await there.get(task.id)))
        await settle()
        await asyncio.sleep(4.2)
        await cable.cut()
        await other_cable.cut()
        await asyncio.sleep(4.2)

        await cable.plug()
        await found(lambda: there.get("nobody"), NotFoundError)  # has looked
        await other_cable.plug()
        work.finish("a")
        assert_one_story(await watching, task)


@pytest.mark.usefixtures("quick")
async def test_the_tasks_of_a_process_that_was_killed_have_ended(redis_url: str, installation: str) -> None:
    """Those under way with an error, told to whoever watches; those that were over stay as they were."""
    async with shared_tasks(redis_url, installation) as there:
        owner = await asyncio.create_subprocess_exec(
            sys.executable, "-c", OWNER, redis_url, installation, stdout=asyncio.subprocess.PIPE
        )
        assert owner.stdout
        over_id, hung_id = (await owner.stdout.readline()).decode().split()
        over, hung = await there.get(over_id), await there.get(hung_id)
        watching = asyncio.create_task(watched(hung))
        await until(lambda: hung.progress().processed == 1)
        assert await watched(over) == [Snapshot(over.progress()), Ended(over.progress(), "x", None)]
        await asyncio.sleep(2.2)  # longer than a silence means that a process has ended
        assert there.running() == [hung]

        os.kill(owner.pid, signal.SIGKILL)
        await owner.wait()
        *_, end = await watching

        assert end == Ended(hung.progress(), None, GONE)
        assert (hung.status, hung.is_over, hung.can_retry, hung.progress().processed) == (Status.ERROR, True, False, 1)
        assert (over.status, over.error) == (Status.DONE, None)
        assert there.running() == []
        await there.pause(hung_id)  # is over, so that it stays as it is
        with pytest.raises(OverloadedError, match="does not answer"):
            await watched(over)  # nobody has its result any more

        async with shared_tasks(redis_url, installation) as later:
            await until(lambda: [it.status for it in later.all() if it.id == hung_id] == [Status.ERROR])


async def test_a_task_is_found_as_soon_as_it_was_told(redis_url: str, installation: str) -> None:
    """Before its process has said anything else: whoever tells is there."""
    async with open_shared(redis_url, installation) as shared, shared_tasks(redis_url, installation) as there:
        assert shared
        here = SharedTasks(shared, VAULT)  # does not keep up
        task = here.start(job(HandWork()))
        await here.announce(task)
        seen = await there.get(task.id)
        with pytest.raises(NotFoundError):  # after another look
            await there.get("nobody")
        assert there.running() == [seen]
        await here.abort()


async def test_a_task_that_cannot_be_told_keeps_no_other_from_it(two: Pair) -> None:
    """A name that can't be written is logged; the task itself is done."""
    with capture_logs() as lines:
        odd = two.start(some_fail, items=[1], name=lambda _: "\ud800")
        await odd.wait()
        task = two.start(some_fail, items=[1])
        await until(lambda: [it.id for it in two.there.all() if it.is_over] == [task.id])

    assert odd.status is Status.DONE
    assert {line["event"] for line in lines} == {"a task can't be told to other processes"}
    assert {line["task_id"] for line in lines} == {odd.id}


async def test_a_process_that_stops_tells_how_its_tasks_ended(redis_url: str, installation: str) -> None:
    """They were broken off, which everybody sees at once."""
    async with shared_tasks(redis_url, installation) as there:
        async with shared_tasks(redis_url, installation) as here:
            task = here.start(job(HandWork()))
            await here.announce(task)
            seen = await there.get(task.id)
            watching = asyncio.create_task(watched(seen))
            await settle()
        *_, end = await watching
        assert (end.progress.status, seen.is_over, there.running()) == (Status.CANCELLED, True, [])


@pytest.mark.usefixtures("quick")
async def test_with_redis_away_a_task_goes_on_and_is_caught_up_with(
    monkeypatch: pytest.MonkeyPatch, cable: Cable, redis_url: str, installation: str
) -> None:
    """Where it runs, it is watched and steered; elsewhere it is as it was last known, and can't be told anything."""
    monkeypatch.setattr("grok_app.tasks.others.GONE_S", 60)
    work = HandWork()
    async with shared_tasks(redis_url, installation) as there, shared_tasks(cable.url, installation) as here:
        task = here.start(job(work, concurrent=4))
        await here.announce(task)
        seen = await there.get(task.id)
        elsewhere, locally = asyncio.create_task(watched(seen)), asyncio.create_task(watched(task))
        await settle()
        await cable.cut()

        work.finish("ab")
        await here.pause(task.id)
        await until(lambda: task.progress().processed == 2)
        started_away = here.start(job(HandWork()))
        await here.announce(started_away)
        with pytest.raises(OverloadedError, match="does not answer"):
            await there.cancel(task.id)
        assert seen.progress().processed == 0
        assert task.status is Status.PAUSED

        await cable.plug()
        await until(lambda: looks(seen) == looks(task))
        await until(lambda: len(there.running()) == 2)
        await there.resume(task.id)
        work.finish("cd")
        for watching in (elsewhere, locally):
            assert_one_story(await watching, task)


@pytest.mark.usefixtures("quick")
async def test_whoever_looks_on_with_redis_away_is_told(cable: Cable, redis_url: str, installation: str) -> None:
    """What is known is shown; a command, and a task that isn't known, are refused; later nothing is missing."""
    work = HandWork()
    async with shared_tasks(cable.url, installation) as there, shared_tasks(redis_url, installation) as here:
        task = here.start(job(work, concurrent=4))
        await here.announce(task)
        seen = await there.get(task.id)
        watching = asyncio.create_task(watched(seen))
        await settle()
        await cable.cut()

        await found(lambda: there.get("of whom nobody knows"), OverloadedError)
        with pytest.raises(OverloadedError, match="Redis is away"):
            await there.cancel(task.id)
        work.finish("abc")
        await until(lambda: task.progress().processed == 3)
        await asyncio.sleep(2.2)  # longer than a silence means that a process has ended
        assert (there.running(), seen.progress().processed) == ([seen], 0)

        await cable.plug()
        await until(lambda: looks(seen) == looks(task))
        work.finish("d")
        assert_one_story(await watching, task)
        with pytest.raises(NotFoundError):
            await there.get("of whom nobody knows")


@pytest.mark.usefixtures("quick")
async def test_a_redis_that_has_lost_everything_is_filled_again(redis_url: str, installation: str) -> None:
    """By the processes that know: a task under way goes on being watched, and who comes later sees all of it."""
    work = HandWork()
    async with shared_tasks(redis_url, installation) as there, shared_tasks(redis_url, installation) as here:
        task, over = here.start(job(work, concurrent=4)), here.start(job(some_fail, items=[10, 11]))
        await here.announce(task)
        watching = asyncio.create_task(watched(await there.get(task.id)))
        await settle()
        work.finish("ab")
        await over.wait()
        await until(lambda: _all(there) == _all(here))

        forget(redis_url, installation)

        work.finish("c")
        async with shared_tasks(redis_url, installation) as later:
            await until(lambda: _all(later) == _all(here))
        work.finish("d")
        assert_one_story(await watching, task)


@pytest.mark.usefixtures("quick")
async def test_a_process_that_was_only_cut_off_is_believed_again(
    cable: Cable, redis_url: str, installation: str
) -> None:
    """Its tasks were taken for ended; when it is heard again, they go on."""
    async with shared_tasks(redis_url, installation) as there, shared_tasks(cable.url, installation) as here:
        task = here.start(job(HandWork()))
        await here.announce(task)
        seen = await there.get(task.id)
        await cable.cut()
        await until(lambda: seen.is_over)
        assert (seen.status, seen.error) == (Status.ERROR, GONE)

        await cable.plug()
        await until(lambda: not seen.is_over)
        assert looks(seen) == looks(task)
        await there.pause(task.id)
        assert seen.status is Status.PAUSED


@pytest.mark.usefixtures("quick")
async def test_what_is_forgotten_leaves_nothing_in_redis(redis_url: str, installation: str) -> None:
    """Neither the tasks that their process forgot, nor, some time later, what a process left."""
    now_ms = 1_000_000
    async with shared_tasks(redis_url, installation, lambda: now_ms) as here:
        task = here.start(job(some_fail, items=[1, 2]))
        await task.wait()
        await here.announce(task)
        with Redis.from_url(redis_url) as redis:
            assert len(keys := _keys(redis, installation)) == 3
            assert all(0 < redis.ttl(key) <= 300 for key in keys)
            now_ms += 300_001
            await until(lambda: len(_keys(redis, installation)) == 1)
            assert 0 < redis.ttl(_keys(redis, installation)[0]) <= 300


def _keys(redis: Any, installation: str) -> list[bytes]:
    return sorted(redis.scan_iter(f"grok_app:{installation}:*"))


async def test_what_is_shared_is_sealed(redis_url: str, installation: str) -> None:
    """There is no way to forget that."""
    async with open_shared(redis_url, installation) as shared:
        with pytest.raises(ValueError, match="seals"):
            async with open_tasks(shared):
                pass


def _all(tasks: Tasks) -> dict[str, Any]:
    return {task.id: looks(task) for task in tasks.all()}
