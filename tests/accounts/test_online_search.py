"""Accounts beside what Grok keeps for them: sorted by it, page by page."""

import time

import pytest
from pydantic import SecretStr

from grok_app.accounts import Account, AccountQuery, OnlineColumn, OnlineCounts, Status, search_online
from grok_app.accounts.pool import AccountPool
from grok_app.catalog import Pool

LIMIT_MS = 400
"""Many times what it takes, so that a busy machine fails nothing; `python -m benchmarks --only pages` measures."""
"""Of a page at 10,000 accounts; a console page has 200 ms for all that it does."""


def made(account_id: int, cleared_at_ms: int | None = None, pool: Pool = Pool.BASIC) -> Account:
    """An account whose token ends in its id."""
    token = SecretStr(f"a-long-token-of-an-account-{account_id:06}")
    return Account(account_id, pool, token, Status.ACTIVE, 80, last_asset_clear_at_ms=cleared_at_ms)


def counts_of(accounts: list[Account]) -> OnlineCounts:
    """Nothing is known of these yet."""
    return OnlineCounts(AccountPool(accounts, lambda: 0, lambda: 8))


@pytest.mark.parametrize(
    ("column", "is_ascending", "ids"),
    [
        (OnlineColumn.COUNT, True, [4, 3, 1, 2]),
        (OnlineColumn.COUNT, False, [2, 1, 3, 4]),
        (OnlineColumn.CLEARED, True, [3, 4, 2, 1]),
        (OnlineColumn.CLEARED, False, [1, 2, 3, 4]),
        (OnlineColumn.TOKEN, False, [4, 3, 2, 1]),
        (OnlineColumn.POOL, True, [1, 2, 4, 3]),
        (OnlineColumn.STATUS, True, [1, 2, 3, 4]),
        (None, True, [1, 2, 3, 4]),
    ],
)
def test_each_column_sorts(column: OnlineColumn | None, is_ascending: bool, ids: list[int]) -> None:
    """What is not known comes before everything, what failed next; ties stand in the order of their ids."""
    accounts = [made(1, 20), made(2, 10), made(3, pool=Pool.SUPER), made(4)]
    counts = counts_of(accounts)
    counts.note(1, {"a": 0})
    counts.note(2, {"b": 0, "c": 0})
    counts.note_failure(3, "Grok is away")
    page = search_online(accounts, counts, AccountQuery(sort=column, is_ascending=is_ascending))
    assert [account.id for account in page.accounts] == ids


def test_ten_thousand_accounts_are_looked_through_at_once() -> None:
    """Sorted by their counts, the last page of a search: it is done each second while a page shows it."""
    accounts = [made(number) for number in range(1, 10_001)]
    counts = counts_of(accounts)
    for account in accounts:
        counts.note(account.id, dict.fromkeys(map(str, range(account.id % 7)), 1))
    query = AccountQuery(text="00", sort=OnlineColumn.COUNT, is_ascending=False, page=10_000, page_size=200)
    times_ms = []
    for _ in range(5):
        started = time.perf_counter()
        found = search_online(accounts, counts, query)
        counts.total()
        times_ms.append((time.perf_counter() - started) * 1000)
    assert found.accounts
    assert min(times_ms) < LIMIT_MS
