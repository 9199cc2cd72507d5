"""The accounts with what Grok keeps for them, as the console looks through them; see `search`."""

from collections.abc import Callable, Iterable
from enum import StrEnum

from grok_app.accounts.account import Account
from grok_app.accounts.online_counts import OnlineCounts
from grok_app.accounts.search import AccountPage, AccountQuery, Column, search


class OnlineColumn(StrEnum):
    """What accounts can be sorted by where their files stand beside them."""

    TOKEN = Column.TOKEN.value
    POOL = Column.POOL.value
    STATUS = Column.STATUS.value
    COUNT = "count"
    """Those that were never counted first, then those that could not be."""
    CLEARED = "cleared"
    """By the last clearing; never comes before everything."""


def search_online(accounts: Iterable[Account], counts: OnlineCounts, query: AccountQuery) -> AccountPage:
    """The page of accounts that match; `query.sort` may be an `OnlineColumn`."""

    def files_of(account: Account) -> int:
        count = counts.get(account.id)
        return -2 if count is None else -1 if count.error else count.count

    keys: dict[str, Callable[[Account], int]] = {
        OnlineColumn.COUNT: files_of,
        OnlineColumn.CLEARED: lambda account: account.last_asset_clear_at_ms or 0,
    }
    return search(accounts, query, keys)
