"""A PostgreSQL server that takes connections and says nothing."""

import asyncio
import time

import pytest
from psycopg.pq import TransactionStatus

from grok_app.db import open_database, postgres, upgrade
from grok_app.db.database import driver_url
from grok_app.db.postgres import LimitedConnection
from tests.db.silence import check_silence_is_left
from tests.storage import empty_postgres

LIMIT_S = 0.3


async def test_a_silent_server_is_left_in_time(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of a unit of work and before one; when it speaks again, so does the database."""
    monkeypatch.setattr(postgres, "_SILENCE_S", LIMIT_S)
    monkeypatch.setitem(postgres._PATIENCE, "connect_timeout", "2")  # the least that libpq takes
    await check_silence_is_left(postgres_url)


async def test_a_slow_line_is_not_silent(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that goes on coming, 20 KB at a time, may take as long as it will."""
    monkeypatch.setattr(postgres, "_SILENCE_S", 0.5)
    row_by_row = "SELECT repeat('x', 20000), pg_sleep(0.2) FROM generate_series(1, 5)"
    async with open_database(postgres_url) as database, database.session() as session:
        answer = await (await session.connection()).exec_driver_sql(row_by_row)
        assert len(answer.all()) == 5


async def test_a_busy_event_loop_is_not_the_servers_silence(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes our own time is not held against the server."""
    monkeypatch.setattr(postgres, "_SILENCE_S", LIMIT_S)
    async with await LimitedConnection.connect(postgres_url, autocommit=True) as connection:
        asking = asyncio.create_task(connection.execute("SELECT pg_sleep(0.6)"))
        while connection.info.transaction_status is not TransactionStatus.ACTIVE:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0)
        time.sleep(0.5)  # noqa: ASYNC251 - holds the loop, as it means to
        assert (await asking).rowcount == 1


def test_what_the_url_says_itself_stays() -> None:
    """An operator may have more patience, or less."""
    url = driver_url("postgresql://host/name?connect_timeout=60", is_async=True)
    assert url.query["connect_timeout"] == "60"
    assert url.query["tcp_user_timeout"] == "10000"


@pytest.fixture
def postgres_url(postgres: str) -> str:
    """A PostgreSQL database with our tables."""
    upgrade(empty_postgres(postgres))
    return postgres
