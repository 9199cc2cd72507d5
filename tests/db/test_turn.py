"""Turns between processes."""

import asyncio

import pytest

from grok_app.db import Database, Turn, now_ms, turn


async def test_one_of_many_has_the_turn(database: Database) -> None:
    """However many ask at the same time; whoever has it may take it again."""
    turns = [Turn(database, "work", 60) for _ in range(8)]
    taken = await asyncio.gather(*(turn.take() for turn in turns))
    assert sum(taken) == 1
    assert await turns[taken.index(True)].take()
    assert not await turns[taken.index(False)].take()
    assert await Turn(database, "other work", 60).take()


async def test_a_turn_that_is_given_back_is_free(database: Database) -> None:
    """At once; giving back what another one has changes nothing."""
    first, second = Turn(database, "work", 60), Turn(database, "work", 60)
    assert await first.take()
    await second.give_back()
    assert not await second.take()
    await first.give_back()
    assert await second.take()


async def test_the_turn_of_a_dead_process_ends(database: Database) -> None:
    """By the time that it was taken for."""
    assert await Turn(database, "work", 0).take()
    assert await Turn(database, "work", 60).take()


async def test_a_turn_of_the_future_ends(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was taken while the clock was a day ahead keeps nobody waiting for that day."""
    with monkeypatch.context() as patched:
        patched.setattr(turn, "now_ms", lambda: now_ms() + 86_400_000)
        assert await Turn(database, "work", 60).take()
    assert await Turn(database, "work", 60).take()
    assert not await Turn(database, "work", 60).take()
