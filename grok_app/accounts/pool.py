"""Which account is asked next: the one with the most quota left, ties at random.

Accounts of one pool stand in buckets by the quota they have left; quotas are small whole numbers, so the buckets are
few and a choice costs a look at the fullest one, however many accounts there are. An account that has just failed is in
doubt: it comes last, so that a few bad ones can't stand in the way of the others.
"""

import heapq
import random
from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from grok_app.accounts.account import Account, Status, recover
from grok_app.catalog import Pool

_DOUBTED = 1 << 40
"""Taken from a doubted account's rank: more than any quota."""


class _Bucket:
    """Account ids in any order: add, remove and choose at random, each in one step."""

    def __init__(self) -> None:
        self._ids: list[int] = []
        self._places: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, account_id: int) -> None:
        self._places[account_id] = len(self._ids)
        self._ids.append(account_id)

    def remove(self, account_id: int) -> None:
        place = self._places.pop(account_id)
        last = self._ids.pop()
        if last != account_id:
            self._ids[place] = last
            self._places[last] = place

    def choose(self, excluded: Collection[int]) -> int | None:
        """An id at random that is not excluded. At most as many steps as are excluded, one by far mostly."""
        count = len(self._ids)
        start = random.randrange(count)  # noqa: S311 - spreads load, guards nothing
        for step in range(min(count, len(excluded) + 1)):
            if (account_id := self._ids[(start + step) % count]) not in excluded:
                return account_id
        return None


class _Index:
    """The available accounts of one pool, by rank: the quota they have left, far less for those in doubt."""

    def __init__(self) -> None:
        self._buckets: dict[int, _Bucket] = {}
        self._ranks: list[int] = []

    def add(self, account_id: int, rank: int) -> None:
        bucket = self._buckets.get(rank)
        if bucket is None:
            bucket = self._buckets[rank] = _Bucket()
            insort(self._ranks, rank)
        bucket.add(account_id)

    def remove(self, account_id: int, rank: int) -> None:
        bucket = self._buckets[rank]
        bucket.remove(account_id)
        if not bucket:
            del self._buckets[rank]
            del self._ranks[bisect_left(self._ranks, rank)]

    def choose(self, excluded: Collection[int]) -> int | None:
        for rank in reversed(self._ranks):
            if (found := self._buckets[rank].choose(excluded)) is not None:
                return found
        return None


class AccountPool:
    """All accounts in memory, and what is reserved of their quota. Knows no database.

    Args:
        now_ms: The clock, in Unix milliseconds.
    """

    def __init__(self, accounts: Iterable[Account], now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._accounts: dict[int, Account] = {}
        self._reserved: dict[int, int] = {}
        self._standing: dict[int, tuple[Pool, int]] = {}
        self._indexes = {pool: _Index() for pool in Pool}
        self._resting: dict[Pool, list[tuple[int, int]]] = {pool: [] for pool in Pool}
        self._doubted: dict[int, int] = {}
        self._doubts: list[tuple[int, int]] = []
        for account in accounts:
            self.put(account)

    def __len__(self) -> int:
        return len(self._accounts)

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts.values())

    def get(self, account_id: int) -> Account | None:
        """The account with this id."""
        return self._accounts.get(account_id)

    def put(self, account: Account) -> None:
        """Add an account, or replace the one of the same id."""
        self._accounts[account.id] = account
        if account.status is Status.COOLING:
            heapq.heappush(self._resting[account.pool], (account.cooling_until_ms, account.id))
        self._place(account)

    def remove(self, account_id: int) -> None:
        """Forget an account. What is under way with it ends as it may."""
        if self._accounts.pop(account_id, None) and (standing := self._standing.pop(account_id, None)):
            self._indexes[standing[0]].remove(account_id, standing[1])
        self._reserved.pop(account_id, None)
        self._doubted.pop(account_id, None)

    def reserve(self, pools: Sequence[Pool], cost: int, excluded: Collection[int] = ()) -> Account | None:
        """Choose an account from the first of the pools that has one, and set the cost aside at once.

        An account with less quota than the cost, but some, is still chosen: Grok has the last word.
        """
        self._forget_doubts()
        for pool in pools:
            self._wake_rested(pool)
            if (account_id := self._indexes[pool].choose(excluded)) is not None:
                self._reserve(account_id, cost)
                return self._accounts[account_id]
        return None

    def release(self, account_id: int, cost: int) -> None:
        """Give back what `reserve` has set aside."""
        if account_id in self._accounts:
            self._reserve(account_id, -cost)

    def doubt(self, account_id: int, until_ms: int) -> None:
        """Choose this account only where no other is left, until then or until `trust`."""
        if account := self._accounts.get(account_id):
            self._doubted[account_id] = until_ms
            heapq.heappush(self._doubts, (until_ms, account_id))
            self._place(account)

    def trust(self, account_id: int) -> None:
        """Choose this account by its quota again."""
        if self._doubted.pop(account_id, None) is not None and (account := self._accounts.get(account_id)):
            self._place(account)

    def next_free_ms(self, pools: Sequence[Pool]) -> int | None:
        """When the first resting account of these pools wakes, Unix milliseconds."""
        times = [resting[0][0] for pool in pools if (resting := self._prune(pool))]
        return min(times, default=None)

    def _reserve(self, account_id: int, cost: int) -> None:
        self._reserved[account_id] = self._reserved.get(account_id, 0) + cost
        if not self._reserved[account_id]:
            del self._reserved[account_id]
        self._place(self._accounts[account_id])

    def _place(self, account: Account) -> None:
        """Let the account stand in the index where its state and its free quota say, or nowhere."""
        free = account.quota - self._reserved.get(account.id, 0)
        rank = free - _DOUBTED if account.id in self._doubted else free
        wanted = (account.pool, rank) if account.status is Status.ACTIVE and free > 0 else None
        standing = self._standing.pop(account.id, None)
        if standing is not None:
            self._indexes[standing[0]].remove(account.id, standing[1])
        if wanted is not None:
            self._indexes[wanted[0]].add(account.id, wanted[1])
            self._standing[account.id] = wanted

    def _wake_rested(self, pool: Pool) -> None:
        now = self._now_ms()
        while (resting := self._prune(pool)) and resting[0][0] <= now:
            _, account_id = heapq.heappop(resting)
            self.put(recover(self._accounts[account_id], now))

    def _forget_doubts(self) -> None:
        now = self._now_ms()
        while self._doubts and self._doubts[0][0] <= now:
            until_ms, account_id = heapq.heappop(self._doubts)
            if self._doubted.get(account_id) == until_ms:
                self.trust(account_id)

    def _prune(self, pool: Pool) -> list[tuple[int, int]]:
        """The pool's resting accounts, the first to wake on top; entries that were overtaken by a change are gone."""
        resting = self._resting[pool]
        while resting and not self._is_resting(*resting[0]):
            heapq.heappop(resting)
        return resting

    def _is_resting(self, until_ms: int, account_id: int) -> bool:
        account = self._accounts.get(account_id)
        return account is not None and account.status is Status.COOLING and account.cooling_until_ms == until_ms
