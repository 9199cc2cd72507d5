"""Looking through the accounts: what is found, in which order, on which page."""

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from grok_app.accounts import (
    Account,
    AccountQuery,
    Column,
    Filter,
    Status,
    matching_ids,
    search,
    summarize,
    words_for,
)
from grok_app.accounts.search import PAGE_SIZES
from grok_app.catalog import Pool

TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.{}"
LIMIT_MS = 250
"""Many times what it takes, so that a busy machine fails nothing; `python -m benchmarks --only pages` measures."""


def made(account_id: int, **fields: object) -> Account:
    """An account with a token of the usual kind that ends in its id."""
    token = SecretStr(TOKEN.format(f"{account_id:04}"))
    plain = Account(account_id, Pool.BASIC, token, Status.ACTIVE, 80)
    return replace(plain, **fields)  # type: ignore[arg-type] # each test gives what it is about


def found(text: str, *accounts: Account) -> list[int]:
    """The ids of what is found by this text."""
    return [account.id for account in search(accounts, AccountQuery(text=text)).accounts]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", [1, 2, 3]),
        ("  ", [1, 2, 3]),
        ("TEAM a", [1]),
        ("spare", [2]),
        ("0003", [3]),
        ("000", [1, 2, 3]),
        ("eyj0", []),
        ("…0003", []),
        ("eyJ0…0003", [3]),
        (TOKEN.format("0002"), [2]),
        (f"sso={TOKEN.format('0002')}; path=/", [2]),
        (TOKEN.format("000"), []),
        ("a;b", [3]),
        ("ß", [2]),
        ("nothing", []),
    ],
    ids=[
        "nothing", "blanks", "note", "tag", "end", "part of the end", "beginning", "part of a mask", "mask", "token",
        "cookie", "part of a token", "semicolon", "case", "no match",
    ],
)  # fmt: skip
def test_where_a_text_is_looked_for(text: str, ids: list[int]) -> None:
    """In notes, tags and shown ends, whatever the case; a whole token or a whole mask too, but no other part of one."""
    accounts = (made(1, note="Of Team A"), made(2, tags=("nsfw", "Spare"), note="GROSS"), made(3, note="a;b"))
    assert found(text.replace("ß", "ss"), *accounts) == ids


def test_an_account_is_found_without_its_token() -> None:
    """By what is shown of it; by its number, as the list of requests has it, where nothing is."""
    short = [made(number, credential=SecretStr(f"bulk-{number}")) for number in (7, 70)]
    usual = made(3)
    everyone = (*short, usual)
    assert [found(words_for(account), *everyone) for account in everyone] == [[7], [70], [3]]
    assert [words_for(account) for account in everyone] == ["#7", "#70", "eyJ0…0003"]
    assert found("#3", *everyone) == [3]


def test_a_short_token_shows_and_is_found_by_less() -> None:
    """What the mask hides can't be searched for piece by piece."""
    accounts = [made(1, credential=SecretStr("abcdefghij")), made(2, credential=SecretStr("short"))]
    assert found("ij", *accounts) == [1]
    assert found("hij", *accounts) == []
    assert found("t", *accounts) == []
    assert found("short", *accounts) == [2]


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Filter.ALL, {1, 2, 3, 4}),
        (Filter.ACTIVE, {1}),
        (Filter.COOLING, {2}),
        (Filter.EXPIRED, {3}),
        (Filter.DISABLED, {4}),
        (Filter.NSFW_ON, {2, 4}),
        (Filter.NSFW_OFF, {1, 3}),
    ],
)
def test_filters(wanted: Filter, ids: set[int]) -> None:
    """By status, and by the tag that switching adult content on leaves."""
    accounts = [made(place, status=status, tags=("nsfw",) * (1 - place % 2)) for place, status in enumerate(Status, 1)]
    assert matching_ids(accounts, AccountQuery(filter=wanted)) == ids


@pytest.mark.parametrize(
    ("column", "ids"),
    [
        (None, [1, 2, 3]),
        (Column.TOKEN, [1, 2, 3]),
        (Column.POOL, [2, 3, 1]),
        (Column.STATUS, [3, 1, 2]),
        (Column.QUOTA, [2, 1, 3]),
        (Column.CALLS, [1, 2, 3]),
        (Column.LAST_USED, [3, 2, 1]),
        (Column.TAGS, [3, 2, 1]),
        (Column.NOTE, [2, 3, 1]),
    ],
)
def test_every_column_sorts(column: Column | None, ids: list[int]) -> None:
    """In both directions, ties in the order of the ids."""
    accounts = [
        made(3, status=Status.ACTIVE, quota=80, use_count=7, note="b"),
        made(1, pool=Pool.SUPER, status=Status.COOLING, quota=9, use_count=7, last_used_at_ms=9, tags=("b",), note="C"),
        made(2, status=Status.DISABLED, quota=0, use_count=7, last_used_at_ms=5, tags=("A", "z"), note="A"),
    ]
    shown = [account.id for account in search(accounts, AccountQuery(sort=column)).accounts]
    assert shown == ids
    down = [it.id for it in search(accounts, AccountQuery(sort=column, is_ascending=False)).accounts]
    ties = {None: ids, Column.CALLS: ids, Column.POOL: [1, 2, 3]}
    assert down == ties.get(column, ids[::-1])


