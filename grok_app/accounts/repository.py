"""Accounts to and from the database."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import bindparam, delete, update
from sqlmodel import col, select

from grok_app.accounts.account import Account, Status
from grok_app.accounts.table import AccountRow, read_row
from grok_app.catalog import DEFAULT_QUOTA, Pool
from grok_app.db import Database, Vault

ItemT = TypeVar("ItemT")
_BATCH: Final = 400


class AccountRepository:
    """Reads, adds and saves accounts; the credential is sealed on its way in and opened on its way out."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def read_all(self) -> list[Account]:
        """Every account."""
        async with self._database.session() as session:
            rows = (await session.exec(select(AccountRow))).all()
        return [read_row(row, self._vault) for row in rows]

    async def add(self, pool: Pool, credentials: Sequence[str]) -> list[Account]:
        """Store new accounts with the pool's default quota; the ones already there, in any pool, stay as they are.

        Args:
            pool: Where they belong.
            credentials: Normalized, each once.

        Returns:
            The accounts that were added; all of them, or none when it fails.
        """
        rows: list[AccountRow] = []
        async with self._database.session() as session:
            for batch in _batches(credentials):
                prints = {fingerprint: name for name in batch for fingerprint in self._vault.fingerprints(name)}
                known = select(AccountRow.fingerprint).where(col(AccountRow.fingerprint).in_(prints))
                stored = {prints[fingerprint] for fingerprint in (await session.exec(known)).all()}
                rows += [self._new_row(pool, credential) for credential in batch if credential not in stored]
            session.add_all(rows)
            await session.flush()
        return [read_row(row, self._vault) for row in rows]

    async def delete(self, account_ids: Sequence[int]) -> None:
        """Forget these accounts, all or none."""
        async with self._database.session() as session:
            connection = await session.connection()
            for batch in _batches(account_ids):
                await connection.execute(delete(AccountRow).where(col(AccountRow.id).in_(batch)))

    async def save(self, accounts: Sequence[Account]) -> None:
        """Write the state of these accounts, all or none; one that was deleted meanwhile stays deleted."""
        async with self._database.session() as session:
            connection = await session.connection()
            statement = update(AccountRow).where(col(AccountRow.id) == bindparam("account_id"))
            await connection.execute(statement, [_state(account) for account in accounts])

    def _new_row(self, pool: Pool, credential: str) -> AccountRow:
        return AccountRow(
            pool=pool,
            credential=self._vault.seal(credential),
            fingerprint=self._vault.fingerprint(credential),
            status=Status.ACTIVE,
            quota=DEFAULT_QUOTA[pool],
        )


def _batches(items: Sequence[ItemT]) -> Iterator[Sequence[ItemT]]:
    """Parts of a list that fit into one statement: SQLite takes 32,766 parameters, some builds 999."""
    return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))


def _state(account: Account) -> dict[str, Any]:
    return {
        "account_id": account.id,
        "status": account.status,
        "quota": account.quota,
        "cooling_until": account.cooling_until_ms,
        "use_count": account.use_count,
        "fail_count": account.fail_count,
        "last_used_at": account.last_used_at_ms,
        "last_fail_at": account.last_fail_at_ms,
        "last_fail_reason": account.last_fail_reason,
    }
