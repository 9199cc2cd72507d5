"""Who is chosen."""

from collections import Counter
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


def reserve(
    pool: AccountPool, cost: int = 1, excluded: tuple[int, ...] = (), pools: tuple[Pool, ...] = BOTH
) -> int | None:
    """The id of the account that is chosen."""
    chosen = pool.reserve(pools, cost, excluded)
    return chosen.id if chosen else None


def test_the_most_quota_left_is_chosen() -> None:
    """Reserved quota counts as gone, so requests side by side spread."""
    pool = AccountPool([account(1, 5), account(2, 7)], Clock())
    assert [reserve(pool) for _ in range(2)] == [2, 2]
    assert Counter(reserve(pool) for _ in range(10)) == {1: 5, 2: 5}
    assert reserve(pool) is None


def test_ties_are_broken_at_random() -> None:
    """Equal accounts share the work."""
    pool = AccountPool([account(i, 1000) for i in range(4)], Clock())
    chosen: Counter[int] = Counter()
    for _ in range(400):
        found = reserve(pool)
        assert found is not None
        chosen[found] += 1
        pool.release(found, 1)
    assert min(chosen.values()) > 50


def test_pools_are_asked_in_order() -> None:
    """The second pool serves only when the first has nobody."""
    pool = AccountPool([account(1, 1), account(2, 100, Pool.SUPER)], Clock())
    assert [reserve(pool), reserve(pool)] == [1, 2]
    assert reserve(pool, pools=(Pool.BASIC,)) is None


def test_released_quota_can_be_reserved_again() -> None:
    """Nothing is lost when a request comes to nothing."""
    pool = AccountPool([account(1, 4)], Clock())
    assert reserve(pool, cost=4) == 1
    assert reserve(pool) is None
    pool.release(1, 4)
    assert reserve(pool, cost=4) == 1


def test_tried_accounts_are_passed_over() -> None:
    """The next best is chosen, wherever it stands."""
    pool = AccountPool([account(1, 9), account(2, 9), account(3, 5)], Clock())
    assert {reserve(pool, excluded=(1,)), reserve(pool, excluded=(1, 2))} == {2, 3}
    assert reserve(pool, excluded=(1, 2, 3)) is None


def test_an_account_in_doubt_comes_last() -> None:
    """One that has just failed is asked only when no other is left, for a while."""
    clock = Clock()
    pool = AccountPool([account(1, 90), account(2, 2), account(3, 2, Pool.SUPER)], clock)
    pool.doubt(1, clock() + 1000)
    assert [reserve(pool, pools=(Pool.BASIC,)) for _ in range(3)] == [2, 2, 1]
    pool.release(2, 1)
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
    assert reserve(AccountPool(resting, clock)) is None


def test_a_rested_account_comes_back_by_itself() -> None:
    """Nobody has to wake it; until then the pool knows when."""
    clock = Clock()
    pool = AccountPool([account(1, 9)], clock)
    pool.put(cool_down(account(1, 9), 10, clock()))
    assert reserve(pool) is None
    assert pool.next_free_ms(BOTH) == clock() + 10_000
    clock.now_ms += 10_000
    assert reserve(pool) == 1
    assert pool.next_free_ms(BOTH) is None


def test_a_later_change_overtakes_a_rest() -> None:
    """An account woken early, or put to rest for longer, obeys its newest state."""
    clock = Clock()
    pool = AccountPool([cool_down(account(1, 9), 10, clock())], clock)
    pool.put(cool_down(account(1, 9), 20, clock()))
    clock.now_ms += 10_000
    assert reserve(pool) is None
    pool.put(account(1, 9))
    assert reserve(pool) == 1
    clock.now_ms += 10_000
    assert pool.get(1) == account(1, 9)


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["reserve", "release", "use", "put"])), max_size=60))
def test_the_best_is_chosen_after_any_history(steps: list[tuple[int, str]]) -> None:
    """Whatever happened before, a choice has the most free quota of all, and none is chosen only if none is free."""
    pool = AccountPool([account(i, 3 + i) for i in range(4)], Clock())
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
