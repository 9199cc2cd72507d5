"""The list of accounts in one tab: what it shows, what is selected, and what never gets to the browser."""

import time
from typing import Any

import pytest

from grok_app.accounts import Column, Filter, Status
from grok_app.catalog import Pool
from grok_app.ui.pages.accounts import AccountsState, ImportState
from grok_app.ui.pages.accounts.rows import row_of
from tests.ui.crowd import Crowd
from tests.ui.tabs import fresh, send

TOKEN = "eyJ0eXAiOiJKV1Qi-{:05}"
LIMIT_S = 1.0
"""Of the thread alone; many times what an event takes, so that a busy machine fails nothing."""
STATE_LIMIT_BYTES = 200_000
"""Of what a session is when it is kept, in Redis or on disk. In memory its variables take 197 KB here (2026-11-29)."""


async def add(people: Crowd, count: int, **fields: Any) -> None:
    """Add accounts, numbered."""
    await people.roster.add({Pool.BASIC: [{"token": TOKEN.format(n), "note": f"n{n}", **fields} for n in range(count)]})


async def opened(people: Crowd, count: int) -> Any:
    """A tab that shows so many accounts."""
    await add(people, count)
    state = fresh(AccountsState)
    await send(state, "show_all")
    return state


async def test_a_page_of_masked_accounts_is_shown(people: Crowd) -> None:
    """With the numbers above it; tokens are nowhere in what the browser gets."""
    state = await opened(people, 60)
    assert (len(state.rows), state.pages, state.matches, state.all_accounts) == (50, 2, 60, 60)
    assert (state.rows[0].token, state.cards.total, state.cards.chat_quota) == ("eyJ0…0000", "60", "4,800")
    assert TOKEN.format(0) not in str(state.dict())


async def test_pages_filters_and_words_narrow_the_list(people: Crowd) -> None:
    """Each of them begins on the first page; all of them can be left at once."""
    state = await opened(people, 60)
    await people.roster.disable([people.id_of(TOKEN.format(7))])
    await send(state, "go_to", page=2)
    assert (state.page, len(state.rows)) == (2, 10)
    await send(state, "filter_by", name="disabled")
    assert (state.page, [row.note for row in state.rows], state.counts["active"]) == (1, ["n7"], 59)
    await send(state, "search", words="n5")
    assert (state.matches, state.counts["all"]) == (0, 11)
    await send(state, "show_all")
    assert (state.matches, state.words, state.chosen_filter) == (60, "", "all")
    await send(state, "resize", size="200")
    assert (state.page_size, len(state.rows)) == (200, 60)


async def test_a_whole_token_finds_its_account_and_is_not_kept(people: Crowd) -> None:
    """However long it is: the field shows the mask from then on, and finds the same."""
    long = "eyJ0" + "a" * 400 + "wxyz"
    await add(people, 3)
    await people.roster.add({Pool.SUPER: [long]})
    state = fresh(AccountsState)
    await send(state, "search", words=f"sso={long}")
    assert (state.words, [row.token for row in state.rows]) == ("eyJ0…wxyz", ["eyJ0…wxyz"])


async def test_a_column_sorts_and_sorts_the_other_way(people: Crowd) -> None:
    """Another column begins upwards again."""
    state = await opened(people, 3)
    await send(state, "sort_by", name="note")
    assert [row.note for row in state.rows] == ["n0", "n1", "n2"]
    await send(state, "sort_by", name="note")
    assert ([row.note for row in state.rows], state.is_descending) == (["n2", "n1", "n0"], True)
    await send(state, "sort_by", name="token")
    assert (state.rows[0].note, state.is_descending) == ("n0", False)


@pytest.mark.parametrize(
    ("event", "arguments"),
    [("filter_by", {"name": "everything"}), ("sort_by", {"name": "credential"}), ("resize", {"size": "many"})],
)
async def test_forged_choices_change_nothing(people: Crowd, event: str, arguments: dict[str, str]) -> None:
    """What the page doesn't offer can't be asked for."""
    state = await opened(people, 3)
    await send(state, event, **arguments)
    assert (state.chosen_filter, state.sort, state.page_size) == ("all", "", 50)


async def test_a_size_that_is_not_offered_is_ignored(people: Crowd) -> None:
    """Nobody makes the server render all of them at once."""
    state = await opened(people, 3)
    await send(state, "resize", size="100000")
    assert state.page_size == 50


async def test_accounts_are_selected_one_by_one_by_page_and_all_at_once(people: Crowd) -> None:
    """A selection goes on from page to page; all means all that match, and is offered until they are."""
    state = await opened(people, 60)
    first, second = state.rows[0].id, state.rows[1].id
    await send(state, "toggle", account_id=first)
    await send(state, "toggle", account_id=second)
    await send(state, "toggle", account_id=first)
    assert (state.selected, state.selected_here) == (1, [second])
    await send(state, "toggle_page")
    assert (state.selected, state.is_page_selected) == (50, True)
    await send(state, "go_to", page=2)
    assert (state.selected, state.selected_here, state.is_page_selected) == (50, [], False)
    await send(state, "select_all")
    assert state.selected == 60
    await send(state, "toggle_page")
    assert state.selected == 50
    await send(state, "select_all")
    assert (state.selected, state.matches) == (60, 60)
    await send(state, "select_none")
    assert (state.selected, state.selected_here) == (0, [])


