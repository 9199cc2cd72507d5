"""Lists of accounts as operators send them: read item by item, so that a bad one stops none of the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import SecretStr

from grok_app.accounts.account import Account, Status
from grok_app.accounts.credential import mask
from grok_app.accounts.record import amend, read_item
from grok_app.catalog import DEFAULT_QUOTA, Pool
from grok_app.errors import InvalidRequestError


@dataclass(frozen=True, slots=True)
class Skipped:
    """An item of a list that is no account."""

    pool: Pool
    token: str
    """Masked."""
    reason: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an item of a list is no account, and where it stands."""

    pool: Pool
    place: int
    """Among the items of the pool, from 1."""
    token: str
    """Masked."""
    reason: str

    def told(self) -> Skipped:
        """The same for whoever sent the list; the place only where no token tells it."""
        where = "" if self.token else f"Item {self.place}: "
        return Skipped(self.pool, self.token or mask(""), where + self.reason)


@dataclass(slots=True)
class Changed:
    """What came of a change of the list."""

    added: int = 0
    updated: int = 0
    deleted: int = 0
    duplicates: int = 0
    """Given twice; when adding, also those that were there already."""
    skipped: list[Skipped] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An account as a list has it: its pool, and the fields of a `Record` that were given."""

    pool: Pool
    given: Mapping[str, Any]

    def applied_to(self, account: Account, now_ms: int) -> Account:
        """The account as it is wanted."""
        return amend(replace(account, pool=self.pool), self.given, now_ms)

    def made(self, token: str, now_ms: int) -> Account:
        """A new account, id 0; with its pool's quota unless another one was given."""
        fresh = Account(0, self.pool, SecretStr(token), Status.ACTIVE, DEFAULT_QUOTA[self.pool], created_at_ms=now_ms)
        return amend(fresh, self.given, now_ms)


@dataclass(frozen=True, slots=True)
class Listing:
    """A list as it was read."""

    wanted: dict[str, Wanted]
    """By token."""
    spared: set[str]
    """Tokens of skipped items: a slip in a field is no wish to delete the account."""
    result: Changed
    """Knows the duplicates and the skipped items already."""
    faults: list[Fault]
    """The skipped items, with their places."""

    def skip(self, pool: Pool, place: int, row: object, reason: str) -> None:
        """Note an item that is no account."""
        token = _token_of(row)
        fault = Fault(pool, place, mask(token) if token else "", reason)
        self.spared.add(token)
        self.faults.append(fault)
        self.result.skipped.append(fault.told())


def read_items(items: Mapping[Pool, Sequence[object]]) -> Listing:
    """Read a list. Of several items with one token the first counts."""
    listing = Listing({}, set(), Changed(), [])
    for pool, rows in items.items():
        for place, row in enumerate(rows, 1):
            try:
                token, record = read_item(row)
            except InvalidRequestError as error:
                listing.skip(pool, place, row, error.message)
                continue
            if token in listing.wanted:
                listing.result.duplicates += 1
            else:
                listing.wanted[token] = Wanted(pool, record.given())
    return listing


def changes(before: Mapping[int, Account], edits: Mapping[int, Wanted], now_ms: int) -> dict[int, Account]:
    """What the accounts become, by their ids; only those that become something else."""
    after = {account_id: edits[account_id].applied_to(account, now_ms) for account_id, account in before.items()}
    return {account_id: account for account_id, account in after.items() if account != before[account_id]}


def _token_of(row: object) -> str:
    token = row.get("token") if isinstance(row, dict) else row
    return token if isinstance(token, str) else ""
