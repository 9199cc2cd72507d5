"""Scripts, messages, and a server that goes away and comes back."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Sized
from uuid import uuid4

import pytest

from grok_app.shared import Shared, SharedAwayError, open_shared
from tests.redis import Cable, forget

COUNT = "return redis.call('INCRBY', KEYS[1], ARGV[1])"


async def test_without_a_url_a_process_is_alone() -> None:
    """There is nothing to share."""
    async with open_shared("", "alone") as shared:
        assert shared is None


async def test_a_script_is_atomic(shared: Shared) -> None:
    """A hundred of them at once lose nothing, with fewer connections than callers."""
    count = shared.script(COUNT)

    results = await asyncio.gather(*(count([shared.key("n")], [1]) for _ in range(100)))

    assert sorted(results) == list(range(1, 101))


async def test_installations_do_not_see_each_other(shared: Shared, redis_url: str) -> None:
    """Each has its keys to itself."""
    async with open_shared(redis_url, other := uuid4().hex) as stranger:
        assert stranger
        await shared.script(COUNT)([shared.key("n")], [5])

        assert await stranger.script(COUNT)([stranger.key("n")], [1]) == 1
    forget(redis_url, other)


async def test_a_message_reaches_every_process(shared: Shared, redis_url: str) -> None:
    """The one that sent it, too."""
    heard: list[tuple[str, bytes]] = []
    async with open_shared(redis_url, shared.name) as other:
        assert other
        shared.on_message("news", lambda data: heard.append(("one", data)))
        other.on_message("news", lambda data: heard.append(("other", data)))

        await _until(lambda: _tells(shared, {name for name, _ in heard}, 2))

    assert {data for _, data in heard} == {b"hello"}


async def test_a_bad_message_spoils_no_later_one(shared: Shared) -> None:
    """What a handler raises is logged."""
    heard: list[bytes] = []

    def handle(data: bytes) -> None:
        heard.append(data)
        raise ValueError("odd")

    shared.on_message("news", handle)

    await _until(lambda: _tells(shared, heard, 3))


async def test_away_is_said_at_once_and_back_is_noticed(redis_url: str) -> None:
    """The first call may wait for the connection; the others fail without asking. Listening begins anew by itself."""
    cable = Cable(redis_url)
    await cable.plug()
    heard: list[bytes] = []
    connects: list[float] = []

    async def catch_up() -> None:
        connects.append(time.monotonic())

    async with open_shared(cable.url, name := uuid4().hex) as shared:
        assert shared
        shared.on_message("news", heard.append)
        shared.on_connect(catch_up)
        await _until(lambda: _tells(shared, heard, 1))
        await cable.cut()

        with pytest.raises(SharedAwayError):
            await shared.ping()
        began = time.monotonic()
        for _ in range(1000):
            with pytest.raises(SharedAwayError):
                await shared.ping()
        assert time.monotonic() - began < 0.5
        assert shared.is_away

        await cable.plug()
        heard.clear()
        await _until(lambda: _tells(shared, heard, 1))
        assert not shared.is_away
    await cable.cut()
    assert connects
    forget(redis_url, name)


async def test_a_server_that_hangs_is_away() -> None:
    """It takes the connection and says nothing: after a few seconds that is known."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        async with open_shared(f"redis://127.0.0.1:{server.getsockname()[1]}", "hung") as shared:
            assert shared
            with pytest.raises(SharedAwayError):
                await shared.ping()


async def _tells(shared: Shared, heard: Sized, at_least: int) -> bool:
    try:
        await shared.tell("news", "hello")
    except SharedAwayError:
        return False
    return len(heard) >= at_least


async def _until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await is_so():  # noqa: ASYNC110 - another process's doing has no event
            await asyncio.sleep(0.05)
