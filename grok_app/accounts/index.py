"""The accounts of one pool that can be chosen, by the quota they have left.

They stand in buckets, one for each amount; quotas are small whole numbers, so the buckets are few and a choice costs a
look at the fullest one, however many accounts there are.
"""

import random
from bisect import bisect_left, insort
from collections.abc import Collection


class QuotaIndex:
    """Account ids by free quota: add, remove and choose without a look at all of them."""

    def __init__(self) -> None:
        self._buckets: dict[int, _Bucket] = {}
        self._amounts: list[int] = []
        self._standing: dict[int, int] = {}

    def place(self, account_id: int, free: int) -> None:
        """Let the account stand where its free quota says, wherever it stood before."""
        if self._standing.get(account_id) == free:
            return
        self.remove(account_id)
        bucket = self._buckets.get(free)
        if bucket is None:
            bucket = self._buckets[free] = _Bucket()
            insort(self._amounts, free)
        bucket.add(account_id)
        self._standing[account_id] = free

    def remove(self, account_id: int) -> None:
        """Forget the account, if it stands here."""
        free = self._standing.pop(account_id, None)
        if free is None:
            return
        bucket = self._buckets[free]
        bucket.remove(account_id)
        if not bucket:
            del self._buckets[free]
            del self._amounts[bisect_left(self._amounts, free)]

    def choose(self, excluded: Collection[int]) -> int | None:
        """The id with the most free quota that is not excluded, ties at random."""
        for amount in reversed(self._amounts):
            if (found := self._buckets[amount].choose(excluded)) is not None:
                return found
        return None


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
