"""Migrations, run by us at start: all of them or none."""

from pathlib import Path
from typing import Any

from alembic.config import Config
from sqlalchemy import Connection, create_engine, event

from alembic import command
from grok_app.db.database import driver_url, prepare_sqlite

_ROOT = Path(__file__).parents[2]


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the schema up to this revision, in one transaction.

    Makes the folder of a SQLite file that doesn't exist yet.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: A step failed; the database is as it was before.
    """
    _make_folder(url)
    _run(url, lambda config: command.upgrade(config, revision))


def downgrade(url: str, revision: str) -> None:
    """Take the schema back to this revision (`base`: empty), in one transaction."""
    _run(url, lambda config: command.downgrade(config, revision))


def _run(url: str, act: Any) -> None:
    engine = create_engine(driver_url(url, is_async=False))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", prepare_sqlite)
        event.listen(engine, "connect", _let_us_begin)
        event.listen(engine, "begin", _begin)
    try:
        with engine.begin() as connection:
            config = Config(_ROOT / "alembic.ini")
            config.attributes["connection"] = connection
            act(config)
    finally:
        engine.dispose()


def _let_us_begin(connection: Any, _record: Any) -> None:
    # Python's sqlite3 opens no transaction before DDL, so a failed migration would leave half of itself behind.
    connection.isolation_level = None


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _make_folder(url: str) -> None:
    parsed = driver_url(url, is_async=False)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