def test_what_the_accounts_come_to() -> None:
    """Only active ones have quota left; a picture takes as much as two answers."""
    accounts = [made(place, status=status, quota=11, use_count=3) for place, status in enumerate(Status, 1)]
    totals = summarize([*accounts, made(9, quota=10)])
    assert (totals.total, totals.active, totals.cooling, totals.expired, totals.disabled) == (5, 2, 1, 1, 1)
    assert (totals.chat_quota, totals.image_quota, totals.calls) == (21, 10, 12)
    assert summarize([]).total == 0


WORDS = st.sampled_from(["", "nsfw", "a", "Ab", "0001", "b"])


@st.composite
def rosters(draw: st.DrawFn) -> list[Account]:
    """Some accounts in any order, with much in common."""
    ids = draw(st.lists(st.integers(1, 9999), unique=True, max_size=60))
    return [
        made(
            account_id,
            pool=draw(st.sampled_from(Pool)),
            status=draw(st.sampled_from(Status)),
            quota=draw(st.integers(0, 3)),
            use_count=draw(st.integers(0, 3)),
            last_used_at_ms=draw(st.none() | st.integers(0, 3)),
            tags=tuple(draw(st.lists(WORDS, max_size=2))),
            note=draw(WORDS),
        )
        for account_id in ids
    ]


QUERIES = st.builds(
    AccountQuery,
    filter=st.sampled_from(Filter),
    text=WORDS,
    sort=st.none() | st.sampled_from(Column),
    is_ascending=st.booleans(),
    page=st.integers(-3, 20),
    page_size=st.sampled_from((1, 7, *PAGE_SIZES)),
)


@given(rosters(), QUERIES)
def test_pages_part_what_matches(accounts: list[Account], query: AccountQuery) -> None:
    """Every match is on one page, none on two, in one order; the page asked for is one of them."""
    asked = search(accounts, query)
    pages = [search(accounts, replace(query, page=number)) for number in range(1, asked.page_count + 1)]
    ids = [account.id for page in pages for account in page.accounts]
    assert len(ids) == len(set(ids)) == asked.total
    assert set(ids) == matching_ids(accounts, query)
    assert asked.accounts == pages[asked.page - 1].accounts
    assert all(page.accounts for page in pages) or (len(pages), asked.total) == (1, 0)


@given(rosters(), QUERIES)
def test_counts_are_what_the_filters_show(accounts: list[Account], query: AccountQuery) -> None:
    """Each tab's number is how many it would show, of what the text finds."""
    counts = search(accounts, query).counts
    assert counts == {name: search(accounts, replace(query, filter=name)).total for name in Filter}
    assert counts[Filter.ALL] == sum(counts[Filter(status.value)] for status in Status)
    assert counts[Filter.ALL] == counts[Filter.NSFW_ON] + counts[Filter.NSFW_OFF]


@given(st.permutations(range(40)), QUERIES)
def test_the_order_is_the_accounts_own(order: list[int], query: AccountQuery) -> None:
    """However the accounts stand in memory."""
    accounts = [made(number, quota=number % 4, note="ab"[number % 2]) for number in range(40)]
    assert search([accounts[place] for place in order], query) == search(accounts, query)


@pytest.mark.parametrize("column", [None, *Column])
def test_ten_thousand_accounts_are_looked_through_at_once(column: Column | None) -> None:
    """A page is found before anyone notices: the best of three looks, so that a busy machine counts less."""
    accounts = [
        made(n, status=list(Status)[n % 4], quota=n % 81, tags=("nsfw", "team"), note=f"note {n}")
        for n in range(10_000)
    ]
    query = AccountQuery(text="note 1", sort=column, is_ascending=False, page=3)
    assert min(_duration_ms(accounts, query) for _ in range(3)) < LIMIT_MS


def _duration_ms(accounts: list[Account], query: AccountQuery) -> float:
    begin = time.thread_time()
    search(accounts, query)
    matching_ids(accounts, query)
    return (time.thread_time() - begin) * 1000
