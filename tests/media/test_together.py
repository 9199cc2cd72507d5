"""Several pieces of work, of which none may fail."""

import asyncio

import pytest

from grok_app.media import together


async def test_results_come_in_the_order_of_the_works() -> None:
    """Whichever ends first; and all are under way at once."""
    turns = [asyncio.Event() for _ in range(3)]

    async def work(number: int) -> int:
        if number < 2:
            await turns[number + 1].wait()
        turns[number].set()
        return number

    assert await together(work(number) for number in range(3)) == [0, 1, 2]


async def test_nothing_to_do_is_done() -> None:
    """It gives an empty list."""
    assert await together([]) == []


async def test_the_first_failure_ends_the_others_and_is_raised_as_it_is() -> None:
    """Without a group around it, and with its own cause. The others have ended by then."""
    cause, failure = OSError("no disk"), ValueError("no file")
    ended: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waits")

    async def fails() -> None:
        raise failure from cause

    with pytest.raises(ValueError, match="no file") as raised:
        await together([waits(), fails(), waits()])
    assert raised.value is failure
    assert raised.value.__cause__ is cause
    assert ended == ["waits", "waits"]


async def test_leaving_ends_all() -> None:
    """And it is still called leaving, not a failure."""
    ended: list[int] = []
    begun = asyncio.Event()

    async def work(number: int) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    working = asyncio.create_task(together(work(number) for number in range(2)))
    await begun.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert sorted(ended) == [0, 1]
