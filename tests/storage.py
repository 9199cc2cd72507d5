"""The databases that storage tests run on: the same tests on SQLite and on PostgreSQL."""

import os
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from grok_app.db import Database, Vault, open_database, upgrade
from grok_app.settings import SettingsService, open_settings

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432")
END_OTHERS = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@pytest.fixture(scope="session")
def postgres() -> Generator[str, None, None]:
    """A PostgreSQL database of this process's. To make one takes ten times as long as to empty it.

    Without a PostgreSQL server its tests are skipped, in CI they fail.
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


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind, which nobody else has open."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    url: str = request.getfixturevalue("postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(END_OTHERS)  # what a test left open would hold locks
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return url


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
