"""The engine and the session rule: one session per unit of work, committed at its end or not at all."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy import event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from grok_app.db.mysql import BACKENDS, SESSION, mysql_url
from grok_app.db.postgres import LimitedConnection, patient_url
from grok_app.db.sqlite import follow_file, prepare_sqlite
from grok_app.errors import ConfigurationError

_OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "mysql": SESSION,
    "postgresql": {"connect_args": {"async_creator_fn": LimitedConnection.connect}},
}
"""Of engines, by the kind of their database."""
_FREE_LIMIT_S: Final = 10.0
"""Longest wait for a connection that another one uses."""


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
        """Ask the database for one row of ours.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: It does not answer, or has no tables of ours.
        """
        async with self._engine.connect() as connection:
            await connection.execute(text("SELECT version_num FROM alembic_version"))


@asynccontextmanager
async def open_database(url: str, *, is_rehearsal: bool = False) -> AsyncGenerator[Database, None]:
    """Open the database at this URL (`sqlite:///…`, `postgresql://…`, `mysql://…`), close its connections at the end.

    In a rehearsal nothing that is written stays.
    """
    driver = driver_url(url, is_async=True)
    options = _OPTIONS.get(driver.get_backend_name(), {})
    engine = create_async_engine(
        driver, pool_pre_ping=True, pool_timeout=_FREE_LIMIT_S, hide_parameters=True, **options
    )
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", prepare_sqlite)
        follow_file(engine.sync_engine)
    try:
        yield Database(engine, is_rehearsal=is_rehearsal)
    finally:
        await engine.dispose()


def shown_database(url: str) -> str:
    """The database at this URL for people, `postgresql host/name`: without its user, and without options.

    Either may hold a password.

    Raises:
        ConfigurationError: As `driver_url` does.
    """
    whole = driver_url(url, is_async=False)
    bare = URL.create(whole.get_backend_name(), host=whole.host, port=whole.port, database=whole.database)
    kind, _, place = bare.render_as_string().partition("://")
    return f"{kind} {place.removeprefix('/')}"


def driver_url(url: str, *, is_async: bool) -> URL:
    """The same URL with its driver: aiosqlite or sqlite3, psycopg for both, asyncmy or PyMySQL.

    Raises:
        ConfigurationError: It is no URL, or the driver is not installed. The message doesn't repeat the URL, since it
            may hold a password.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            "GROK_APP_DATABASE_URL = (hidden): expected sqlite:///path, postgresql://user:password@host:port/name "
            "or mysql://user:password@host:port/name"
        ) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return parsed.set(drivername="sqlite+aiosqlite" if is_async else "sqlite")
    if backend in BACKENDS:
        return mysql_url(parsed, is_async=is_async)
    return patient_url(parsed.set(drivername=f"{backend}+psycopg"))
