"""The databases that storage tests run on: the same tests on SQLite, on PostgreSQL and on MariaDB or MySQL."""

import os
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError

from grok_app.db import Database, Vault, open_database, upgrade
from grok_app.db.database import driver_url
from grok_app.settings import SettingsService, open_settings

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432")
MYSQL = os.environ.get("TEST_MYSQL_URL", "mysql://root@127.0.0.1:3306")
END_OTHERS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@pytest.fixture(scope="session")
def postgres() -> Generator[str, None, None]:
    """A PostgreSQL database of this process's. To make one takes ten times as long as to empty it."""
    with postgres_database() as url:
        yield url


@contextmanager
def postgres_database() -> Generator[str, None, None]:
    """The URL of a new PostgreSQL database, which is gone after the block.

    Without a PostgreSQL server tests that ask for it are skipped, in CI they fail.
    """
    name = f"grok_app_test_{uuid4().hex}"
    try:
        server = psycopg.connect(f"{POSTGRES}/postgres", autocommit=True)
    except psycopg.OperationalError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no PostgreSQL at TEST_POSTGRES_URL ({POSTGRES}): {error}")
    with server:
        server.execute(f"CREATE DATABASE {name}")
        yield f"{POSTGRES}/{name}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def mysql() -> Generator[str, None, None]:
    """A MariaDB or MySQL database of this process's.

    Without a server its tests are skipped; they fail when TEST_MYSQL_URL names one that doesn't answer.
    """
    name = f"grok_app_test_{uuid4().hex}"
    try:
        with mysql_server() as server:
            server.execute(text(f"CREATE DATABASE {name}"))
    except OperationalError as error:
        if "TEST_MYSQL_URL" in os.environ:
            raise
        pytest.skip(f"no MariaDB or MySQL at TEST_MYSQL_URL ({MYSQL}): {error.orig}")
    yield f"{MYSQL}/{name}"
    with mysql_server() as server:
        end_others_on_mysql(server, name)
        server.execute(text(f"DROP DATABASE {name}"))


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind, which nobody else has open."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    if request.param == "mysql":
        return empty_mysql(request.getfixturevalue("mysql"))
    return empty_postgres(request.getfixturevalue("postgres"))


def empty_postgres(url: str) -> str:
    """The URL of this database, emptied, with nobody left in it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(END_OTHERS)  # what a test left open would hold locks
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return url


def empty_mysql(url: str) -> str:
    """The URL of this database, emptied, with nobody left in it."""
    name = url.rpartition("/")[2]
    with mysql_server() as server:
        end_others_on_mysql(server, name)
        server.execute(text(f"DROP DATABASE {name}"))
        server.execute(text(f"CREATE DATABASE {name}"))
    return url


def end_others_on_mysql(server: Connection, name: str) -> None:
    """End every connection to this database: what a test left open would hold locks."""
    those = text("SELECT id FROM information_schema.processlist WHERE db = :name AND command <> 'Killed'")
    for number in server.scalars(those, {"name": name}).all():
        with suppress(OperationalError):  # it has ended by itself
            server.execute(text(f"KILL {number}"))


@contextmanager
def mysql_server() -> Generator[Connection, None, None]:
    """A connection to the server, to none of its databases."""
    engine = create_engine(driver_url(MYSQL, is_async=False), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database, None]:
    """A database with all tables, empty."""
    upgrade(database_url)
    async with open_database(database_url) as opened:
        yield opened


@pytest.fixture
def vault() -> Vault:
    """A vault with a key of its own."""
    return Vault(["a key for tests only"])


@pytest.fixture
async def settings(database: Database, vault: Vault) -> SettingsService:
    """Settings at their defaults, but for a short delay before accounts are saved."""
    return await open_settings(database, vault, {"token.save_delay_ms": "10"})
