"""Accounts to and from the database."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any, Final, TypeVar

import orjson
from sqlalchemy import Update, bindparam, case, delete, insert, select, update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from grok_app.accounts.account import Account, Status
from grok_app.accounts.in_turns import in_turns
from grok_app.accounts.table import AccountRow, read_row
from grok_app.db import Database, Vault

ItemT = TypeVar("ItemT")
_BATCH: Final = 400
_ALL: Final = select(*AccountRow.metadata.tables["account"].columns)
"""Plain rows: objects would hold the event loop for 100 ms at 10,000 accounts (2026-11-23)."""
_AS_GIVEN: Final = update(AccountRow).where(col(AccountRow.id) == bindparam("account_id"))
_IF_ENABLED: Final = _AS_GIVEN.values(
    status=case((col(AccountRow.status) == Status.DISABLED, col(AccountRow.status)), else_=bindparam("wanted_status"))
)


class AccountRepository:
    """Reads and writes accounts; the credential is sealed on its way in and opened on its way out."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def read_all(self, known: dict[int, Account] | None = None) -> list[Account]:
        """Every account. The credentials of known ones, by id, are not opened again: that costs 50 µs each."""
        async with self._database.session() as session:
            rows = (await (await session.connection()).execute(_ALL)).all()
        known = known or {}
        return await asyncio.to_thread(lambda: [read_row(row, self._vault, known.get(row.id)) for row in rows])

    async def change(
        self, *, added: Sequence[Account] = (), changed: Sequence[Account] = (), deleted: Sequence[int] = ()
    ) -> list[Account]:
        """Do all of this, or nothing when it fails.

        Args:
            added: New accounts, whatever their ids.
            changed: Accounts to be written as they are; one that was deleted meanwhile stays deleted.
            deleted: Ids.

        Returns:
            The new accounts with their ids, in the order given.

        Raises:
            sqlalchemy.exc.IntegrityError: A new one is there already, added by another process.
        """
        rows = await asyncio.to_thread(lambda: [self._sealed(account) for account in added])
        async with self._database.session() as session:
            for batch in _batches(deleted):
                await (await session.connection()).execute(delete(AccountRow).where(col(AccountRow.id).in_(batch)))
            ids = [i for batch in _batches(rows) for i in await _insert(session, batch)]
            await _update(session, changed, _all_values)
        return await asyncio.to_thread(lambda: [replace(it, id=i) for it, i in zip(added, ids, strict=True)])

    async def save(self, accounts: Sequence[Account]) -> None:
        """Write what requests change of these accounts, all or none.

        One that was deleted stays deleted, and one that another process has disabled stays disabled.
        """
        async with self._database.session() as session:
            await _update(session, accounts, _values_if_enabled, _IF_ENABLED)

    def _sealed(self, account: Account) -> dict[str, Any]:
        credential = account.credential.get_secret_value()
        values = _all_values(account)
        del values["account_id"]
        sealed, fingerprint = self._vault.seal(credential), self._vault.fingerprint(credential)
        return {**values, "credential": sealed, "fingerprint": fingerprint}


async def _insert(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> Sequence[int]:
    """Add rows and look their ids up. Asking for them in the same statement costs a round trip per row on SQLite."""
    connection = await session.connection()
    await connection.execute(insert(AccountRow), list(rows))
    prints = [row["fingerprint"] for row in rows]
    added = select(col(AccountRow.fingerprint), col(AccountRow.id)).where(col(AccountRow.fingerprint).in_(prints))
    ids = {row.fingerprint: int(row.id) for row in await connection.execute(added)}
    return [ids[fingerprint] for fingerprint in prints]


async def _update(
    session: AsyncSession,
    accounts: Sequence[Account],
    values_of: Callable[[Account], dict[str, Any]],
    statement: Update = _AS_GIVEN,
) -> None:
    """Update rows, in the order of their ids, so that two processes never wait for each other.

    All of them at once would hold the event loop for 100 ms at 10,000 accounts (2026-11-29).
    """
    async for part in in_turns(sorted(accounts, key=attrgetter("id"))):
        await (await session.connection()).execute(statement, [values_of(account) for account in part])


def _batches(items: Sequence[ItemT]) -> Iterator[Sequence[ItemT]]:
    """Parts of a list that fit into one statement: SQLite takes 32,766 parameters, some builds 999."""
    return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))


def _all_values(account: Account) -> dict[str, Any]:
    return {**_state(account), **_details(account)}


def _values_if_enabled(account: Account) -> dict[str, Any]:
    values = _state(account)
    return {**values, "wanted_status": values.pop("status")}


def _state(account: Account) -> dict[str, Any]:
    """What requests and refreshes change."""
    return {
        "account_id": account.id,
        "status": account.status,
        "quota": account.quota,
        "cooling_until": account.cooling_until_ms,
        "cooling_reason": account.cooling_reason,
        "use_count": account.use_count,
        "fail_count": account.fail_count,
        "last_used_at": account.last_used_at_ms,
        "last_fail_at": account.last_fail_at_ms,
        "last_fail_reason": account.last_fail_reason,
        "last_sync_at": account.last_sync_at_ms,
    }


def _details(account: Account) -> dict[str, Any]:
    """What the operator changes."""
    return {
        "pool": account.pool,
        "tags": orjson.dumps(account.tags).decode(),
        "note": account.note,
        "created_at": account.created_at_ms,
        "last_asset_clear_at": account.last_asset_clear_at_ms,
    }
