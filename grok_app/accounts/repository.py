"""Accounts to and from the database."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import bindparam, update
from sqlmodel import col, select

from grok_app.accounts.account import Account, Status
from grok_app.accounts.table import AccountRow, read_row
from grok_app.catalog import DEFAULT_QUOTA, Pool
from grok_app.db import Database, Vault


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

    async def add(self, pool: Pool, credentials: Iterable[str]) -> list[Account]:
        """Store new accounts with the pool's default quota; the ones already there, in any pool, stay as they are.

        Args:
            pool: Where they belong.
            credentials: Normalized.

        Returns:
            The accounts that were added.
        """
        wanted = dict.fromkeys(credentials)
        prints = {fingerprint: name for name in wanted for fingerprint in self._vault.fingerprints(name)}
        async with self._database.session() as session:
            known = select(AccountRow.fingerprint).where(col(AccountRow.fingerprint).in_(prints))
            for fingerprint in (await session.exec(known)).all():
                wanted.pop(prints[fingerprint], None)
            rows = [self._new_row(pool, credential) for credential in wanted]
            session.add_all(rows)
            await session.flush()
        return [read_row(row, self._vault) for row in rows]

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
