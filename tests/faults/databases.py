"""What is done to the database of a stage, and what it holds."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

from tests.contract.admin import operator
from tests.faults.stage import Stage
from tests.servers import eventually

_USES = "SELECT coalesce(sum(use_count), 0) FROM account"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process writes all the while."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("COMMIT")


@contextmanager
def moved_away(path: Path) -> Iterator[None]:
    """The file isn't there, nor its log; then it is again."""
    elsewhere = path.with_name("elsewhere")
    elsewhere.mkdir()
    files = list(path.parent.glob(f"{path.name}*"))
    for file in files:
        file.rename(elsewhere / file.name)
    try:
        yield
    finally:
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()
        for file in files:
            (elsewhere / file.name).rename(file)
        elsewhere.rmdir()


def uses_in(database: str | Path) -> int:
    """How often all accounts have served, as the database has it, which must be whole.

    Args:
        database: The URL of a PostgreSQL database, or the file of a SQLite one.
    """
    if isinstance(database, str):
        with psycopg.connect(database) as connection:
            row = connection.execute(_USES).fetchone()
    else:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as file:
            assert file.execute("PRAGMA quick_check").fetchone() == ("ok",)
            row = file.execute(_USES).fetchone()
    return int(row[0]) if row else 0


def check_nothing_is_lost(stage: Stage, database: str | Path) -> None:
    """Whatever was used is written in the end."""
    with operator(stage.gateway, "/v1/admin") as admin:
        pools = admin.get("/tokens").raise_for_status().json()
    used = sum(account["use_count"] for accounts in pools.values() for account in accounts)
    eventually(lambda: uses_in(database) == used)
