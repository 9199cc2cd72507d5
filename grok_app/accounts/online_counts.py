"""How many files Grok kept for each account when it was last asked. In memory only."""

from collections.abc import Mapping
from dataclasses import dataclass

from grok_app.accounts.pool import AccountPool
from grok_app.db import now_ms


@dataclass(frozen=True, slots=True)
class OnlineCount:
    """What the last look at an account's files told."""

    count: int
    size_bytes: int
    """As far as Grok says sizes."""
    error: str | None
    """Why they could not be counted, in a sentence; the numbers are 0 then."""
    at_ms: int
    """When that was, Unix milliseconds."""


@dataclass(frozen=True, slots=True)
class OnlineTotal:
    """What is known of all accounts together."""

    accounts: int
    """How many of them were counted."""
    count: int
    size_bytes: int


class OnlineCounts:
    """The last count of each account, whoever asked for it. Those of deleted accounts are forgotten.

    Args:
        pool: The accounts that there are.

    Attributes:
        version: Another one after each change.
    """

    def __init__(self, pool: AccountPool) -> None:
        self._pool = pool
        self._counts: dict[int, OnlineCount] = {}
        self.version = 0
        self._total = OnlineTotal(0, 0, 0)
        self._summed = (0, pool.removals)
        """When that was: at which version, and after how many removals."""

    def get(self, account_id: int) -> OnlineCount | None:
        """The last one of this account; None: it was never counted."""
        return self._counts.get(account_id)

    def note(self, account_id: int, sizes: Mapping[str, int]) -> None:
        """Remember what is there: the size of each file, 0 where it isn't told, by its id."""
        self._put(account_id, OnlineCount(len(sizes), sum(sizes.values()), None, now_ms()))

    def note_failure(self, account_id: int, reason: str) -> None:
        """Remember that nothing is known, and why."""
        self._put(account_id, OnlineCount(0, 0, reason, now_ms()))

    def with_files(self) -> set[int]:
        """The accounts that had files when they were counted."""
        return {account_id for account_id, count in self._counts.items() if count.count}

    def total(self) -> OnlineTotal:
        """The sum over the accounts that could be counted, made anew after each change only."""
        now = (self.version, self._pool.removals)
        if self._summed != now:
            self._forget_deleted()
            counted = [count for count in self._counts.values() if count.error is None]
            files, size_bytes = sum(it.count for it in counted), sum(it.size_bytes for it in counted)
            self._total, self._summed = OnlineTotal(len(counted), files, size_bytes), now
        return self._total

    def _put(self, account_id: int, count: OnlineCount) -> None:
        self._counts[account_id] = count
        self.version += 1
        if len(self._counts) > len(self._pool):
            self._forget_deleted()

    def _forget_deleted(self) -> None:
        """Ids are never used again, so it does no harm that this comes late."""
        for account_id in [known for known in self._counts if self._pool.get(known) is None]:
            del self._counts[account_id]
