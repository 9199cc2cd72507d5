"""Settings to and from the database, one row each: two writers of different settings never undo each other."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import orjson
from sqlalchemy import delete
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from grok_app.db import Vault, now_ms
from grok_app.errors import ConfigurationError
from grok_app.settings.schema import DEFINITIONS, is_sealed
from grok_app.settings.table import SettingRow, is_clear

_Insert = mysql.Insert | postgresql.Insert | sqlite.Insert
_INSERTS: Final[Mapping[str, Callable[[Any], _Insert]]] = {
    "mysql": mysql.insert,
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
}


class SettingRepository:
    """Rows within the caller's session. Secrets are sealed on their way in and opened on their way out."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def read(self, session: AsyncSession) -> tuple[dict[str, Any], frozenset[str]]:
        """The stored values by dotted name, and the names of the rows that are no setting of this version.

        Raises:
            ConfigurationError: A row can't be read.
        """
        rows = {row.name: row.value for row in (await session.exec(select(SettingRow))).all()}
        values = {name: self._open(name, value) for name, value in rows.items() if name in DEFINITIONS}
        return values, frozenset(rows.keys() - values.keys())

    async def put(self, session: AsyncSession, values: Mapping[str, Any]) -> None:
        """Store these values, as JSON has them, in place of what is there."""
        connection = await session.connection()
        await connection.execute(_replacing(self._insert(connection, values)))

    async def add(self, session: AsyncSession, values: Mapping[str, Any]) -> None:
        """Store those of these values for which nothing is there."""
        connection = await session.connection()
        await connection.execute(_sparing(self._insert(connection, values)))

    def _insert(self, connection: AsyncConnection, values: Mapping[str, Any]) -> _Insert:
        now = now_ms()
        rows = [
            {"name": name, "value": self._seal(name, value), "updated_at": now}
            for name, value in sorted(values.items())  # in one order, so that two writers can't lock each other out
        ]
        return _INSERTS[connection.dialect.name](SettingRow).values(rows)

    async def forget(self, session: AsyncSession, names: Iterable[str]) -> None:
        """Delete the rows of these settings."""
        connection = await session.connection()
        await connection.execute(delete(SettingRow).where(col(SettingRow.name).in_(list(names))))

    def _open(self, name: str, value: str) -> Any:
        is_readable = not is_sealed(name) or is_clear(value)
        try:
            return orjson.loads(value if is_readable else self._vault.open(value))
        except orjson.JSONDecodeError:
            raise ConfigurationError(f"The stored setting {name} is damaged: expected JSON") from None

    def _seal(self, name: str, value: Any) -> str:
        text = orjson.dumps(value).decode()
        return self._vault.seal(text) if is_sealed(name) else text


def _replacing(insert: _Insert) -> _Insert:
    """The insertion that takes the place of rows that are there."""
    if isinstance(insert, mysql.Insert):
        given = insert.inserted
        return insert.on_duplicate_key_update(value=given.value, updated_at=given.updated_at)
    new = {"value": insert.excluded.value, "updated_at": insert.excluded.updated_at}
    return insert.on_conflict_do_update(index_elements=["name"], set_=new)


def _sparing(insert: _Insert) -> _Insert:
    """The insertion that leaves rows as they are that are there."""
    if isinstance(insert, mysql.Insert):  # not IGNORE, which would also let pass what doesn't fit a column
        return insert.on_duplicate_key_update(name=col(SettingRow.name))
    return insert.on_conflict_do_nothing(index_elements=["name"])
