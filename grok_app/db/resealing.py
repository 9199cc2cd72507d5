"""Sealing what is stored anew, with the key in force."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Table, bindparam, func, select, update

from grok_app.db.database import Database
from grok_app.db.vault import Vault
from grok_app.errors import ConfigurationError

_BATCH: Final = 400
_TOLD_EVERY: Final = 10_000
_Pair = tuple[Any, str]
"""A primary key and a sealed text."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column of texts that the vault seals.

    Attributes:
        what: Its name for people.
        table: The table.
        column: The column's name.
        fingerprint: The column with the keyed hash of the same text, where there is one.
        concerns: Whether the row with this primary key is sealed at all.
        is_clear: Whether this text was stored before the column was sealed.
    """

    what: str
    table: Table
    column: str
    fingerprint: str | None = None
    concerns: Callable[[Any], bool] = lambda _: True
    is_clear: Callable[[str], bool] = lambda _: False


@dataclass(slots=True)
class Resealed:
    """What came of it, in rows."""

    what: str
    anew: int = 0
    already: int = 0
    """Sealed with the key in force before."""
    unreadable: int = 0
    """Sealed with a key that nobody has any more; left as they are."""


async def reseal(database: Database, vault: Vault, sealed: Sealed, say: Callable[[str], None]) -> Resealed:
    """Seal a column anew, a batch at a time: whatever ends it in between, the next one goes on.

    Servers may write meanwhile: what they have replaced is left as they wrote it.

    Args:
        database: Where the table is.
        vault: Its first key seals.
        sealed: What to seal.
        say: Is told how far it is, in words.
    """
    result, last, seen = Resealed(sealed.what), None, 0
    async with database.session() as session:
        total = (
            await (await session.connection()).execute(select(func.count()).select_from(sealed.table))
        ).scalar_one()
    while rows := await _batch(database, vault, sealed, last, result):
        last, seen = rows[-1][0], seen + len(rows)
        if seen // _TOLD_EVERY > (seen - len(rows)) // _TOLD_EVERY:
            say(f"{sealed.what}: {seen:,} of {total:,}")
    return result


async def _batch(database: Database, vault: Vault, sealed: Sealed, last: Any, result: Resealed) -> list[_Pair]:
    [key] = sealed.table.primary_key.columns
    text = sealed.table.c[sealed.column]
    page = select(key, text).order_by(key).limit(_BATCH)
    async with database.session() as session:
        connection = await session.connection()
        found = await connection.execute(page if last is None else page.where(key > last))
        rows = [(row[0], row[1]) for row in found]
        concerned = [row for row in rows if sealed.concerns(row[0])]
        if changes := [change for row in concerned if (change := _change(row, vault, sealed, result))]:
            unchanged = (key == bindparam("row_key")) & (text == bindparam("was"))
            await connection.execute(update(sealed.table).where(unchanged), changes)
    return rows


def _change(row: _Pair, vault: Vault, sealed: Sealed, result: Resealed) -> dict[str, Any] | None:
    key, was = row
    if vault.is_sealed_by_first(was):
        result.already += 1
        return None
    try:
        opened = was if sealed.is_clear(was) else vault.open(was)
    except ConfigurationError:
        result.unreadable += 1
        return None
    result.anew += 1
    values = {"row_key": key, "was": was, sealed.column: vault.seal(opened)}
    return {**values, sealed.fingerprint: vault.fingerprint(opened)} if sealed.fingerprint else values
