"""The accounts at rest: credentials sealed, found again by their keyed hash."""

from typing import Any, Final

import orjson
from pydantic import SecretStr
from sqlalchemy import Column, Row, String, Text
from sqlmodel import Field

from grok_app.accounts.account import Account, Status
from grok_app.catalog import Pool
from grok_app.db import Sealed, TableModel, UtcMs, Vault, now_ms


class AccountRow(TableModel, table=True):
    """One account."""

    __tablename__ = "account"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy reads it from the class

    id: int | None = Field(default=None, primary_key=True)
    """Never used again after a deletion: a lease of a deleted account must not meet a new one."""
    pool: str = Field(sa_column=Column(String(20), nullable=False))
    credential: str = Field(sa_column=Column(Text, nullable=False))
    """Sealed by the vault."""
    fingerprint: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    status: str = Field(sa_column=Column(String(10), nullable=False))
    quota: int
    cooling_until: int = Field(default=0, sa_column=Column(UtcMs, nullable=False))
    cooling_reason: str | None = Field(default=None, sa_column=Column(String(200)))
    use_count: int = 0
    fail_count: int = 0
    created_at: int = Field(default_factory=now_ms, sa_column=Column(UtcMs, nullable=False))
    last_used_at: int | None = Field(default=None, sa_column=Column(UtcMs))
    last_fail_at: int | None = Field(default=None, sa_column=Column(UtcMs))
    last_fail_reason: str | None = Field(default=None, sa_column=Column(String(200)))
    last_sync_at: int | None = Field(default=None, sa_column=Column(UtcMs))
    last_asset_clear_at: int | None = Field(default=None, sa_column=Column(UtcMs))
    tags: str = Field(default="[]", sa_column=Column(Text, nullable=False))
    """A JSON array of texts."""
    note: str = Field(default="", sa_column=Column(Text, nullable=False))


SEALED: Final = Sealed("Accounts", AccountRow.metadata.tables["account"], "credential", fingerprint="fingerprint")
"""What `grok-app key rotate` seals anew."""


def read_row(row: Row[Any], vault: Vault, known: Account | None = None) -> Account:
    """The account of a stored row; with its credential from the account as it was known before, where it was."""
    return Account(
        id=row.id,
        pool=Pool(row.pool),
        credential=known.credential if known else SecretStr(vault.open(row.credential)),
        status=Status(row.status),
        quota=row.quota,
        cooling_until_ms=row.cooling_until,
        cooling_reason=row.cooling_reason,
        use_count=row.use_count,
        fail_count=row.fail_count,
        last_used_at_ms=row.last_used_at,
        last_fail_at_ms=row.last_fail_at,
        last_fail_reason=row.last_fail_reason,
        created_at_ms=row.created_at,
        last_sync_at_ms=row.last_sync_at,
        last_asset_clear_at_ms=row.last_asset_clear_at,
        tags=tuple(orjson.loads(row.tags)),
        note=row.note,
    )
