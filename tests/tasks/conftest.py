"""Tasks as their own process sees them, and as another one does, over a Redis of this machine."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import pytest

from grok_app.db import Vault
from grok_app.errors import GatewayError
from grok_app.shared import open_shared
from grok_app.tasks import Record, Task, Tasks, open_tasks
from tests.redis import forget, redis_url
from tests.tasks.works import job

__all__ = ["redis_url"]
VAULT: Final = Vault(["a key for tests only"])


class Clock:
    """A clock that stands still until told."""

    def __init__(self) -> None:
        self.now_ms = 1_000_000

    def __call__(self) -> int:
        """The time."""
        return self.now_ms


@dataclass
class Pair:
    """Where tasks are started, and where they are looked at: another process, or the same."""

    here: Tasks
    there: Tasks

    def start(self, work: Any, **changes: Any) -> Task:
        """A task of the four items `abcd`, two at once."""
        return self.here.start(job(work, **changes))

    async def seen(self, task: Task) -> Record:
        """The task from there, when everything is known that is known here."""
        await self.here.announce(task)
        seen = await self.there.get(task.id)
        await until(lambda: looks(seen) == looks(task))
        return seen


@pytest.fixture
def clock() -> Clock:
    """The time that the tasks go by."""
    return Clock()


@pytest.fixture
def installation(redis_url: str) -> Generator[str]:
    """The name of one that is this test's alone."""
    name = uuid4().hex
    yield name
    forget(redis_url, name)


@pytest.fixture(params=["alone", "redis"])
async def pair(request: pytest.FixtureRequest, clock: Clock) -> AsyncGenerator[Pair]:
    """No tasks yet; looked at by the process itself, and from another one."""
    if request.param == "alone":
        async with open_tasks(now_ms=clock) as tasks:
            yield Pair(tasks, tasks)
        return
    url, name = request.getfixturevalue("redis_url"), request.getfixturevalue("installation")
    async with shared_tasks(url, name, clock) as there, shared_tasks(url, name, clock) as here:
        yield Pair(here, there)


@asynccontextmanager
async def shared_tasks(url: str, name: str, clock: Callable[[], int] = lambda: 1_000_000) -> AsyncGenerator[Tasks]:
    """The tasks of one more process."""
    async with open_shared(url, name) as shared, open_tasks(shared, VAULT, now_ms=clock) as tasks:
        yield tasks


def looks(record: Record) -> Any:
    """Everything that can be seen of a task at once."""
    failures = [(failure.index, failure.item, failure.reason) for failure in record.failures()]
    times = record.started_at_ms, record.finished_at_ms
    return record.kind, record.progress(), times, record.is_over, record.can_retry, record.error, failures


async def until(is_so: Callable[[], object]) -> None:
    """Wait for what another process does."""
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 - another process's doing has no event
            await asyncio.sleep(0.005)


async def found(ask: Callable[[], Awaitable[Any]], what: type[Exception]) -> None:
    """Wait until this question ends in such an error, and in no other one."""
    async with asyncio.timeout(20):
        while True:
            try:
                await ask()
            except GatewayError as error:
                if isinstance(error, what):
                    return
            await asyncio.sleep(0.005)
