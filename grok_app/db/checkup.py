"""A look at a database that changes nothing: whether it is there, up to date, quick and writable."""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from grok_app.db.database import driver_url

_ROOT: Final = Path(__file__).parents[2]
_PATIENCE_S: Final = 5
_QUERIES: Final = 5
_WRITE: Final = "DELETE FROM setting WHERE name IS NULL"
"""Deletes nothing, since no name is null, and is refused where nothing can be written."""


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """What was found."""

    is_there: bool
    """False: no tables yet, or not even a file."""
    missing: int = 0
    """Migrations that it doesn't have."""
    is_newer: bool = False
    """Whether it has some that this version doesn't know."""
    query_ms: float = 0.0
    why_unwritable: str = ""
    """Empty where it can be written."""


def examine_database(url: str) -> DatabaseState:
    """Look at the database at this URL. Blocks, for some seconds where nobody answers.

    Raises:
        ConfigurationError: It is no URL, or the driver is not installed.
        sqlalchemy.exc.SQLAlchemyError: It doesn't answer.
    """
    driver = driver_url(url, is_async=False)
    is_file = driver.get_backend_name() == "sqlite"
    if is_file and not Path(driver.database or "").exists():
        return DatabaseState(is_there=False)
    patience = {"timeout" if is_file else "connect_timeout": _PATIENCE_S}
    engine = create_engine(driver, connect_args=patience, hide_parameters=True)
    try:
        with engine.connect() as connection:
            return _look(connection)
    finally:
        engine.dispose()


def _look(connection: Connection) -> DatabaseState:
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None:
        return DatabaseState(is_there=False)
    missing, is_newer = _compare(current)
    return DatabaseState(True, missing, is_newer, _time(connection), "" if is_newer else _try_writing(connection))


def _compare(current: str) -> tuple[int, bool]:
    """How many migrations are missing, and whether there are unknown ones."""
    scripts = ScriptDirectory.from_config(Config(_ROOT / "alembic.ini"))
    try:
        return sum(1 for _ in scripts.iterate_revisions("head", current)), False
    except RevisionError:
        return 0, True


def _time(connection: Connection) -> float:
    times = []
    for _ in range(_QUERIES):
        began_at = time.perf_counter()
        connection.execute(text("SELECT 1"))
        times.append(time.perf_counter() - began_at)
    return statistics.median(times) * 1000


def _try_writing(connection: Connection) -> str:
    """Why nothing can be written; empty if it can."""
    connection.rollback()
    try:
        connection.execute(text(_WRITE))
    except DBAPIError as error:
        reason: Any = error.orig
        return str(reason).partition("\n")[0]
    finally:
        connection.rollback()
    return ""
