"""The import: a text comes piece by piece, is previewed, and only then stored. It never stands in a state."""

import asyncio
from typing import Any

import pytest

from grok_app.accounts import intake, preview
from grok_app.catalog import Pool
from grok_app.ui.console import guard
from grok_app.ui.pages.accounts import ImportState, importing
from tests.ui.crowd import Crowd
from tests.ui.tabs import fresh, send


@pytest.fixture
async def tab(people: Crowd) -> Any:
    """A tab whose import dialog is open, beside one account."""
    await people.roster.add({Pool.BASIC: ["first-token"]})
    state = fresh(ImportState)
    await send(state, "open_import")
    return state


async def hand_in(tab: Any, *pieces: str) -> None:
    """Send a text as the browser does: each piece when it is wanted, then the end."""
    await send(tab, "begin_text", size_chars=sum(map(len, pieces)))
    for number, piece in enumerate(pieces, 1):
        assert tab.wanted_piece == number
        await send(tab, "take_piece", piece=piece)
    await send(tab, "end_text")


async def test_a_preview_says_what_would_come_of_it(people: Crowd, tab: Any) -> None:
    """Nothing is stored before the operator agrees; no token gets to the browser again."""
    await hand_in(tab, "first-token\nsecond-", "token\nsecond-token\nbad token\n")
    seen = tab.preview
    assert (seen.new, seen.basic, seen.known, seen.repeated, seen.malformed) == (1, 1, 1, 1, 1)
    assert (seen.faults[0].place, seen.faults[0].pool) == (4, "")
    assert people.tokens() == ["first-token"]
    assert "second-token" not in str(tab.dict())


async def test_what_was_previewed_is_imported(people: Crowd, tab: Any) -> None:
    """The toast counts it, the dialog closes, and the text is forgotten."""
    await hand_in(tab, '{"ssoSuper": ["second-token", {"token": "third-token", "note": "n"}, 7]}')
    await send(tab, "import_text")
    assert people.tokens() == ["first-token", "second-token", "third-token"]
    assert tab.notice.text == "2 added, 0 there already or repeated, 1 malformed"
    assert (tab.is_importing, tab.preview.is_ready, people.intake._texts) == (False, False, {})


async def test_the_pool_is_for_what_stands_in_none(people: Crowd, tab: Any) -> None:
    """As it is chosen when the text is read."""
    await send(tab, "choose_pool", pool="ssoSuper")
    await hand_in(tab, "second-token")
    assert (tab.preview.super, tab.preview.basic) == (1, 0)
    await send(tab, "import_text")
    [account] = people.roster.chosen([people.id_of("second-token")])
    assert account.pool is Pool.SUPER


@pytest.mark.parametrize("text", ["", "# nobody", '{"ssoBasic": [', '{"secret-secret-secret-secret": [1]}'])
async def test_a_text_without_accounts_is_explained(people: Crowd, tab: Any, text: str) -> None:
    """In the dialog, which stays open; nothing of the text is kept."""
    await hand_in(tab, text)
    assert tab.import_error
    assert "secret-secret" not in tab.import_error
    assert (tab.wanted_piece, tab.preview.is_ready, tab.is_importing) == (0, False, True)
    assert people.intake._texts == {}


