"""Transactions that are in each other's way."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from grok_app.db import Database, is_collision, retried
from grok_app.settings import SettingRow

STEP = text("UPDATE setting SET updated_at = updated_at + 1 WHERE name = :name")


@pytest.fixture
async def rows(database: Database) -> tuple[str, str]:
    """Two rows that are there."""
    names = ("first", "second")
    async with database.session() as session:
        session.add_all(SettingRow(name=name, value="", updated_at=0) for name in names)
    return names


async def updates(database: Database) -> list[int]:
    """How often each row was updated."""
    async with database.session() as session:
        found = await (await session.connection()).execute(text("SELECT updated_at FROM setting ORDER BY name"))
        return list(found.scalars())


async def test_two_who_lock_each_other_out_are_both_done(
    database: Database, database_url: str, rows: tuple[str, str]
) -> None:
    """The one whom the database has stopped does its work once more; nothing is done twice."""
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite has one writer")
    both_hold_one = asyncio.Barrier(2)
    tries: list[str] = []

    async def update(first: str, second: str) -> None:
        tries.append(first)
        async with database.session() as session:
            connection = await session.connection()
            await connection.execute(STEP, {"name": first})
            if len(tries) <= 2:
                await both_hold_one.wait()
            await connection.execute(STEP, {"name": second})

    first, second = rows
    await asyncio.gather(retried(lambda: update(first, second)), retried(lambda: update(second, first)))
    assert len(tries) == 3
    assert await updates(database) == [2, 2]


async def test_the_same_new_row_is_a_collision(database: Database, rows: tuple[str, str]) -> None:
    """It is tried again, and told when it is still in the way."""
    tries = 0

    async def add() -> None:
        nonlocal tries
        tries += 1
        async with database.session() as session:
            session.add(SettingRow(name=rows[0], value=""))

    with pytest.raises(IntegrityError) as refused:
        await retried(add)
    assert (tries, is_collision(refused.value)) == (5, True)


async def test_other_failures_are_told_at_once() -> None:
    """A database that is away is no collision."""
    tries = 0

    async def fail() -> None:
        nonlocal tries
        tries += 1
        raise OperationalError("SELECT 1", {}, Exception("away"))

    with pytest.raises(OperationalError):
        await retried(fail)
    assert tries == 1
