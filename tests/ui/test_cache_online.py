"""The files at Grok, as a tab of the cache page sees them."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from grok_app.catalog import Pool
from grok_app.ui.console import guard
from grok_app.ui.pages.cache import OnlineState, online_state
from grok_app.upstream import ErrorKind, UpstreamError
from tests.ui.keeping import Keeping, keeping
from tests.ui.tabs import fresh, send

AWAY = UpstreamError(ErrorKind.UNAVAILABLE, "Grok is away", status=503)


@pytest.fixture
async def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Keeping, None]:
    """Behind the page, with three accounts: two files, one file, and a list that fails."""
    async with keeping(tmp_path) as made:
        for module in (guard, online_state):
            monkeypatch.setattr(module, "current", lambda: made)
        await made.roster.add({Pool.BASIC: ["first", "second"], Pool.SUPER: ["third"]})
        made.grok.kept = {"first": ["a", "b"], "second": ["c"]}
        made.grok.size_bytes = 1 << 20
        made.grok.list_failures["third"] = AWAY
        yield made


@pytest.fixture
async def tab(services: Keeping) -> Any:
    """A tab that shows the accounts."""
    assert services.tasks.running() == []
    state = fresh(OnlineState)
    await send(state, "choose")
    return state


def ids(services: Keeping, *tokens: str) -> list[int]:
    """The ids of these accounts."""
    return [account.id for token in tokens if (account := services.roster.find(token))]


def counts(tab: Any) -> list[tuple[bool, int, str]]:
    """What the table says of each account: counted or not, how many, and why not."""
    return [(row.is_counted, row.count, row.error) for row in tab.rows]


async def look(services: Keeping, tab: Any) -> None:
    """What a beat does, when everything under way has ended."""
    await services.finish()
    tab._look()


async def test_accounts_are_shown_before_anything_is_counted(tab: Any) -> None:
    """With no count, and no sum that would be taken for one."""
    assert (tab.tab, tab.all_accounts, tab.counted, tab.files, tab.is_loaded) == ("online", 3, 0, 0, True)
    assert counts(tab) == [(False, 0, "")] * 3
    assert [(row.pool, row.status, row.cleared_at_ms) for row in tab.rows] == [
        ("ssoBasic", "active", 0), ("ssoBasic", "active", 0), ("ssoSuper", "active", 0),
    ]  # fmt: skip
    assert {row.token for row in tab.rows} == {"…"}, "no token that could be used"


async def test_all_are_counted(services: Keeping, tab: Any) -> None:
    """As a task that everyone sees; a failure says why, and is no part of the sum."""
    await send(tab, "count_all")
    assert tab.is_counting
    await look(services, tab)
    assert not tab.is_counting
    assert counts(tab) == [(True, 2, ""), (True, 1, ""), (False, 0, "Grok is away")]
    assert (tab.files, tab.files_size, tab.counted) == (3, "3.0\u00a0MB", 2)
    assert [row.size for row in tab.rows] == ["2.0\u00a0MB", "1.0\u00a0MB", "0\u00a0B"]
    assert all(row.counted_at_ms for row in tab.rows)


async def test_a_scripts_count_is_shown_too(services: Keeping, tab: Any) -> None:
    """Whoever started it: the counts are the same ones."""
    services.online.start_count(["first"], list)
    tab._look()
    assert tab.is_counting
    await look(services, tab)
    assert counts(tab) == [(True, 2, ""), (False, 0, ""), (False, 0, "")]


@pytest.mark.parametrize("is_selected", [False, True], ids=["one", "selected"])
async def test_chosen_accounts_are_counted(services: Keeping, tab: Any, is_selected: bool) -> None:
    """They alone."""
    [second] = ids(services, "second")
    if is_selected:
        await send(tab, "toggle", account_id=second)
        await send(tab, "count_selected")
    else:
        await send(tab, "count", account_id=second)
    await look(services, tab)
    assert counts(tab) == [(False, 0, ""), (True, 1, ""), (False, 0, "")]


async def test_files_go_when_that_is_confirmed(services: Keeping, tab: Any) -> None:
    """The question says what is known: accounts, files, and how many accounts nobody counted."""
    first, third = ids(services, "first", "third")
    await send(tab, "count", account_id=first)
    await services.finish()
    for account_id in (first, third):
        await send(tab, "toggle", account_id=account_id)
    await send(tab, "ask_to_clear_selected")
    assert (tab.question.accounts, tab.question.files, tab.question.uncounted) == (2, 2, 1)
    assert len(services.grok.kept["first"]) == 2
    await send(tab, "confirm")
    assert (tab.question.accounts, tab.is_clearing) == (0, True)
    await look(services, tab)
    assert services.grok.kept == {"first": [], "second": ["c"]}
    assert counts(tab) == [(True, 0, ""), (False, 0, ""), (False, 0, "Grok is away")]
    assert [bool(row.cleared_at_ms) for row in tab.rows] == [True, False, False]


async def test_nothing_goes_when_the_question_is_closed(services: Keeping, tab: Any) -> None:
    """Escape, a click beside it, or Cancel."""
    await send(tab, "ask_to_clear", account_id=ids(services, "second")[0])
    assert (tab.question.accounts, tab.question.uncounted) == (1, 1)
    await send(tab, "close")
    await send(tab, "confirm")
    await look(services, tab)
    assert services.grok.kept["second"] == ["c"]


async def test_what_was_counted_can_be_cleared_at_once(services: Keeping, tab: Any) -> None:
    """The accounts that had files, and no other."""
    await send(tab, "count_all")
    await services.finish()
    await send(tab, "ask_to_clear_counted")
    assert (tab.question.accounts, tab.question.files, tab.question.uncounted) == (2, 3, 0)
    await send(tab, "confirm")
    await look(services, tab)
    assert services.grok.kept == {"first": [], "second": []}
    assert tab.files == 0


async def test_accounts_that_are_gone_are_told(services: Keeping, tab: Any) -> None:
    """They are selected no longer, and whoever had them open reads why nothing happens."""
    [second] = ids(services, "second")
    await send(tab, "toggle", account_id=second)
    await services.roster.delete(["second"])
    await send(tab, "count", account_id=second)
    assert (tab.notice.kind, tab.notice.text) == ("error", "These accounts are not there any more")
    tab._look()
    assert (tab.selected, tab.all_accounts) == (0, 2)


async def test_the_table_is_sorted_and_paged(services: Keeping, tab: Any) -> None:
    """On the server; the same column again turns it round, and an unknown one is refused."""
    await send(tab, "count_all")
    await services.finish()
    orders = []
    for column in ("count", "count", "pool"):
        await send(tab, "sort_by", column=column)
        orders.append([row.id for row in tab.rows])
    assert orders == [ids(services, *names) for names in (
        ("third", "second", "first"), ("first", "second", "third"), ("first", "second", "third"),
    )]  # fmt: skip
    await services.roster.add({Pool.BASIC: [f"more-{number}" for number in range(30)]})
    await send(tab, "go_to", page=2)
    assert (tab.page, tab.pages, len(tab.rows), tab.total) == (2, 2, 13, 33)
    await send(tab, "resize", size="50")
    assert (tab.page, tab.pages, len(tab.rows)) == (1, 1, 33)


async def test_no_token_that_is_searched_for_stays_in_the_page(services: Keeping, tab: Any) -> None:
    """It is found by the mask that takes its place; any other text is cut to what a person would type."""
    token = "abcdef0123456789abcdef0123456789"
    await services.roster.add({Pool.BASIC: [token]})
    await send(tab, "search", text=token)
    assert [row.id for row in tab.rows] == ids(services, token)
    assert (tab.total, tab.all_accounts) == (1, 4)
    assert token not in str(tab.dict())
    await send(tab, "search", text="x" * 1_000_000)
    assert len(tab.text) == 200
    assert tab.total == 0
    await send(tab, "show_all")
    assert (tab.text, tab.page, tab.total) == ("", 1, 4)


async def test_another_order_begins_on_the_first_page(services: Keeping, tab: Any) -> None:
    """What was looked for by sorting is at its beginning."""
    await services.roster.add({Pool.BASIC: [f"more-{number}" for number in range(30)]})
    await send(tab, "go_to", page=2)
    await send(tab, "sort_by", column="count")
    assert tab.page == 1


async def test_whatever_matches_is_selected_at_once(services: Keeping, tab: Any) -> None:
    """On all pages, and no account that the search leaves out."""
    await services.roster.add({Pool.BASIC: [f"more-{number}" for number in range(30)]})
    await send(tab, "select_all")
    assert (tab.selected, len(tab.rows)) == (33, 20)
    await send(tab, "select_none")
    token = "abcdef0123456789abcdef0123456789"
    await services.roster.add({Pool.BASIC: [token]})
    await send(tab, "search", text=token)
    await send(tab, "select_all")
    await send(tab, "count_selected")
    assert tab.selected == 1
    assert [task.progress().total for task in services.tasks.running()] == [1]


async def test_a_table_that_is_not_shown_costs_nothing(
    services: Keeping, tab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The figures above it are followed all the same."""
    tab.tab = "image"
    monkeypatch.delattr(online_state, "search_online")
    await services.roster.add({Pool.BASIC: ["fourth"]})
    tab._look()
    assert (tab.all_accounts, len(tab.rows)) == (4, 3)


async def test_accounts_are_selected_by_the_page(services: Keeping, tab: Any) -> None:
    """Over pages; again takes the page off; none takes all off."""
    await services.roster.add({Pool.BASIC: [f"more-{number}" for number in range(30)]})
    await send(tab, "go_to", page=1)
    await send(tab, "toggle_page")
    assert (tab.selected, tab.is_page_selected) == (20, True)
    await send(tab, "go_to", page=2)
    await send(tab, "toggle_page")
    assert tab.selected == 33
    await send(tab, "toggle_page")
    assert tab.selected == 20
    await send(tab, "select_none")
    assert (tab.selected, tab.is_page_selected) == (0, False)


async def test_a_look_that_finds_nothing_new_sends_nothing(services: Keeping, tab: Any) -> None:
    """A page that is left open costs no traffic."""
    tab._clean()
    tab._look()
    assert tab.get_delta() == {}
    await services.roster.add({Pool.BASIC: ["fourth"]})
    tab._look()
    assert tab.get_delta()