async def test_too_much_is_refused_as_it_comes(tab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No further piece is wanted."""
    monkeypatch.setattr(intake, "LIMIT_CHARS", 5)
    await send(tab, "begin_text", size_chars=6)
    await send(tab, "take_piece", piece="123456")
    assert (tab.wanted_piece, bool(tab.import_error)) == (0, True)
    await send(tab, "refuse_text")
    assert "30 million" in tab.import_error


@pytest.mark.parametrize(("event", "is_open"), [("back", True), ("close_import", False)])
async def test_what_is_not_imported_is_forgotten(people: Crowd, tab: Any, event: str, is_open: bool) -> None:
    """Whoever goes back still has the text in the dialog, and hands it in again, for another pool perhaps."""
    await hand_in(tab, "second-token")
    await send(tab, event)
    assert (tab.preview.is_ready, tab.is_importing, people.intake._texts) == (False, is_open, {})


async def test_a_text_read_late_does_not_pass_for_the_next_one(
    people: Crowd, tab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its numbers are shown nowhere, the next one goes on arriving, and none of it can be imported yet."""
    previewing, may_go_on = asyncio.Event(), asyncio.Event()

    async def slowly(*given: Any) -> Any:
        previewing.set()
        await may_go_on.wait()
        return await preview(*given)

    monkeypatch.setattr(importing, "preview", slowly)
    first = asyncio.create_task(hand_in(tab, "first-text-one\nfirst-text-two"))
    await previewing.wait()
    await send(tab, "close_import")
    await send(tab, "open_import")
    await send(tab, "begin_text", size_chars=100)
    await send(tab, "take_piece", piece="second-text-one\nsecond-te")
    may_go_on.set()
    await first
    assert (tab.preview.is_ready, tab.wanted_piece) == (False, 2)
    await send(tab, "import_text")
    assert (people.tokens(), tab.notice.kind) == (["first-token"], "error")


async def test_an_import_that_ends_late_leaves_the_next_text_alone(
    people: Crowd, tab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its toast comes; the dialog belongs to the next text by then."""
    adding, may_go_on, add = asyncio.Event(), asyncio.Event(), people.roster.add

    async def slowly(items: Any) -> Any:
        adding.set()
        await may_go_on.wait()
        return await add(items)

    monkeypatch.setattr(people.roster, "add", slowly)
    await hand_in(tab, "second-token")
    first = asyncio.create_task(send(tab, "import_text"))
    await adding.wait()
    await send(tab, "close_import")
    await send(tab, "open_import")
    await hand_in(tab, "third-token\nfourth-token")
    may_go_on.set()
    await first
    assert tab.notice.text == "1 added, 0 there already or repeated, 0 malformed"
    assert (tab.is_importing, tab.preview.new, people.tokens()) == (True, 2, ["first-token", "second-token"])


async def test_a_text_that_stops_halfway_is_refused(people: Crowd, tab: Any) -> None:
    """A page that was loaded anew has nothing more to send, and says the end."""
    await send(tab, "begin_text", size_chars=100)
    await send(tab, "take_piece", piece="second-token\nthird-to")
    await send(tab, "end_text")
    assert (tab.preview.is_ready, tab.wanted_piece, people.intake._texts) == (False, 0, {})
    assert "as a whole" in tab.import_error


async def test_a_text_goes_with_the_session(people: Crowd, tab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever signs out leaves no tokens behind."""
    monkeypatch.setattr(guard, "is_connected", lambda _tab: True)
    await hand_in(tab, "second-token")
    people.sessions.refuse_after(1)
    await send(tab, "watch")
    assert people.intake._texts == {}


async def test_a_page_that_is_opened_or_left_waits_for_nothing(people: Crowd, tab: Any) -> None:
    """The text and the download went with the page; the buttons are free."""
    await hand_in(tab, "second-token")
    await send(tab, "export", form={"scope": "matching", "format": "txt"})
    await send(tab, "start_anew")
    assert (people.intake._texts, tab.is_importing, tab.busy) == ({}, False, "")


async def test_a_text_that_waited_too_long_is_asked_for_again(people: Crowd, tab: Any) -> None:
    """The operator is told; nothing else happens."""
    await hand_in(tab, "second-token")
    people.intake.drop(tab._tab())
    await send(tab, "import_text")
    assert (tab.notice.kind, people.tokens(), tab.busy) == ("error", ["first-token"], "")


async def test_only_so_many_mistakes_are_listed(tab: Any) -> None:
    """The others are counted."""
    await hand_in(tab, "good-token\n" + "x\n" * 80)
    assert (len(tab.preview.faults), tab.preview.malformed) == (50, 80)
