"""Who is chosen."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from grok_app.accounts import Account, AccountPool, Status
from grok_app.accounts.account import cool_down, succeed
from grok_app.catalog import Pool

BOTH = (Pool.BASIC, Pool.SUPER)


class Clock:
    """A clock that stands still until told."""

    def __init__(self) -> None:
        self.now_ms = 1_000_000

    def __call__(self) -> int:
        """The time."""
        return self.now_ms


def account(account_id: int, quota: int, pool: Pool = Pool.BASIC, status: Status = Status.ACTIVE) -> Account:
    """An account of this pool."""
    return Account(id=account_id, pool=pool, credential=SecretStr("T"), status=status, quota=quota)


def pool_of(accounts: Iterable[Account], clock: Clock, max_inflight: int = 1000) -> AccountPool:
    """A pool of these accounts."""
    return AccountPool(accounts, clock, lambda: max_inflight)


def reserve(
    pool: AccountPool, cost: int = 1, excluded: tuple[int, ...] = (), pools: tuple[Pool, ...] = BOTH
) -> int | None:
    """The id of the account that is chosen."""
    chosen = pool.reserve(pools, cost, excluded)
    return chosen.id if chosen else None


def test_the_most_quota_left_is_chosen() -> None:
    """Reserved quota counts as gone, so requests side by side spread."""
    pool = pool_of([account(1, 5), account(2, 7)], Clock())
    assert [reserve(pool) for _ in range(2)] == [2, 2]
    assert Counter(reserve(pool) for _ in range(10)) == {1: 5, 2: 5}
    assert reserve(pool) is None


def test_ties_are_broken_at_random() -> None:
    """Equal accounts share the work."""
    pool = pool_of([account(i, 1000) for i in range(4)], Clock())
    chosen: Counter[int] = Counter()
    for _ in range(400):
        found = reserve(pool)
        assert found is not None
        chosen[found] += 1
        pool.release(found, 1)
    assert min(chosen.values()) > 50


def test_pools_are_asked_in_order() -> None:
    """The second pool serves only when the first has nobody."""
    pool = pool_of([account(1, 1), account(2, 100, Pool.SUPER)], Clock())
    assert [reserve(pool), reserve(pool)] == [1, 2]
    assert reserve(pool, pools=(Pool.BASIC,)) is None


def test_released_quota_can_be_reserved_again() -> None:
    """Nothing is lost when a request comes to nothing."""
    pool = pool_of([account(1, 4)], Clock())
    assert reserve(pool, cost=4) == 1
    assert reserve(pool) is None
    pool.release(1, 4)
    assert reserve(pool, cost=4) == 1


def test_tried_accounts_are_passed_over() -> None:
    """The next best is chosen, wherever it stands."""
    pool = pool_of([account(1, 9), account(2, 9), account(3, 5)], Clock())
    assert {reserve(pool, excluded=(1,)), reserve(pool, excluded=(1, 2))} == {2, 3}
    assert reserve(pool, excluded=(1, 2, 3)) is None


def test_an_account_in_doubt_comes_last() -> None:
    """One that has just failed is asked only when no other is left, for a while."""
    clock = Clock()
    pool = pool_of([account(1, 90), account(2, 2), account(3, 2, Pool.SUPER)], clock)
    pool.doubt(1, clock() + 1000)
    assert [reserve(pool, pools=(Pool.BASIC,)) for _ in range(3)] == [2, 2, None]
    assert reserve(pool) == 3
    pool.put(account(2, 2, status=Status.DISABLED))
    assert reserve(pool, pools=(Pool.BASIC,)) == 1
    pool.trust(1)
    assert reserve(pool) == 1
    pool.doubt(1, clock() + 1000)
    clock.now_ms += 1000
    assert reserve(pool) == 1


def test_only_active_accounts_are_chosen() -> None:
    """Resting, expired and disabled accounts are left alone."""
    states = (Status.COOLING, Status.EXPIRED, Status.DISABLED)
    clock = Clock()
    resting = [replace(account(i, 9, status=status), cooling_until_ms=clock() + 1) for i, status in enumerate(states)]
    assert reserve(pool_of(resting, clock)) is None


def test_a_rested_account_comes_back_by_itself() -> None:
    """Nobody has to wake it; until then the pool knows when."""
    clock = Clock()
    pool = pool_of([account(1, 9)], clock)
    pool.put(cool_down(account(1, 9), 10, "", clock()))
    assert reserve(pool) is None
    assert pool.next_free_ms(BOTH) == clock() + 10_000
    clock.now_ms += 10_000
    assert reserve(pool) == 1
    assert pool.next_free_ms(BOTH) is None


def test_a_later_change_overtakes_a_rest() -> None:
    """An account woken early, or put to rest for longer, obeys its newest state."""
    clock = Clock()
    pool = pool_of([cool_down(account(1, 9), 10, "", clock())], clock)
    pool.put(cool_down(account(1, 9), 20, "", clock()))
    clock.now_ms += 10_000
    assert reserve(pool) is None
    pool.put(account(1, 9))
    assert reserve(pool) == 1
    clock.now_ms += 10_000
    assert pool.get(1) == account(1, 9)


def test_an_account_serves_so_many_requests_at_once() -> None:
    """A busy account is passed over, is worth waiting for, and serves again when a request has ended."""
    pool = pool_of([account(1, 90), account(2, 9, Pool.SUPER)], Clock(), max_inflight=2)
    assert [reserve(pool, pools=(Pool.BASIC,)) for _ in range(3)] == [1, 1, None]
    assert pool.has_busy((Pool.BASIC,))
    assert not pool.has_busy((Pool.BASIC,), excluded=(1,))
    assert not pool.has_busy((Pool.SUPER,))
    assert reserve(pool) == 2
    pool.release(1, 1)
    assert reserve(pool, pools=(Pool.BASIC,)) == 1


def test_what_may_serve_again_is_told() -> None:
    """Whoever waits hears of each account that is free again, or that is not worth waiting for any more."""
    pool = pool_of([account(1, 1)], Clock())
    told: list[Pool] = []
    pool.on_change = told.append
    reserve(pool)
    assert told == []
    pool.release(1, 1)
    reserve(pool)
    pool.put(account(1, 1, status=Status.DISABLED))
    pool.remove(1)
    assert told == [Pool.BASIC] * 3


def test_an_account_moves_between_pools() -> None:
    """From then on it serves for the new pool alone, whatever it was doing."""
    pool = pool_of([account(1, 9)], Clock())
    reserve(pool)
    pool.put(account(1, 9, Pool.SUPER))
    assert reserve(pool, pools=(Pool.BASIC,)) is None
    pool.release(1, 1)
    assert reserve(pool, cost=9, pools=(Pool.SUPER,)) == 1
    resting = cool_down(account(1, 9, Pool.SUPER), 10, "", 0)
    pool.put(resting)
    pool.put(replace(resting, pool=Pool.BASIC))
    assert pool.next_free_ms((Pool.SUPER,)) is None
    assert pool.next_free_ms((Pool.BASIC,)) == 10_000


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["reserve", "release", "use", "put"])), max_size=60))
def test_the_best_is_chosen_after_any_history(steps: list[tuple[int, str]]) -> None:
    """Whatever happened before, a choice has the most free quota of all, and none is chosen only if none is free."""
    pool = pool_of([account(i, 3 + i) for i in range(4)], Clock())
    held: list[int] = []
    for number, step in steps:
        if step == "reserve":
            free = {a.id: a.quota - held.count(a.id) for a in pool if a.status is Status.ACTIVE}
            chosen = reserve(pool)
            best = max(free.values(), default=0)
            assert chosen is None if best <= 0 else chosen is not None and free[chosen] == best
            held += [chosen] if chosen is not None else []
        elif step == "put":
            pool.put(account(number % 4, number))
        elif held:
            used = held.pop(number % len(held))
            current = pool.get(used)
            if step == "use" and current:
                pool.put(succeed(current, 1, 1_000_000))
            pool.release(used, 1)


def test_what_others_have_set_aside_counts_too() -> None:
    """Whoever knows of all costs says so; ours may be among them, or gone."""
    pool = pool_of([account(1, 10)], Clock())
    assert reserve(pool, 4) == 1
    pool.occupy(1, [4, 6])
    assert reserve(pool) is None
    pool.occupy(1, [6])
    pool.release(1, 4)
    assert reserve(pool, 4) == 1
    pool.occupy(7, [1])  # one that is not there
    pool.occupy(1, [])
    assert reserve(pool, 10) == 1


_ACCOUNTS = st.builds(
    account, st.integers(0, 4), st.integers(0, 9), st.sampled_from(BOTH), st.sampled_from(list(Status))
)


@given(st.lists(st.one_of(_ACCOUNTS, st.integers(0, 4)), max_size=40))
def test_the_counts_are_those_of_a_look_at_all(history: list[Account | int]) -> None:
    """After any putting (an account) and removing (an id), by pool and status; quotas are those of active accounts."""
    pool = pool_of([], Clock())
    for step in history:
        if isinstance(step, int):
            pool.remove(step)
        else:
            pool.put(step)
    assert +pool.counts == Counter((it.pool, it.status) for it in pool)
    quotas = {of: sum(it.quota for it in pool if it.pool is of and it.status is Status.ACTIVE) for of in BOTH}
    assert {of: pool.quotas[of] for of in BOTH} == quotas


def test_leases_are_counted() -> None:
    """As many as there are reservations, of whichever accounts."""
    pool = pool_of([account(1, 9), account(2, 9)], Clock())
    for _ in range(3):
        reserve(pool)
    assert pool.leases == 3
    pool.release(1, 1)
    assert pool.leases == 2
