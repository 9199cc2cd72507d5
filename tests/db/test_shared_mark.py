"""A notice over Redis: heard by every process, and told also when Redis was away for a while."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from grok_app.db import Notice, SharedMark, open_shared_mark, shared_mark
from grok_app.shared import Shared, open_shared
from tests.redis import Cable, forget


@dataclass
class Process:
    """One process of an installation: its notice, and how often it has read."""

    shared: Shared
    mark: SharedMark
    notice: Notice
    times: int = 0

    async def read(self) -> None:
        """One reading."""
        self.times += 1

    async def hears(self) -> None:
        """Wait for a change."""
        await until(self.notice.has_changed)

    async def reads(self, times: int) -> None:
        """Wait for a change, and read; as often as this in all."""
        await self.hears()
        await self.notice.catch_up(self.read)
        assert (self.times, self.notice.has_changed()) == (times, False)


@dataclass
class Installation:
    """Starts processes."""

    url: str
    name: str
    stack: AsyncExitStack

    async def start(self, url: str = "") -> Process:
        """One process."""
        shared = await self.stack.enter_async_context(open_shared(url or self.url, self.name))
        assert shared
        mark = await self.stack.enter_async_context(open_shared_mark(shared, "settings"))
        return Process(shared, mark, Notice(mark))


@pytest.fixture
async def installation(redis_url: str) -> AsyncGenerator[Installation]:
    """Processes that end with the test."""
    name = uuid4().hex
    async with AsyncExitStack() as stack:
        yield Installation(redis_url, name, stack)
    forget(redis_url, name)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for another process's doing."""
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - another process's doing has no event
            await asyncio.sleep(0.002)


async def test_every_process_reads_once_per_change(installation: Installation) -> None:
    """The one that announced it, too; what was before its start is no news to a process."""
    here, there = await installation.start(), await installation.start()
    assert not there.notice.has_changed()
    for times in (1, 2):
        here.notice.announce()
        await here.reads(times)
        await there.reads(times)
    assert not (await installation.start()).notice.has_changed()


async def test_a_message_brings_it_at_once(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the next look."""
    monkeypatch.setattr(shared_mark, "_LOOK_S", 3600.0)
    here, there = await installation.start(), await installation.start()
    await until_subscribed(there)

    here.notice.announce()
    await there.reads(1)


async def test_a_lost_message_costs_a_second(installation: Installation) -> None:
    """The word is looked at without one."""
    here, there = await installation.start(), await installation.start()
    there.shared.on_message("notice:settings:news", lambda _: None)

    here.notice.announce()
    await there.reads(1)


async def test_who_knows_the_change_reads_nothing(installation: Installation) -> None:
    """Unless another process has announced one that isn't read yet; the others always read."""
    here, there = await installation.start(), await installation.start()
    for _ in range(2):
        here.notice.announce(is_known=True)
    await there.reads(1)
    assert not here.notice.has_changed()

    there.notice.announce(is_known=True)
    here.notice.announce(is_known=True)
    await here.hears()
    await there.hears()


async def test_what_is_announced_while_redis_is_away_is_told_later(installation: Installation, cable: Cable) -> None:
    """Without a restart, and nobody who announces something waits."""
    here, there = await installation.start(cable.url), await installation.start()
    await cable.cut()
    here.notice.announce()
    await until(lambda: here.shared.is_away)
    assert not there.notice.has_changed()

    await cable.plug()
    await there.reads(1)
    await here.reads(1)


async def test_what_was_missed_while_redis_was_away_is_heard_later(installation: Installation, cable: Cable) -> None:
    """Also by a process that has never seen Redis yet: it can't know what it missed, and reads."""
    here, there = await installation.start(), await installation.start(cable.url)
    await cable.cut()
    late = await installation.start(cable.url)
    here.notice.announce()
    await here.reads(1)

    await cable.plug()
    await there.reads(1)
    await late.reads(1)


async def test_a_redis_that_forgets_is_a_change(installation: Installation) -> None:
    """Whatever was announced before may not have been heard of by everybody."""
    here, there = await installation.start(), await installation.start()
    here.notice.announce()
    await there.reads(1)

    forget(installation.url, installation.name)
    await there.reads(2)
    here.notice.announce()
    await there.reads(3)


async def test_a_process_that_ends_at_once_has_told(installation: Installation) -> None:
    """A command is over as soon as it has made its change."""
    there = await installation.start()
    async with AsyncExitStack() as stack:
        here = await Installation(installation.url, installation.name, stack).start()
        here.notice.announce()
    await there.reads(1)


async def test_a_process_that_ends_without_redis_says_so(
    installation: Installation, cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some trials: it can't wait for ever."""
    monkeypatch.setattr(shared_mark, "_LAST_TRIALS_S", 0.3)
    async with AsyncExitStack() as stack:
        here = await Installation(cable.url, installation.name, stack).start()
        await cable.cut()
        here.notice.announce()
        with capture_logs() as lines:
            await stack.aclose()
    assert "other processes can't be told of a change: Redis is away" in [line["event"] for line in lines]
    await cable.plug()


async def until_subscribed(process: Process) -> None:
    """Wait until it hears messages."""
    heard = asyncio.Event()
    process.shared.on_message("hello", lambda _: heard.set())
    async with asyncio.timeout(10):
        while not heard.is_set():
            await process.shared.tell("hello", "")
            await asyncio.sleep(0.01)
