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


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[str, None, None]:
    """The URL of an empty database of each kind. Without a PostgreSQL server its tests are skipped, in CI they fail."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
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
