"""The engine and the session rule: one session per unit of work, committed at its end or not at all."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from grok_app.errors import ConfigurationError

_BUSY_TIMEOUT_MS = 5000


class Database:
    """One engine and its sessions.

    Args:
        engine: Whose connections are used.
        is_rehearsal: Whether every session is taken back at its end, as if nothing had happened.
    """

    def __init__(self, engine: AsyncEngine, *, is_rehearsal: bool = False) -> None:
        self._engine = engine
        self._is_rehearsal = is_rehearsal

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[AsyncSession, None]:
        """A session whose work is committed when the block ends and rolled back when it raises."""
        async with AsyncSession(self._engine, expire_on_commit=False) as session, session.begin():
            yield session
            if self._is_rehearsal:
                await session.rollback()

    async def ping(self) -> None:
        """Ask the database for one row.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: It does not answer.
        """
        async with self._engine.connect() as connection:
            await connection.execute(text("SELECT 1"))


@asynccontextmanager
async def open_database(url: str, *, is_rehearsal: bool = False) -> AsyncGenerator[Database, None]:
    """Open the database at this URL (`sqlite:///…`, `postgresql://…`) and close its connections at the end.

    In a rehearsal nothing that is written stays.
    """
    engine = create_async_engine(driver_url(url, is_async=True), pool_pre_ping=True, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", prepare_sqlite)
    try:
        yield Database(engine, is_rehearsal=is_rehearsal)
    finally:
        await engine.dispose()


def driver_url(url: str, *, is_async: bool) -> URL:
    """The same URL with the driver that we install: aiosqlite or sqlite3, psycopg for both.

    Raises:
        ConfigurationError: It is no URL. The message doesn't repeat it, since it may hold a password.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            "GROK_APP_DATABASE_URL = (hidden): expected sqlite:///path or postgresql://user:password@host:port/name"
        ) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return parsed.set(drivername="sqlite+aiosqlite" if is_async else "sqlite")
    return parsed.set(drivername=f"{backend}+psycopg")


def prepare_sqlite(connection: Any, _record: Any) -> None:
    """Set a new SQLite connection up: readers beside one writer, waiting instead of failing when locked."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={_BUSY_TIMEOUT_MS}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
