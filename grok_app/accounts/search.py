"""The accounts as the console looks through them: filtered, searched, sorted, page by page.

Everything is in memory, so each look goes through all accounts; the marks are for 10,000 of them.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from grok_app.accounts.account import Account, Status
from grok_app.accounts.adult_content import TAG
from grok_app.accounts.credential import ending, mask, strip

PAGE_SIZES: Final = (20, 50, 100, 200)
_ELLIPSIS: Final = "…"
_NUMBER: Final = re.compile(r"#([0-9]{1,18})")


class Filter(StrEnum):
    """Which accounts, by what they are."""

    ALL = "all"
    ACTIVE = "active"
    COOLING = "cooling"
    EXPIRED = "expired"
    DISABLED = "disabled"
    NSFW_ON = "nsfw_on"
    NSFW_OFF = "nsfw_off"


class Column(StrEnum):
    """What accounts can be sorted by."""

    TOKEN = "token"  # noqa: S105 - the name of a column
    """By what is shown of its end."""
    POOL = "pool"
    STATUS = "status"
    """From active to disabled."""
    QUOTA = "quota"
    CALLS = "calls"
    LAST_USED = "last_used"
    """Never comes before everything."""
    TAGS = "tags"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class AccountQuery:
    """Which accounts, in which order, and which part of them."""

    filter: Filter = Filter.ALL
    text: str = ""
    """In the note, a tag or the shown end of the token, whatever its case; or a whole token, a mask as shown, `#12`."""
    sort: str | None = None
    """A `Column`; None: as they were added."""
    is_ascending: bool = True
    page: int = 1
    page_size: int = PAGE_SIZES[0]


@dataclass(frozen=True, slots=True)
class AccountPage:
    """One page of what matches."""

    accounts: list[Account]
    page: int
    """The nearest one that there is."""
    page_count: int
    """At least 1."""
    total: int
    """How many match."""
    ids: frozenset[int]
    """Of all that match."""
    counts: dict[Filter, int]
    """How many match the text, for each filter."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What a set of accounts comes to."""

    total: int
    active: int
    cooling: int
    expired: int
    disabled: int
    chat_quota: int
    """What the active ones have left."""
    image_quota: int
    """How many pictures that is, about: one takes as much as two answers. Source: grok2api's token page."""
    calls: int


def search(
    accounts: Iterable[Account], query: AccountQuery, keys: Mapping[str, Callable[[Account], Any]] | None = None
) -> AccountPage:
    """The page of accounts that match, and how many there are; ties stand in the order of their ids.

    Args:
        accounts: All of them.
        query: Which ones, and in which order.
        keys: What else they can be sorted by, beside each `Column`.
    """
    found = _found(accounts, query.text)
    matches = _of_filter(found, query.filter)
    matches.sort(key=lambda account: account.id)
    if query.sort:
        matches.sort(key={**_KEYS, **(keys or {})}[query.sort], reverse=not query.is_ascending)  # stable either way
    page_count = max(1, -(-len(matches) // query.page_size))
    page = min(max(1, query.page), page_count)
    part = matches[(page - 1) * query.page_size : page * query.page_size]
    ids = frozenset(account.id for account in matches)
    return AccountPage(part, page, page_count, len(matches), ids, _counts(found))


def matching_ids(accounts: Iterable[Account], query: AccountQuery) -> set[int]:
    """The ids of all that match, on whatever page."""
    return {account.id for account in _of_filter(_found(accounts, query.text), query.filter)}


def words_for(account: Account) -> str:
    """What finds this account, and is no secret: what is shown of its token, or its number where that is nothing."""
    shown = mask(_token(account))
    return f"#{account.id}" if shown == _ELLIPSIS else shown


def summarize(accounts: Iterable[Account]) -> Totals:
    """What these accounts come to."""
    states: Counter[Status] = Counter()
    quota = calls = 0
    for account in accounts:
        states[account.status] += 1
        calls += account.use_count
        quota += account.quota if account.status is Status.ACTIVE else 0
    return Totals(
        total=states.total(),
        active=states[Status.ACTIVE],
        cooling=states[Status.COOLING],
        expired=states[Status.EXPIRED],
        disabled=states[Status.DISABLED],
        chat_quota=quota,
        image_quota=quota // 2,
        calls=calls,
    )


_STATUS_OF: Final = {Filter(status.value): status for status in Status}
_RANKS: Final = {status: rank for rank, status in enumerate(Status)}
_KEYS: Final[dict[str, Callable[[Account], Any]]] = {
    Column.TOKEN: lambda account: _end(account).casefold(),
    Column.POOL: lambda account: account.pool.value,
    Column.STATUS: lambda account: _RANKS[account.status],
    Column.QUOTA: lambda account: account.quota,
    Column.CALLS: lambda account: account.use_count,
    Column.LAST_USED: lambda account: account.last_used_at_ms or 0,
    Column.TAGS: lambda account: [tag.casefold() for tag in account.tags],
    Column.NOTE: lambda account: account.note.casefold(),
}


def _found(accounts: Iterable[Account], text: str) -> list[Account]:
    """The accounts in which this text is."""
    folded = text.strip().casefold()
    if not folded:
        return list(accounts)
    if number := _NUMBER.fullmatch(folded):
        return [account for account in accounts if account.id == int(number[1])]
    is_whole = _mask_matcher(strip(text)) if _ELLIPSIS in text else strip(text).__eq__
    return [account for account in accounts if folded in _words(account) or is_whole(_token(account))]


def _mask_matcher(shown: str) -> Callable[[str], bool]:
    end = shown.rpartition(_ELLIPSIS)[2]
    return lambda token: token.endswith(end) and mask(token) == shown  # masks take long to make


def _words(account: Account) -> str:
    """What a text is looked for in. The line breaks keep it from being found across two of them."""
    return "\n".join((account.note, *account.tags, _end(account))).casefold()


def _of_filter(accounts: list[Account], wanted: Filter) -> list[Account]:
    if status := _STATUS_OF.get(wanted):
        return [account for account in accounts if account.status is status]
    if wanted is Filter.ALL:
        return list(accounts)
    is_on = wanted is Filter.NSFW_ON
    return [account for account in accounts if (TAG in account.tags) is is_on]


def _counts(accounts: list[Account]) -> dict[Filter, int]:
    states = Counter(account.status for account in accounts)
    switched_on = sum(TAG in account.tags for account in accounts)
    return {
        Filter.ALL: len(accounts),
        **{name: states[status] for name, status in _STATUS_OF.items()},
        Filter.NSFW_ON: switched_on,
        Filter.NSFW_OFF: len(accounts) - switched_on,
    }


def _token(account: Account) -> str:
    return account.credential.get_secret_value()


def _end(account: Account) -> str:
    return ending(_token(account))
