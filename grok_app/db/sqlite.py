"""How SQLite is opened: readers beside one writer, and never a file that isn't ours any more."""

import os
import sqlite3
from typing import Any, Final

from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError

_BUSY_TIMEOUT_MS: Final = 5000
_FILE: Final = "grok_app.file"
"""Where a connection's record notes which file it has open."""


def prepare_sqlite(connection: Any, _record: Any) -> None:
    """Set a new connection up: readers beside one writer, waiting instead of failing when locked."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={_BUSY_TIMEOUT_MS}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def follow_file(engine: Engine) -> None:
    """Let connections be to the file that has the name now, and to none when there is none.

    SQLite itself goes on with a file that was removed or replaced, and all that is written there is gone with the last
    connection. In place of one that isn't there it makes an empty one.
    """
    path = str(engine.url.database)

    def open_existing(_dialect: Any, _record: Any, _args: Any, _options: Any) -> None:
        if _file_at(path) is None:
            raise sqlite3.OperationalError(f"there is no database at {path}")

    def note(_connection: Any, record: Any) -> None:
        record.info[_FILE] = _file_at(path)

    def compare(_connection: Any, record: Any, _proxy: Any) -> None:
        if record.info[_FILE] != _file_at(path):
            raise DisconnectionError("the file of the database was removed or replaced")

    event.listen(engine, "do_connect", open_existing)
    event.listen(engine, "connect", note)
    event.listen(engine, "checkout", compare)


def _file_at(path: str) -> tuple[int, int] | None:
    """Which file it is; None if there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a Path would take three times as long
    except OSError:
        return None
    return status.st_dev, status.st_ino
