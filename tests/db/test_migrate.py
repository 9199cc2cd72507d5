"""Migrations: up, down, agreeing with the models, and all or nothing."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect
from sqlalchemy.exc import SQLAlchemyError

import grok_app.access
import grok_app.accounts
import grok_app.requests
import grok_app.settings  # noqa: F401 - its table belongs to the metadata
from grok_app.db import TableModel, downgrade, upgrade
from grok_app.db.database import driver_url

TABLES = {"account", "console_session", "request", "request_content", "setting", "turn"}


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
    """Half a migration is never left behind."""
    with connected(database_url) as connection:
        connection.exec_driver_sql("CREATE TABLE setting (x INTEGER)")
    with pytest.raises(SQLAlchemyError):
        upgrade(database_url)
    assert tables(database_url) == {"setting"}
