"""The session rule."""

import pytest
from sqlmodel import select

from grok_app.db import Database, open_database
from grok_app.settings import SettingRow


async def test_a_block_that_raises_leaves_nothing(database: Database) -> None:
    """A unit of work is kept whole or not at all."""

    async def work() -> None:
        async with database.session() as session:
            session.add(SettingRow(name="a.b", value="1"))
            await session.flush()
            raise KeyError

    with pytest.raises(KeyError):
        await work()
    async with database.session() as session:
        assert (await session.exec(select(SettingRow))).all() == []


async def test_a_block_that_ends_is_kept(database: Database, database_url: str) -> None:
    """What was written is there for the next connection."""
    async with database.session() as session:
        session.add(SettingRow(name="a.b", value="1"))
    async with open_database(database_url) as other, other.session() as session:
        assert [row.name for row in (await session.exec(select(SettingRow))).all()] == ["a.b"]


async def test_kind_and_ping(database: Database, database_url: str) -> None:
    """A database answers, and says its name on the wire."""
    await database.ping()
    assert database.kind == ("sqlite" if database_url.startswith("sqlite") else "pgsql")