@pytest.mark.parametrize(
    ("event", "given"),
    [("search", {"words": "n5"}), ("filter_by", {"name": "nsfw_off"}), ("show_all", {})],
    ids=["words", "filter", "neither"],
)
async def test_another_list_has_its_own_selection(people: Crowd, event: str, given: dict[str, str]) -> None:
    """What is out of sight can't be deleted unawares. It is told, once, and only if something was selected."""
    state = await opened(people, 60)
    if event == "show_all":
        await send(state, "search", words="n1")
    await send(state, "toggle_page")
    count, notices = state.selected, state.notice.serial
    await send(state, event, **given)
    assert (state.selected, state.notice.text) == (0, f"Another list is shown, selected no more: {count}")
    await send(state, "toggle_page")
    await send(state, event, **given)  # the same list
    assert (state.selected, state.notice.serial) == (min(50, state.matches), notices + 1)


async def test_who_leaves_the_list_is_selected_no_more(people: Crowd) -> None:
    """All that match are offered again, with those who have come."""
    state = await opened(people, 60)
    ids = [row.id for row in state.rows]
    await send(state, "filter_by", name="active")
    await send(state, "select_all")
    await people.roster.disable(ids[:2])
    state._look()
    assert (state.selected, state.matches) == (58, 58)
    await people.roster.enable(ids[:1])
    state._look()
    assert (state.selected, state.matches) == (58, 59)
    await send(state, "toggle_page")
    assert state.selected == state.matches


async def test_who_is_gone_is_selected_no_more(people: Crowd) -> None:
    """Another operator may have deleted it."""
    state = await opened(people, 2)
    await send(state, "select_all")
    await people.roster.remove([people.id_of(TOKEN.format(0))])
    state._look()
    assert (state.selected, len(state.rows)) == (1, 1)


async def test_nothing_is_sent_while_nothing_changes(people: Crowd) -> None:
    """A look every two seconds costs the browser nothing."""
    state = await opened(people, 3)
    state._clean()
    state._look()
    assert state.dirty_vars == set()


async def test_nobody_looks_without_a_session(people: Crowd) -> None:
    """The tab is led to the sign-in, and sees nothing."""
    await add(people, 1)
    people.sessions.is_open = False
    state = fresh(AccountsState)
    [answer] = await send(state, "select_all")
    assert "redirect" in str(answer)
    assert (state.rows, state.selected) == ([], 0)


async def test_a_line_says_why_an_account_rests_or_failed(people: Crowd) -> None:
    """And until when; long texts are cut."""
    given = {"status": Status.EXPIRED, "last_fail_reason": "refused"}
    await people.roster.add(
        {Pool.SUPER: [{"token": "expired-token", **given, "note": "x" * 2000, "tags": [f"{n}" * 50 for n in range(9)]}]}
    )
    await people.roster.add({Pool.BASIC: [{"token": "resting-token", "status": Status.COOLING}]})
    expired, resting = [row_of(account) for account in people.roster.all()]
    assert (expired.reason, expired.rests_until_ms, expired.full) == ("refused", 0, 140)
    assert (len(expired.note), len(expired.tags), len(expired.tags[0]), expired.more_tags) == (80, 4, 24, 5)
    assert resting.reason
    assert resting.rests_until_ms > 0


async def test_ten_thousand_accounts_stay_fluid(people: Crowd) -> None:
    """No event holds the tab for longer than people notice, and a session stays small."""
    await add(people, 10_000, tags=["nsfw", "team", "another"], last_fail_reason="y" * 200)
    state = fresh(ImportState)
    events: list[tuple[str, dict[str, Any]]] = [
        ("resize", {"size": "200"}),
        ("search", {"words": "n1"}),
        ("show_all", {}),
        *(("filter_by", {"name": name.value}) for name in Filter),
        *(("sort_by", {"name": name.value}) for name in Column),
        ("go_to", {"page": 10}),
        ("toggle", {"account_id": 5}),
        ("toggle_page", {}),
        ("filter_by", {"name": "all"}),
        ("select_all", {}),
        ("refresh_selected", {}),
        ("ask_delete_selected", {}),
        ("open_export", {}),
        ("export", {"form": {"scope": "selected", "format": "json"}}),
    ]
    slow = [(event, given) for event, given in events if await _duration_s(state, event, given) > LIMIT_S]
    assert slow == []
    assert state.selected == 10_000
    assert _size_bytes(state) < STATE_LIMIT_BYTES
    await people.tasks.abort()


async def _duration_s(state: Any, event: str, given: dict[str, Any]) -> float:
    """Of this thread alone, so that a busy machine counts less."""
    begin = time.thread_time()
    await send(state, event, **given)
    return time.thread_time() - begin


def _size_bytes(state: Any) -> int:
    size = 0
    while state is not None:
        size += len(state._serialize())
        state = state.parent_state
    return size
