"""The accounts as the overview counts them."""

import time

from pydantic import SecretStr

from grok_app.accounts import Account, Status, summarize_pools
from grok_app.catalog import Pool

COUNT = 10_000


def account(number: int, pool: Pool, status: Status, quota: int) -> Account:
    """An account in this state."""
    return Account(number, pool, SecretStr(f"token-{number}"), status, quota)


def test_each_pool_is_counted_by_itself() -> None:
    """States and the quota of those that can be asked, for each pool."""
    totals = summarize_pools(
        [
            account(1, Pool.BASIC, Status.ACTIVE, 80),
            account(2, Pool.BASIC, Status.COOLING, 0),
            account(3, Pool.BASIC, Status.DISABLED, 70),
            account(4, Pool.SUPER, Status.ACTIVE, 140),
            account(5, Pool.SUPER, Status.ACTIVE, 10),
            account(6, Pool.SUPER, Status.EXPIRED, 9),
        ]
    )
    basic, best = totals[Pool.BASIC], totals[Pool.SUPER]
    assert (basic.total, basic.active, basic.cooling, basic.expired, basic.disabled) == (3, 1, 1, 0, 1)
    assert (best.total, best.active, best.cooling, best.expired, best.disabled) == (3, 2, 0, 1, 0)
    assert (basic.chat_quota, best.chat_quota) == (80, 150)


def test_a_pool_without_accounts_is_there() -> None:
    """The page has a line for it."""
    assert [totals.total for totals in summarize_pools([]).values()] == [0 for _ in Pool]


def test_ten_thousand_accounts_hold_nobody_up() -> None:
    """The best of several runs takes 5 ms (2026-11-29); the limit is so high that a busy machine fails nothing."""
    pools, states = list(Pool), list(Status)
    accounts = [account(number, pools[number % 2], states[number % 4], 80) for number in range(COUNT)]
    assert min(_seconds_of(accounts) for _ in range(7)) < 0.1


def _seconds_of(accounts: list[Account]) -> float:
    began = time.perf_counter()
    summarize_pools(accounts)
    return time.perf_counter() - began
