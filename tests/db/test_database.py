"""The session rule."""

import pytest
from sqlmodel import select

from grok_app.db import Database, open_database, shown_database
from grok_app.db.database import driver_url
from grok_app.errors import ConfigurationError
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


async def test_ping(database: Database) -> None:
    """A database answers."""
    await database.ping()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:////data/grok_app.db", "sqlite /data/grok_app.db"),
        ("sqlite:///data/grok_app.db?mode=rw", "sqlite data/grok_app.db"),
        ("postgresql://user:hunter2@host:5433/name", "postgresql host:5433/name"),
        ("postgresql://host/name?user=me&password=hunter2", "postgresql host/name"),
        ("postgresql://host/name?password=hunter@hunter2", "postgresql host/name"),
        ("postgresql://user:hunter2?hunter2/hunter2@[::1]/name", "postgresql [::1]/name"),
    ],
)
def test_people_see_a_database_without_its_password(url: str, expected: str) -> None:
    """Wherever in the URL the password is."""
    assert shown_database(url) == expected


def test_a_wrong_url_is_refused_without_its_password() -> None:
    """A URL that can't be read stops the start, and is not repeated."""
    with pytest.raises(ConfigurationError, match="GROK_APP_DATABASE_URL") as refused:
        driver_url("postgresql://user:hunter2@host:port/name", is_async=True)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None
