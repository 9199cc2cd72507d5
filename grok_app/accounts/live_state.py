"""What is known of an account that Redis knows too: what requests change of it, and nothing that is secret."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, Final

import orjson

from grok_app.accounts.account import Account, Status

Change = Callable[[Account], Account]
"""What becomes of an account. Pure: it may be applied again, to another state of the same account."""
_NEVER: Final = 2**53
_FIELDS: Final = (
    "status",
    "quota",
    "cooling_until_ms",
    "cooling_reason",
    "use_count",
    "fail_count",
    "last_used_at_ms",
    "last_fail_at_ms",
    "last_fail_reason",
    "last_sync_at_ms",
)
"""What requests change. The rest is the operator's, and comes from the database."""


@dataclass(frozen=True, slots=True)
class Sent:
    """How much of what an account has to tell."""

    serial: int
    changes: int
    ended: int


@dataclass(slots=True)
class Live:
    """What is known of an account that Redis knows too."""

    version: int = 0
    """Of the state that Redis has; 0: none that we know of."""
    account: Account | None = None
    """That state, or the one that the changes began with."""
    changes: list[Change] = field(default_factory=list)
    """Those that Redis doesn't know yet, oldest first."""
    ended: list[str] = field(default_factory=list)
    """Leases, likewise."""
    sent: "Sent | None" = None
    """What is on its way, or was lost on it."""
    missed: list[Any] | None = None
    """The latest view that came meanwhile: nobody could say whether it holds what is on its way."""
    leases: dict[str, int] = field(default_factory=dict)
    """Ours that go on, and their costs."""
    asked: list[int] = field(default_factory=list)
    """The costs of those that we have reserved here and asked for; Redis doesn't count them yet."""

    def with_changes(self, account: Account, count: int | None = None) -> Account:
        """What so many of the changes, or all of them, make of an account."""
        return reduce(lambda changed, change: change(changed), self.changes[:count], account)

    def written(self, count: int) -> tuple[int | str, bytes | str, int | str, int | str]:
        """The version that so many changes are applied to, and the state that they make; empty without changes."""
        if not count or self.account is None:
            return "", "", "", ""
        return self.version, *write_state(self.with_changes(self.account, count))


def name_of(account: Account) -> str:
    """What Redis calls an account: an emptied database may give its id to another one."""
    mark = hashlib.blake2s(account.credential.get_secret_value().encode(), digest_size=6)
    return f"{account.id}:{mark.hexdigest()}"


def write_state(account: Account) -> tuple[bytes, int, int]:
    """The state, the quota, and from when on it may serve, Unix milliseconds; 0: now."""
    state = orjson.dumps([getattr(account, name) for name in _FIELDS])
    free_at = {Status.ACTIVE: 0, Status.COOLING: max(1, account.cooling_until_ms)}.get(account.status, _NEVER)
    return state, account.quota, free_at


def read_state(state: bytes, account: Account) -> Account:
    """The account with this state."""
    values = dict(zip(_FIELDS, orjson.loads(state), strict=True))
    return replace(account, **{**values, "status": Status(values["status"])})


def with_state_of(account: Account, other: Account) -> Account:
    """The other one with the state of this one."""
    return replace(other, **{name: getattr(account, name) for name in _FIELDS})
