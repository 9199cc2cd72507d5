"""The requests page: what of the record reaches a tab, and when."""

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
from pydantic import SecretStr
from reflex.event import EventSpec
from reflex.istate.data import ReflexURL

from grok_app.access import Access
from grok_app.accounts import Account, Status
from grok_app.catalog import Pool
from grok_app.db import Vault, open_database, upgrade
from grok_app.errors import AuthenticationError
from grok_app.requests import FoundRequests, RequestQuery, Requests
from grok_app.requests.record import detail_of
from grok_app.requests.repository import RequestRepository
from grok_app.settings import open_settings
from grok_app.trace import LEFT, Attempt
from grok_app.ui.console import ConsoleState, guard
from grok_app.ui.pages.requests import RequestsState, state
from grok_app.ui.pages.requests.rows import row_of
from tests.requests.traces import NOW_MS, Clock, finished
from tests.ui.tabs import Background, Door, fresh, send

API_KEY: Final = "a-key-of-the-gateway-cdef"
TOKEN: Final = "an-account-of-the-pool-0123456789"
EVENTS: Final[dict[str, dict[str, object]]] = {
    "filter_by": {"show": "ok"},
    "choose_model": {"model": "grok-4"},
    "search": {"words": "x"},
    "show_all": {},
    "go_to": {"page": 2},
    "resize": {"size": "20"},
    "open": {"request_id": "x"},
    "close": {},
}
"""Every event of the page that isn't its watch, with what a browser may send."""


@pytest.fixture
def door() -> Door:
    """Who may come in."""
    return Door()


@pytest.fixture
async def requests(tmp_path: Path, door: Door, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Requests, None]:
    """The record behind the page; there is one account, with the id 7."""
    account = Account(7, Pool.BASIC, SecretStr(TOKEN), Status.ACTIVE, 80, note="a note that is far too long for a line")
    roster = SimpleNamespace(chosen=lambda ids: [account] if 7 in set(ids) else [])
    url, vault = f"sqlite:///{tmp_path / 'grok_app.db'}", Vault(["a key for tests only"])
    await asyncio.to_thread(upgrade, url)
    async with open_database(url) as database:
        settings = await open_settings(
            database, vault, {"app.api_key": f"other-key, {API_KEY}", "app.log_content": "true"}
        )
        requests = Requests(RequestRepository(database, vault), settings, Clock())
        services = SimpleNamespace(
            requests=requests, roster=roster, settings=settings, sessions=door, access=Access(settings)
        )
        monkeypatch.setattr(guard, "current", lambda: services)
        monkeypatch.setattr(state, "current", lambda: services)
        yield requests


def tab() -> Any:
    """The page of a tab that was just opened."""
    return fresh(RequestsState)


def record(requests: Requests, count: int) -> None:
    """Let so many requests end, one after the other."""
    for number in range(count):
        requests.finish(finished(f"r{number}", at_ms=NOW_MS + number))


async def watch(opened: Any, monkeypatch: pytest.MonkeyPatch, *acts: Callable[[], object]) -> list[Any]:
    """Let the page watch, and do one of these before each beat; what comes back for the browser to do."""

    async def beats(_self: ConsoleState) -> AsyncGenerator[None, None]:
        for act in acts:
            act()
            yield

    monkeypatch.setattr(ConsoleState, "_beats", beats)
    return [answer async for answer in RequestsState.watch.fn(Background(opened))]


async def test_a_line_says_what_happened(requests: Requests) -> None:
    """With the account by its number and note, and nothing of a credential."""
    attempts = [Attempt(3, "timeout", "Too slow", 5), Attempt(7, None, "", 6)]
    given = {"first_chunk_ms": 50, "prompt_tokens": 3, "completion_tokens": 4}
    requests.finish(finished("req", attempts=attempts, **given))
    opened = tab()
    await send(opened, "show_all")
    [row] = opened.rows
    assert (row.at_ms, row.key, row.model, row.outcome, row.status) == (NOW_MS, "…cdef", "grok-4", "ok", 200)
    assert (row.account, row.note) == ("#7", "a note that is far too …")
    assert (row.first_ms, row.duration_ms, row.prompt_tokens, row.completion_tokens, row.retries) == (50, 10, 3, 4, 1)
    assert TOKEN not in str(vars(opened))


