"""Work that is stopped when something else happens first."""

import asyncio
from typing import Any

import pytest

from grok_app.api.until import until, until_disconnect
from grok_app.errors import RateLimitedError

Message = dict[str, Any]


class Client:
    """Goes away when told."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()
        self.news: list[Message] = []

    async def receive(self) -> Message:
        """What the client sends, then the disconnect, when it comes."""
        if self.news:
            return self.news.pop(0)
        await self.gone.wait()
        return {"type": "http.disconnect"}


class Waiting:
    """Waits for ever; knows whether that has begun, and been cleaned up."""

    def __init__(self) -> None:
        self.has_begun = asyncio.Event()
        self.is_cleaned = False

    async def wait(self) -> str:
        """For ever."""
        self.has_begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.is_cleaned = True
        return "never"


async def work() -> str:
    """Done at once."""
    return "done"


async def test_work_goes_on_while_the_client_waits() -> None:
    """Whoever stays gets the result."""
    assert await until_disconnect(work(), Client().receive) == "done"


async def test_work_stops_when_the_client_goes() -> None:
    """Whoever leaves stops the work, and its clean-up has run when the caller is told."""
    client = Client()
    endless = Waiting()
    working = asyncio.create_task(until_disconnect(endless.wait(), client.receive))
    await endless.has_begun.wait()
    client.gone.set()
    assert await working is None
    assert endless.is_cleaned


async def test_an_error_of_the_work_is_the_callers() -> None:
    """What the work raises comes out as it is."""

    async def fail() -> None:
        raise RateLimitedError("Later")

    with pytest.raises(RateLimitedError):
        await until_disconnect(fail(), Client().receive)


async def test_a_client_that_only_says_more_has_not_gone() -> None:
    """The rest of its request is no reason to stop."""
    client, endless = Client(), Waiting()
    client.news = [{"type": "http.request", "body": b"", "more_body": False}] * 3
    working = asyncio.create_task(until_disconnect(endless.wait(), client.receive))
    await endless.has_begun.wait()
    for _ in range(10):
        await asyncio.sleep(0)
    assert not working.done()
    client.gone.set()
    assert await working is None


async def test_nothing_goes_on_behind_finished_work() -> None:
    """The others are stopped too, and cleaned up, before the result is handed over."""
    ends = Waiting(), Waiting()

    async def work() -> str:
        for end in ends:
            await end.has_begun.wait()
        return "done"

    assert await until(work(), *(end.wait() for end in ends)) == "done"
    assert all(end.is_cleaned for end in ends)


async def test_a_time_limit_of_the_work_is_no_end() -> None:
    """Its TimeoutError comes out as any other error of the work."""

    async def late() -> None:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await until(late(), asyncio.Event().wait())


async def test_an_end_that_fails_is_an_end() -> None:
    """Nobody can tell any more whether the client is there."""

    async def receive() -> Message:
        raise ConnectionError

    endless = Waiting()
    assert await until_disconnect(endless.wait(), receive) is None
    assert endless.is_cleaned


async def test_the_first_end_is_enough() -> None:
    """The work and the other ends are stopped, and cleaned up."""
    endless, other = Waiting(), Waiting()
    assert await until(endless.wait(), other.wait(), work()) is None
    assert endless.is_cleaned
    assert other.is_cleaned


async def test_work_that_is_done_in_the_same_moment_counts() -> None:
    """What was finished is not thrown away because its end came too."""
    assert await until(work(), work(), work()) == "done"


async def test_who_is_cancelled_takes_everything_along() -> None:
    """Cancellation comes out, and nothing goes on behind it."""
    endless, end = Waiting(), Waiting()
    working = asyncio.create_task(until(endless.wait(), end.wait()))
    await end.has_begun.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert endless.is_cleaned
    assert end.is_cleaned
