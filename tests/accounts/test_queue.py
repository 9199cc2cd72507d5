"""Who waits, and who is served first."""

import asyncio

import pytest

from grok_app.accounts.queue import Queue
from grok_app.catalog import Pool

BASIC, BOTH = (Pool.BASIC,), (Pool.BASIC, Pool.SUPER)


class Counter:
    """Things to be had, and who has got one."""

    def __init__(self) -> None:
        self.left = 0
        self.served: list[str] = []
        self.queue = Queue()

    async def wait(
        self, name: str, pools: tuple[Pool, ...] = BASIC, *, is_picky: bool = False, limit_s: float = 5
    ) -> bool | None:
        """Wait for one."""

        async def attempt() -> bool | None:
            if not self.left or is_picky:
                return None
            self.left -= 1
            self.served.append(name)
            if self.left:
                self.queue.call(Pool.BASIC)
            return True

        return await self.queue.wait(pools, attempt, lambda: True, limit_s, is_picky=is_picky)


async def start(*waits: "asyncio.Task[bool | None]") -> None:
    """Let them get in line."""
    for _ in waits:
        await asyncio.sleep(0)


async def test_first_come_first_served() -> None:
    """In the order in which they came, one for each thing there is."""
    counter = Counter()
    waits = [asyncio.create_task(counter.wait(name)) for name in "abc"]
    await start(*waits)
    counter.left = 2
    counter.queue.call(Pool.BASIC)
    await asyncio.gather(*waits[:2])
    assert counter.served == ["a", "b"]
    counter.left = 1
    counter.queue.call(Pool.BASIC)
    assert await waits[2]


async def test_who_can_not_use_it_lets_the_next_one_have_it() -> None:
    """And keeps the place in line."""
    counter = Counter()
    picky = asyncio.create_task(counter.wait("picky", is_picky=True))
    other = asyncio.create_task(counter.wait("other"))
    await start(picky, other)
    counter.left = 1
    counter.queue.call(Pool.BASIC)
    assert await other
    assert not picky.done()
    picky.cancel()


async def test_only_those_whom_a_pool_serves_are_called() -> None:
    """A super account wakes nobody who wants a basic one."""
    counter = Counter()
    basic, both = (asyncio.create_task(counter.wait(str(pools), pools)) for pools in (BASIC, BOTH))
    await start(basic, both)
    counter.left = 1
    counter.queue.call(Pool.SUPER)
    assert await both
    assert not basic.done()
    basic.cancel()


async def test_nobody_waits_longer_than_the_limit() -> None:
    """Nor is anybody behind held up by one who left."""
    counter = Counter()
    assert await counter.wait("a", limit_s=0.01) is None


@pytest.mark.parametrize("leaves", ["cancelled", "served"])
async def test_a_call_is_never_lost(leaves: str) -> None:
    """When the one who is called goes away at that very moment, the next one is called."""
    counter = Counter()
    first, second = (asyncio.create_task(counter.wait(name)) for name in "ab")
    await start(first, second)
    counter.left = 1
    counter.queue.call(Pool.BASIC)
    if leaves == "cancelled":
        first.cancel()
        assert await second
    else:
        assert await first
        second.cancel()


async def test_what_happens_by_the_clock_is_seen_without_a_call() -> None:
    """Within a second or so."""
    counter = Counter()
    waiting = asyncio.create_task(counter.wait("a"))
    await start(waiting)
    counter.left = 1
    assert await waiting
