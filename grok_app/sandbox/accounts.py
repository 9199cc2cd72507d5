"""The accounts of the sandbox: whatever is named `sandbox-…`, each with its quota and its settings."""

import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from grok_app.catalog import DEFAULT_QUOTA, Pool

DEMO_ACCOUNTS: Final[tuple[tuple[Pool, str], ...]] = (
    *((Pool.BASIC, f"sandbox-basic-{number}") for number in range(1, 25)),
    *((Pool.SUPER, f"sandbox-super-{number}") for number in range(1, 9)),
)
"""Accounts that always work: pool and sso token. Many, since each `@429` sends the few that were tried to rest."""

WINDOW_S: Final = {Pool.BASIC: 20 * 3600, Pool.SUPER: 2 * 3600}
"""After so long a quota is full again. Source: protocol notes, section 9.1."""

MAX_ACCOUNTS: Final = 20_000
MAX_TOKEN_LENGTH: Final = 256
_QUOTA: Final = re.compile(r"-quota(\d{1,6})(?=-|$)")


@dataclass(slots=True)
class Account:
    """A Grok sign-in that the sandbox made up."""

    token: str
    pool: Pool
    total: int
    remaining: int
    renews_at: float
    """When the quota is full again, on the clock of its `Accounts`."""
    terms_accepted: bool = False
    birth_date: str | None = None
    """As it was sent, once it is set: it can't be changed."""
    adult_content: bool = False

    @property
    def user_id(self) -> str:
        """What stands for the account in the paths of its files; the same for the same token."""
        return str(uuid5(NAMESPACE_URL, self.token))

    @property
    def window_s(self) -> int:
        """How long a quota lasts."""
        return WINDOW_S[self.pool]

    def as_json(self) -> dict[str, Any]:
        """What `/sandbox/state` shows."""
        return {
            "account": self.token,
            "pool": self.pool,
            "remaining": self.remaining,
            "total": self.total,
            "terms_accepted": self.terms_accepted,
            "birth_date": self.birth_date,
            "adult_content": self.adult_content,
        }


class Accounts:
    """Every account seen so far, the least recently used forgotten beyond `MAX_ACCOUNTS`.

    Args:
        clock: Seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._by_token: OrderedDict[str, Account] = OrderedDict()

    def find(self, token: str) -> Account | None:
        """The account of a token, opened at first sight; None if the token is none of ours, or absurdly long."""
        if not token.startswith("sandbox-") or len(token) > MAX_TOKEN_LENGTH:
            return None
        account = self._by_token.get(token) or self._open(token)
        self._by_token.move_to_end(token)
        if self._clock() >= account.renews_at:
            account.remaining, account.renews_at = account.total, self._clock() + account.window_s
        return account

    def spend(self, account: Account, cost: int) -> int | None:
        """Take the cost from the quota. When it doesn't cover that, take nothing and return the wait in seconds."""
        if account.remaining < cost:
            return max(1, round(account.renews_at - self._clock()))
        account.remaining -= cost
        return None

    def all(self) -> list[Account]:
        """The accounts, the most recently used last."""
        return list(self._by_token.values())

    def forget(self) -> None:
        """Close all accounts; those seen again start with a full quota and nothing set."""
        self._by_token.clear()

    def _open(self, token: str) -> Account:
        pool = Pool.SUPER if "super" in token else Pool.BASIC
        quota = _QUOTA.search(token)
        total = int(quota[1]) if quota else DEFAULT_QUOTA[pool]
        account = self._by_token[token] = Account(token, pool, total, total, self._clock() + WINDOW_S[pool])
        if len(self._by_token) > MAX_ACCOUNTS:
            self._by_token.popitem(last=False)
        return account
