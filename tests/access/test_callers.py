"""How much may be asked with one API key: by each process, and by all that share a Redis."""

import asyncio
from collections.abc import Callable
from typing import Any, cast
from uuid import uuid4

import pytest

from grok_app.access.callers import Callers
from grok_app.access.shared_visits import SharedVisits
from grok_app.db import Vault
from grok_app.errors import RateLimitedError
from grok_app.shared import open_shared
from tests.access.fixed import Clock, fixed
from tests.redis import forget, kept_in

KEY, OTHER = "test-key-one", "test-key-two"


def callers(
    clock: Clock, shared: SharedVisits | None = None, *, keys: str = f"{KEY},{OTHER}", **limits: int
) -> Callers:
    """Callers with these limits."""
    return Callers(cast("Any", fixed(api_key=keys, **limits)), Vault(["a-secret-of-tests"]), clock, shared)


async def asks(door: Callers, key: str | None, times: int) -> int:
    """How many of so many requests are let in; those that aren't are told when to come again."""
    return await counted(times, lambda: door.count(key))


async def counted(times: int, attempt: Callable[[], Any]) -> int:
    """How many of so many attempts succeed."""
    results = [await asyncio.gather(attempt(), return_exceptions=True) for _ in range(times)]
    refusals = [error for [error] in results if isinstance(error, BaseException)]
    assert all(isinstance(error, RateLimitedError) and error.retry_after_s for error in refusals)
    return times - len(refusals)


async def test_by_default_there_is_no_limit() -> None:
    """An operator who sets none has none, and nothing is kept."""
    door = callers(Clock())
    assert await asks(door, KEY, 1000) == 1000
    assert await counted(100, lambda: door.answering(KEY)) == 100


async def test_each_key_has_its_own_minute() -> None:
    """As many as the limit, then none until the first is a minute old; other keys aren't touched."""
    clock = Clock()
    door = callers(clock, key_requests_per_minute=3)
    assert await asks(door, KEY, 9) == 3
    assert await asks(door, OTHER, 9) == 3

    clock.now_s += 60
    assert await asks(door, KEY, 9) == 3


async def test_each_key_has_so_many_answers_at_once() -> None:
    """One that has ended makes room for the next."""
    door = callers(Clock(), key_parallel_streams=2)
    first = await door.answering(KEY)
    assert await counted(9, lambda: door.answering(KEY)) == 1
    assert await counted(9, lambda: door.answering(OTHER)) == 2

    first.close()
    assert await counted(9, lambda: door.answering(KEY)) == 1


async def test_without_keys_all_count_as_one() -> None:
    """Where no key is wanted, another one that is shown gives no more."""
    door = callers(Clock(), keys="", key_requests_per_minute=3)
    assert await asks(door, None, 2) + await asks(door, "made-up", 2) == 3


async def test_processes_count_together_and_keep_no_key(redis_url: str) -> None:
    """A key is worth the same at all processes, and Redis knows it by a hash alone."""
    name = uuid4().hex
    try:
        async with open_shared(redis_url, name) as one, open_shared(redis_url, name) as two:
            assert one
            assert two
            clock = Clock()
            doors = [
                callers(clock, SharedVisits(shared, clock), key_requests_per_minute=5, key_parallel_streams=1)
                for shared in (one, two)
            ]
            assert await asks(doors[0], KEY, 3) + await asks(doors[1], KEY, 9) == 5
            with await doors[0].answering(KEY):
                with pytest.raises(RateLimitedError):
                    await doors[1].answering(KEY)
                assert await counted(1, lambda: doors[1].answering(OTHER)) == 1
            kept = kept_in(redis_url, name)
            assert kept
            assert not any(KEY in text or OTHER in text for text in kept)
    finally:
        forget(redis_url, name)
