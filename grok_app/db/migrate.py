"""Migrations, run by us at start: all of them or none, but on MySQL, which commits each statement of one."""

from pathlib import Path
from typing import Any, Final

from alembic.config import Config
from sqlalchemy import Connection, create_engine, event, text

from alembic import command
from grok_app.db.database import driver_url
from grok_app.db.mysql import migrate_alone
from grok_app.db.sqlite import prepare_sqlite

_ROOT = Path(__file__).parents[2]
_LOCK: Final = 0x67726F6B
"""The number of PostgreSQL's advisory lock; any other user of the database may not have the same."""


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the schema up to this revision, in one transaction where the database can: MySQL and MariaDB can't.

    Makes a SQLite file that doesn't exist yet, its owner's alone, and its folder. Of many processes at once one does
    it, the others wait.

    Raises:
        OSError: The file can't be made.
        sqlalchemy.exc.SQLAlchemyError: A step failed; the database is as it was before. On MySQL and MariaDB the
            steps before it are made and noted, and a part of it may be.
    """
    _make_file(url)
    _run(url, lambda config: command.upgrade(config, revision))


def downgrade(url: str, revision: str) -> None:
    """Take the schema back to this revision (`base`: empty), in the same way."""
    _run(url, lambda config: command.downgrade(config, revision))


def _run(url: str, act: Any) -> None:
    driver = driver_url(url, is_async=False)
    is_mysql = driver.get_backend_name() == "mysql"
    # There a transaction ends with every change of a table. What alembic notes about a step must not wait for the next.
    engine = create_engine(driver, isolation_level="AUTOCOMMIT") if is_mysql else create_engine(driver)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", prepare_sqlite)
        event.listen(engine, "connect", _let_us_begin)
        event.listen(engine, "begin", _begin)
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":  # SQLite has begun with a lock
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            elif is_mysql:
                migrate_alone(connection)
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


def _make_file(url: str) -> None:
    parsed = driver_url(url, is_async=False)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        file = Path(parsed.database)
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():  # another owner's may be written to, though not touched
            file.touch(mode=0o600)  # SQLite gives its -wal and -shm the same mode
