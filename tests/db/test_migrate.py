"""Migrations: up, down, agreeing with the models, and all or nothing."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

import grok_app.access
import grok_app.accounts
import grok_app.requests
import grok_app.settings  # noqa: F401 - its table belongs to the metadata
from grok_app.db import TableModel, downgrade, upgrade
from grok_app.db.database import driver_url

TABLES = {"account", "console_session", "request", "request_content", "setting", "turn"}
AT_ONCE = 6
UPGRADING = """
import sys
from grok_app import access, accounts, requests, settings
from grok_app.db import upgrade
print("ready", flush=True)
sys.stdin.readline()
upgrade(sys.argv[1])
"""
"""A process that has loaded everything, says so, and waits for a line."""


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A plain connection to look at the result."""
    engine = create_engine(driver_url(url, is_async=False))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def tables(url: str) -> set[str]:
    """The names of all tables but alembic's own."""
    with connected(url) as connection:
        return set(inspect(connection).get_table_names()) - {"alembic_version"}


def test_a_new_database_is_its_owners_alone(tmp_path: Path) -> None:
    """Others on the machine read neither it nor what SQLite keeps beside it."""
    upgrade(f"sqlite:///{tmp_path / 'new' / 'grok_app.db'}")
    with connected(f"sqlite:///{tmp_path / 'new' / 'grok_app.db'}") as connection:
        connection.execute(text("DELETE FROM setting"))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new").iterdir()}
    assert set(modes.values()) == {0o600}
    assert len(modes) > 1


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    """Who may write to another owner's database may bring it up to date, though not set its times."""
    url = f"sqlite:///{tmp_path / 'grok_app.db'}"
    upgrade(url)
    os.utime(tmp_path / "grok_app.db", (1, 1))
    upgrade(url)
    assert (tmp_path / "grok_app.db").stat().st_mtime == 1


def test_up_down_and_up_again(database_url: str) -> None:
    """From empty to the newest schema, back to nothing, and up once more."""
    upgrade(database_url)
    assert tables(database_url) == TABLES
    downgrade(database_url, "base")
    assert tables(database_url) == set()
    upgrade(database_url)
    upgrade(database_url)
    assert tables(database_url) == TABLES


def test_models_and_migrations_agree(database_url: str) -> None:
    """Nobody changes a model without its migration."""
    upgrade(database_url)
    with connected(database_url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, TableModel.metadata) == []


def test_a_failed_migration_changes_nothing(database_url: str) -> None:
    """Half a migration is never left behind. What MySQL does instead is tested with MySQL."""
    if database_url.startswith("mysql"):
        pytest.skip("MySQL commits with every change of a table")
    with connected(database_url) as connection:
        connection.exec_driver_sql("CREATE TABLE setting (x INTEGER)")
    with pytest.raises(SQLAlchemyError):
        upgrade(database_url)
    assert tables(database_url) == {"setting"}


def test_many_processes_may_upgrade_at_once(database_url: str) -> None:
    """Each ends well, as two machines do that start on one new database."""
    command = [sys.executable, "-c", UPGRADING, database_url]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes: list[Any] = [subprocess.Popen(command, text=True, **pipes) for _ in range(AT_ONCE)]
    for process in processes:
        process.stdout.readline()
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * AT_ONCE, "\n".join(said)
    assert tables(database_url) == TABLES
