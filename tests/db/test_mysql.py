"""What MySQL and MariaDB do otherwise than the rest, unless they are told."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DataError, SQLAlchemyError
from sqlmodel import select

from grok_app.db import Database, open_database, upgrade
from grok_app.db import mysql as mysql_driver
from grok_app.db.database import driver_url
from grok_app.errors import ConfigurationError
from grok_app.settings import SettingRow
from tests.db.silence import check_silence_is_left
from tests.db.test_migrate import TABLES, connected, tables
from tests.storage import empty_mysql, end_others_on_mysql, mysql_server

LONGEST_TEXT = 100_000
"""More characters, of four bytes each, than a prompt and an answer that are kept."""


@pytest.fixture
def url(mysql: str) -> str:
    """An empty database of this kind alone."""
    return empty_mysql(mysql)


@pytest.fixture
async def database(url: str) -> AsyncGenerator[Database]:
    """With all tables."""
    upgrade(url)
    async with open_database(url) as opened:
        yield opened


async def stored(database: Database) -> dict[str, str]:
    """The rows of settings."""
    async with database.session() as session:
        return {row.name: row.value for row in (await session.exec(select(SettingRow))).all()}


async def store(database: Database, **rows: str) -> None:
    """Add settings."""
    async with database.session() as session:
        session.add_all(SettingRow(name=name, value=value) for name, value in rows.items())


async def test_texts_are_kept_whole_and_exactly(database: Database) -> None:
    """Longer ones than TEXT takes, all of Unicode, and keys that differ in a letter's case or accent."""
    rows = {"cafe": "🦜" * LONGEST_TEXT, "CAFE": "ö\\'\"%_\n", "café": ""}
    await store(database, **rows)
    assert await stored(database) == rows


async def test_what_does_not_fit_is_refused(database: Database) -> None:
    """Not cut, whatever the server's own mode is."""
    with pytest.raises(DataError):
        await store(database, **{"x" * 101: ""})
    assert await stored(database) == {}


async def test_a_session_sees_what_others_have_committed(database: Database) -> None:
    """Also when it has read before."""
    async with database.session() as session:
        assert (await session.exec(select(SettingRow.name))).all() == []
        await store(database, later="")
        assert (await session.exec(select(SettingRow.name))).all() == ["later"]


async def test_ended_connections_are_replaced(database: Database, url: str) -> None:
    """A server that ends idle connections, or was restarted, is not noticed."""
    await database.ping()
    with mysql_server() as server:
        end_others_on_mysql(server, url.rpartition("/")[2])
    await database.ping()


async def test_a_silent_server_is_left_in_time(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of a unit of work and before one; when it speaks again, so does the database."""
    monkeypatch.setitem(mysql_driver._PATIENCE, "read_timeout", "1")
    upgrade(url)
    await check_silence_is_left(url)


async def test_a_broken_off_query_leaves_nothing_to_the_next(database: Database) -> None:
    """Its answer never reaches who uses the connection afterwards."""

    async def ask(number: int, pause_s: float) -> int | None:
        async with database.session() as session:
            asked = await (await session.connection()).execute(text(f"SELECT {number}, SLEEP({pause_s})"))
            return asked.scalar()

    for number in range(5):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await ask(number, 0.5)
        assert await ask(number + 100, 0) == number + 100


def test_finished_steps_stay_and_are_known(url: str) -> None:
    """A failed migration stops the start; once the reason is gone, the next start goes on from there."""
    with connected(url) as connection:
        connection.exec_driver_sql("CREATE TABLE console_session (x INTEGER)")
    with pytest.raises(SQLAlchemyError, match="already exists"):
        upgrade(url)
    assert tables(url) == TABLES - {"request", "request_content"}
    with connected(url) as connection:
        connection.exec_driver_sql("DROP TABLE console_session")
    upgrade(url)
    assert tables(url) == TABLES


def test_a_process_that_ends_between_two_steps_has_noted_the_first(url: str) -> None:
    """The next start doesn't do it again."""

    def end(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "CREATE TABLE console_session" in statement:
            raise KeyboardInterrupt

    event.listen(Engine, "before_cursor_execute", end)
    try:
        with pytest.raises(KeyboardInterrupt):
            upgrade(url)
    finally:
        event.remove(Engine, "before_cursor_execute", end)
    assert tables(url) == {"account", "setting", "turn"}
    upgrade(url)
    assert tables(url) == TABLES


def test_processes_that_start_at_once_migrate_in_turn(url: str) -> None:
    """One makes the tables, the others wait and find them."""
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(upgrade, url) for _ in range(4)]:
            done.result()
    assert tables(url) == TABLES


@pytest.mark.parametrize(("driver", "is_async"), [("asyncmy", True), ("pymysql", False)])
def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch, driver: str, is_async: bool) -> None:
    """With the command that installs it, and without the URL's password."""
    monkeypatch.setitem(sys.modules, driver, None)
    for scheme in ("mysql", "mariadb"):
        with pytest.raises(ConfigurationError, match=r"pip install 'grok-app\[mysql\]'") as refused:
            driver_url(f"{scheme}://user:hunter2@host/name", is_async=is_async)
        assert "hunter2" not in str(refused.value)


def test_what_the_url_says_itself_stays() -> None:
    """An operator may have more patience. Migrations have all of it: they wait for each other."""
    rest = "mysql://host/name?read_timeout=60"
    assert driver_url(rest, is_async=True).query["read_timeout"] == "60"
    assert driver_url("mysql://host/name", is_async=True).query["read_timeout"] == "10"
    assert "read_timeout" not in driver_url("mysql://host/name", is_async=False).query


@pytest.mark.parametrize("scheme", ["mysql", "mariadb"])
def test_both_names_mean_the_same(scheme: str) -> None:
    """MariaDB is spoken to as MySQL."""
    rest = "://user:p%40ss@host:3307/name"
    for is_async, driver in ((True, "asyncmy"), (False, "pymysql")):
        shown = driver_url(scheme + rest, is_async=is_async).render_as_string(hide_password=False)
        assert shown.partition("?")[0] == f"mysql+{driver}{rest}"
