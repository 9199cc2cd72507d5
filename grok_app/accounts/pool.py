"""Which account is asked next: the one with the most quota left, ties at random.

An account that has just failed is in doubt: it comes last, so that a few bad ones can't stand in the way of the others.
One that serves as many requests as it may is busy: it is worth waiting for.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from grok_app.accounts.account import Account, Status, recover
from grok_app.accounts.index import QuotaIndex
from grok_app.catalog import Pool


class AccountPool:
    """All accounts in memory, and what is reserved of them. Knows no database.

    Args:
        accounts: Each id once.
        now_ms: The clock, in Unix milliseconds.
        max_inflight: How many requests an account may serve at once; asked anew each time.

    Attributes:
        on_change: Told a pool when one of its accounts may serve, or is not worth waiting for any more.
        removals: How many accounts have been removed so far.
        counts: How many accounts there are by pool and status, as of the last `wake_rested`.
        quotas: What the active accounts of each pool have left.
    """

    def __init__(self, accounts: Iterable[Account], now_ms: Callable[[], int], max_inflight: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._max_inflight = max_inflight
        self.on_change: Callable[[Pool], None] = lambda _pool: None
        self.removals = 0
        self.counts: Counter[tuple[Pool, Status]] = Counter()
        self.quotas: Counter[Pool] = Counter()
        self._accounts: dict[int, Account] = {}
        self._reserved: dict[int, list[int]] = {}
        """The costs that are set aside for an account, one for each request under way."""
        self._trusted = {pool: QuotaIndex() for pool in Pool}
        self._doubtful = {pool: QuotaIndex() for pool in Pool}
        self._busy: dict[Pool, set[int]] = {pool: set() for pool in Pool}
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
        former = self._accounts.get(account.id)
        if former is not None and former.pool is not account.pool:
            self._lift(former)
        self._count(former, account)
        self._accounts[account.id] = account
        if account.status is Status.COOLING and (former is None or _rest(former) != _rest(account)):
            heapq.heappush(self._resting[account.pool], (account.cooling_until_ms, account.id))
        self._place(account)

    def remove(self, account_id: int) -> None:
        """Forget an account. What is under way with it ends as it may."""
        if account := self._accounts.pop(account_id, None):
            self._lift(account)
            self._count(account, None)
            self.removals += 1
        self._reserved.pop(account_id, None)
        self._doubted.pop(account_id, None)

    def reserve(self, pools: Sequence[Pool], cost: int, excluded: Collection[int] = ()) -> Account | None:
        """Choose an account from the first of the pools that has one, and set the cost aside at once.

        An account with less quota than the cost, but some, is still chosen: Grok has the last word. One in doubt is
        chosen only where no other is left, not even a busy one.
        """
        self._forget_doubts()
        self.wake_rested(pools)
        account_id = _choose(self._trusted, pools, excluded)
        if account_id is None and not self.has_busy(pools, excluded):
            account_id = _choose(self._doubtful, pools, excluded)
        if account_id is None:
            return None
        self._reserved.setdefault(account_id, []).append(cost)
        account = self._accounts[account_id]
        self._place(account)
        return account

    def release(self, account_id: int, cost: int) -> None:
        """Give back what `reserve` has set aside."""
        costs = self._reserved.get(account_id, [])
        if cost in costs:  # what other processes know of it may have come in between, see `occupy`
            costs.remove(cost)
            self.occupy(account_id, costs)

    def occupy(self, account_id: int, costs: list[int]) -> None:
        """Let these be all the costs that are set aside for an account, by whomever."""
        if (account := self._accounts.get(account_id)) is None:
            return
        if costs:
            self._reserved[account_id] = costs
        else:
            self._reserved.pop(account_id, None)
        self._place(account)

    @property
    def leases(self) -> int:
        """How many requests accounts are set aside for now. Looks at those accounts alone."""
        return sum(map(len, self._reserved.values()))

    def has_busy(self, pools: Sequence[Pool], excluded: Collection[int] = ()) -> bool:
        """Whether an account of these pools could serve, were it not serving as much as it may."""
        return any(
            len(busy) > sum(account_id in busy for account_id in excluded)
            for busy in map(self._busy.get, pools)
            if busy
        )

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

    def wake_rested(self, pools: Iterable[Pool] = Pool) -> None:
        """Let accounts of these pools serve again whose rest is over. `reserve` does it by itself."""
        now = self._now_ms()
        for pool in pools:
            while (resting := self._prune(pool)) and resting[0][0] <= now:
                _, account_id = heapq.heappop(resting)
                self.put(recover(self._accounts[account_id], now))

    def resting(self, pools: Sequence[Pool]) -> list[Account]:
        """The accounts of these pools that rest. Looks at all accounts."""
        return [account for account in self if account.status is Status.COOLING and account.pool in pools]

    def next_free_ms(self, pools: Sequence[Pool]) -> int | None:
        """When the first resting account of these pools wakes, Unix milliseconds."""
        times = [resting[0][0] for pool in pools if (resting := self._prune(pool))]
        return min(times, default=None)

    def _count(self, former: Account | None, account: Account | None) -> None:
        """Keep the counts, so that nobody has to look at all accounts for them. A change of quota alone is quick."""
        if former and account and former.pool is account.pool and former.status is account.status:
            if account.status is Status.ACTIVE:
                self.quotas[account.pool] += account.quota - former.quota
            return
        for one, by in ((former, -1), (account, 1)):
            if one:
                self.counts[one.pool, one.status] += by
                self.quotas[one.pool] += by * one.quota if one.status is Status.ACTIVE else 0

    def _place(self, account: Account) -> None:
        """Let the account stand where its state, its free quota and its requests say."""
        costs = self._reserved.get(account.id, ())
        free = account.quota - sum(costs)
        is_open = account.status is Status.ACTIVE and account.quota > 0
        is_free = is_open and free > 0 and len(costs) < self._max_inflight()
        is_doubted = account.id in self._doubted
        wanted = (self._doubtful if is_doubted else self._trusted)[account.pool] if is_free else None
        for index in (self._trusted[account.pool], self._doubtful[account.pool]):
            if index is wanted:
                index.place(account.id, free)
            else:
                index.remove(account.id)
        busy = self._busy[account.pool]
        if is_open and not is_free and not is_doubted:
            busy.add(account.id)
        else:
            busy.discard(account.id)
            self.on_change(account.pool)

    def _lift(self, account: Account) -> None:
        self._trusted[account.pool].remove(account.id)
        self._doubtful[account.pool].remove(account.id)
        self._busy[account.pool].discard(account.id)
        self.on_change(account.pool)

    def _forget_doubts(self) -> None:
        now = self._now_ms()
        while self._doubts and self._doubts[0][0] <= now:
            until_ms, account_id = heapq.heappop(self._doubts)
            if self._doubted.get(account_id) == until_ms:
                self.trust(account_id)

    def _prune(self, pool: Pool) -> list[tuple[int, int]]:
        """The pool's resting accounts, the first to wake on top; entries that were overtaken by a change are gone."""
        resting = self._resting[pool]
        while resting and not self._is_resting(pool, *resting[0]):
            heapq.heappop(resting)
        return resting

    def _is_resting(self, pool: Pool, until_ms: int, account_id: int) -> bool:
        account = self._accounts.get(account_id)
        return (
            account is not None
            and account.pool is pool
            and account.status is Status.COOLING
            and account.cooling_until_ms == until_ms
        )


def _rest(account: Account) -> tuple[Pool, Status, int]:
    return account.pool, account.status, account.cooling_until_ms


def _choose(indexes: dict[Pool, QuotaIndex], pools: Sequence[Pool], excluded: Collection[int]) -> int | None:
    for pool in pools:
        if (account_id := indexes[pool].choose(excluded)) is not None:
            return account_id
    return None