async def test_new_requests_appear_by_themselves_on_the_first_page(
    requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the next beat, those of other processes at the fifth; whoever reads another page is not disturbed."""
    opened = tab()
    shown: list[list[str]] = []

    def note() -> None:
        shown.append([row.id for row in opened.rows])

    await watch(opened, monkeypatch, lambda: record(requests, 1), note, lambda: record(requests, 2), note)
    assert [len(ids) for ids in shown] == [1, 3]
    asked: list[object] = []
    find = requests.find

    async def counted(query: RequestQuery) -> FoundRequests:
        asked.append(query)
        return await find(query)

    monkeypatch.setattr(requests, "find", counted)
    await watch(opened, monkeypatch, note, note, note)
    assert len(asked) == 1
    await watch(opened, monkeypatch, *[note] * 11)
    assert len(asked) == 1 + 3  # others' requests aren't counted here, so that it looks now and then
    record(requests, 60)
    await send(opened, "go_to", page=2)
    before = list(opened.rows)
    await watch(opened, monkeypatch, note, lambda: record(requests, 5), note)
    assert opened.page == 2
    assert [row.id for row in opened.rows] == [row.id for row in before]


async def test_filters_begin_at_the_first_page(requests: Requests) -> None:
    """Whatever page was shown; and all of them can be taken back at once."""
    record(requests, 60)
    requests.finish(finished("odd", at_ms=NOW_MS + 100, model="grok-3", status=400, error="invalid_value"))
    requests.finish(finished("gone", at_ms=NOW_MS + 101, error=LEFT))
    opened = tab()
    steps: tuple[tuple[str, dict[str, str], int], ...] = (
        ("filter_by", {"show": "errors"}, 1),
        ("filter_by", {"show": "ok"}, 50),
        ("show_all", {}, 50),
        ("choose_model", {"model": "grok-3"}, 1),
        ("choose_model", {"model": ""}, 50),
        ("search", {"words": "gone"}, 1),
    )
    for event, arguments, count in steps:
        await send(opened, "go_to", page=2)
        await send(opened, event, **arguments)
        assert (opened.page, len(opened.rows)) == (1, count)
        assert opened.is_narrowed == (event != "show_all" and arguments != {"model": ""})
    assert opened.rows[0].outcome == "left"
    await send(opened, "show_all")
    assert (opened.total, opened.pages) == ("62", 2)


async def test_a_key_that_is_searched_for_is_not_kept(requests: Requests) -> None:
    """It finds its requests by the hint that they have; the page's state never holds it."""
    record(requests, 1)
    requests.finish(finished("other", key="…9999"))
    opened = tab()
    await send(opened, "search", words=f" {API_KEY} ")
    assert (opened.words, len(opened.rows)) == ("…cdef", 1)
    assert API_KEY not in str(vars(opened))


async def test_what_a_browser_makes_up_does_no_harm(requests: Requests) -> None:
    """Filters, pages and sizes that there are not."""
    record(requests, 60)
    opened = tab()
    await send(opened, "filter_by", show="none of them")
    await send(opened, "choose_model", model="unheard-of")
    await send(opened, "search", words="r" * 100_000)
    assert (opened.show, opened.model, len(opened.words), opened.rows) == ("all", "", 200, [])
    await send(opened, "show_all")
    for page, place in ((10**12, 2), (-5, 1), (0, 1)):
        await send(opened, "go_to", page=page)
        assert (opened.page, bool(opened.rows)) == (place, True)
    for size in ("7", "100000", "²", "-20", ""):
        await send(opened, "resize", size=size)
        assert opened.page_size == 50
    await send(opened, "resize", size="20")
    assert (opened.page_size, opened.pages, len(opened.rows)) == (20, 3, 20)


async def test_a_request_opens_with_its_attempts(requests: Requests) -> None:
    """Accounts masked, those that are gone by their number alone; what was said leaves the tab with the window."""
    attempts = [Attempt(3, "timeout", "Too slow", 5), Attempt(7, None, "", 6)]
    requests.finish(finished("req", attempts=attempts, prompt="the prompt", answer=["the answer"], bytes_sent=99))
    opened = tab()
    await send(opened, "show_all")
    await send(opened, "open", request_id=opened.rows[0].id)
    detail = opened.detail
    assert opened.is_open
    assert (detail.request_id, detail.bytes_sent, detail.has_content) == ("req", 99, True)
    assert (detail.prompt, detail.answer) == ("the prompt", "the answer")
    assert [(it.account, it.token, it.error, it.reason, it.duration_ms) for it in detail.attempts] == [
        ("#3", "", "timeout", "Too slow", 5),
        ("#7", "an-a…6789", "", "", 6),
    ]
    await send(opened, "close")
    assert not opened.is_open
    assert "the answer" not in str(vars(opened))


@pytest.mark.parametrize("way", ["comes-again", "goes-elsewhere", "signs-out"])
async def test_no_request_stays_open_behind_the_page(
    requests: Requests, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """What was said leaves the tab with the page, however it is left."""
    requests.finish(finished(prompt="the prompt", answer=["the answer"]))
    opened = tab()
    await send(opened, "show_all")

    async def beats(_self: ConsoleState) -> AsyncGenerator[None, None]:
        if way == "comes-again":
            return
        await send(opened, "open", request_id=opened.rows[0].id)
        assert "the answer" in str(vars(opened))
        yield
        if way == "signs-out":
            raise AuthenticationError("Invalid authentication token")
        opened.router = dataclasses.replace(opened.router, url=ReflexURL("http://localhost/admin/token"))

    if way == "comes-again":
        await send(opened, "open", request_id=opened.rows[0].id)
    monkeypatch.setattr(ConsoleState, "_beats", beats)
    assert [answer async for answer in RequestsState.watch.fn(Background(opened))] or way != "signs-out"
    assert not opened.is_open
    assert "the answer" not in str(vars(opened))


async def test_an_account_is_known_by_its_token_where_it_has_no_note() -> None:
    """Masked; and by nothing but its number when it is gone."""
    account = Account(7, Pool.BASIC, SecretStr(TOKEN), Status.ACTIVE, 80)
    record = detail_of(finished(attempts=[Attempt(7, None, "", 6)])).record
    assert (row_of(record, {7: account}).account, row_of(record, {7: account}).note) == ("#7", "an-a…6789")
    assert (row_of(record, {}).account, row_of(record, {}).note) == ("#7", "")


async def test_content_that_is_not_kept_is_told_from_none(requests: Requests) -> None:
    """The page says so."""
    requests.finish(finished())
    opened = tab()
    await send(opened, "show_all")
    await send(opened, "open", request_id=opened.rows[0].id)
    assert not opened.detail.has_content


@pytest.mark.usefixtures("requests")
async def test_a_request_that_is_gone_is_told() -> None:
    """Retention may have taken it since the list was made."""
    opened = tab()
    await send(opened, "open", request_id="nothing")
    assert not opened.is_open
    assert (opened.notice.kind, opened.notice.text) == ("error", "This request is not recorded any more")


@pytest.mark.parametrize("event", EVENTS)
async def test_strangers_see_nothing(requests: Requests, door: Door, event: str) -> None:
    """Every event asks for the session first, and leads to the sign-in."""
    record(requests, 3)
    door.is_open = False
    opened = tab()
    [answer] = await send(opened, event, **EVENTS[event])
    assert isinstance(answer, EventSpec)
    assert "/admin/login" in str(answer.args)
    assert (opened.rows, opened.is_loaded, opened.is_open) == ([], False, False)


async def test_the_state_stays_small(requests: Requests) -> None:
    """The largest page of the longest lines is a fraction of what a session may take."""
    for number in range(200):
        trace = finished(f"{number:0128}", at_ms=NOW_MS + number, model="grok-imagine-1.0-video")
        trace.attempts = [Attempt(7, "invalid_credential", "x" * 200, 5)]
        trace.error = "e" * 50
        requests.finish(trace)
    opened = tab()
    await send(opened, "resize", size="200")
    assert len(opened.rows) == 200
    assert len(str(opened.rows)) < 120_000
