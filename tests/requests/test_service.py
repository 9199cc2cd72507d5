"""The record of requests, on each database."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession
from structlog.testing import capture_logs

from grok_app.db import Database, Vault
from grok_app.errors import AuthenticationError, InvalidRequestError, NotFoundError
from grok_app.requests import RequestQuery, Requests, open_requests
from grok_app.requests.outbox import MOST_WAITING
from grok_app.requests.refusals import AT_ONCE
from grok_app.requests.repository import RequestRepository
from grok_app.requests.table import RequestContentRow, RequestRow
from grok_app.requests.types import RequestRecord
from grok_app.settings import SettingsService, open_settings
from grok_app.trace import LEFT, MOST_CHARS, Attempt
from tests.requests.traces import CHAT, DAY_MS, HOUR_MS, MINUTE_MS, NOW_MS, Clock, finished

Open = Callable[[], Requests]


class Weather:
    """The database, which can be away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.is_away = False

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[AsyncSession, None]:
        """A session, unless it is away."""
        if self.is_away:
            raise OperationalError("SELECT 1", {}, OSError("gone"))
        async with self._database.session() as session:
            yield session


@pytest.fixture
def clock() -> Clock:
    """The time."""
    return Clock()


@pytest.fixture
def weather(database: Database) -> Weather:
    """Whether the database answers."""
    return Weather(database)


@pytest.fixture
def begin(weather: Weather, vault: Vault, settings: SettingsService, clock: Clock) -> Open:
    """Makes the record anew, as a start does."""
    return lambda: Requests(RequestRepository(weather, vault), settings, clock)  # type: ignore[arg-type] # a look-alike


@pytest.fixture
def requests(begin: Open) -> Requests:
    """The record under test."""
    return begin()


@pytest.fixture
async def keeping(settings: SettingsService) -> SettingsService:
    """The settings, with `app.log_content` on."""
    await settings.change({"app.log_content": True})
    return settings


async def ids(requests: Requests, **query: object) -> list[str]:
    """The ids, as callers know them, of what is found."""
    return [item.request_id for item in (await requests.find(RequestQuery(**query))).items]  # type: ignore[arg-type] # each test's own


async def only(requests: Requests) -> RequestRecord:
    """The one request that is recorded."""
    [record] = (await requests.find(RequestQuery())).items
    return record


async def test_all_that_was_gathered_comes_back(requests: Requests) -> None:
    """The record, and with it every attempt."""
    attempts = [Attempt(7, "rate_limited", "Too many", 12), Attempt(8, None, "", 34)]
    given = {"first_chunk_ms": 50, "prompt_tokens": 3, "completion_tokens": 4, "bytes_sent": 5, "is_stream": True}
    requests.finish(finished("req-1", attempts=attempts, **given))
    record = await only(requests)
    assert (record.request_id, record.route, record.model, record.key) == ("req-1", CHAT, "grok-4", "…cdef")
    assert (record.status, record.outcome, record.error) == (200, "ok", None)
    assert (record.account_id, record.retries, record.duration_ms, record.started_at_ms) == (8, 1, 10, NOW_MS)
    assert {name: getattr(record, name) for name in given} == given
    detail = await requests.get(record.id)
    assert detail.record == record
    assert [(item.account_id, item.error, item.reason, item.duration_ms) for item in detail.attempts] == [
        (7, "rate_limited", "Too many", 12),
        (8, None, "", 34),
    ]
    assert (detail.prompt, detail.answer) == (None, None)


async def test_what_is_not_recorded_is_not_found(requests: Requests) -> None:
    """An id that nobody gave, or that retention has taken."""
    with pytest.raises(NotFoundError):
        await requests.get("nothing")


async def test_newest_first_by_their_beginning(requests: Requests) -> None:
    """Not by their end: the list is in the order of its times. What began at once is in the order of its end."""
    for number, at_ms in enumerate((NOW_MS, NOW_MS - 5_000, NOW_MS + 5_000, NOW_MS)):
        requests.finish(finished(f"r{number}", at_ms=at_ms))
    assert await ids(requests) == ["r2", "r3", "r0", "r1"]


async def test_pages(requests: Requests) -> None:
    """Every request is on one page; the count is that of all."""
    for number in range(25):
        requests.finish(finished(f"r{number}", at_ms=NOW_MS + number))
    pages = [await requests.find(RequestQuery(page=page, page_size=10)) for page in (1, 2, 3, 4)]
    assert [len(page.items) for page in pages] == [10, 10, 5, 0]
    assert [item.request_id for page in pages for item in page.items] == [f"r{number}" for number in range(24, -1, -1)]
    assert {(page.total, page.has_more) for page in pages} == {(25, False)}


async def test_the_count_is_bounded(requests: Requests, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it stays fast with a million rows: beyond it nothing can be leafed through, and the answer says so."""
    monkeypatch.setattr("grok_app.requests.repository.MOST_FOUND", 20)
    for number in range(25):
        requests.finish(finished(f"r{number}"))
    found = await requests.find(RequestQuery(page=2, page_size=15))
    assert (len(found.items), found.total, found.has_more) == (5, 20, True)
    assert (await requests.find(RequestQuery(page=3, page_size=15))).items == ()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["left", "video", "bad", "good"]),
        ({"show": "ok"}, ["video", "good"]),
        ({"show": "errors"}, ["bad"]),
        ({"model": "grok-4"}, ["left", "bad", "good"]),
        ({"route": "/v1/public/video/sse"}, ["video"]),
        ({"show": "ok", "model": "grok-4"}, ["good"]),
        ({"search": "BAD"}, ["bad"]),
        ({"search": "video"}, ["video"]),
        ({"search": "…cdef"}, ["left", "video", "bad", "good"]),
        ({"search": "invalid_value"}, ["bad"]),
        ({"search": "Temperature"}, ["bad"]),
        ({"search": "100%"}, ["bad"]),
        ({"search": "%"}, ["bad"]),
        ({"search": "_"}, ["left", "bad"]),
        ({"search": " bad "}, ["bad"]),
        ({"search": "\0"}, []),
        ({"search": "\ud800"}, []),
        ({"search": "'; DROP TABLE request; --"}, []),
        ({"search": "bad", "show": "ok"}, []),
        ({"search": "#12"}, ["bad"]),
        ({"search": " #13 "}, ["bad"]),
        ({"search": "#1"}, []),
        ({"search": "#12", "show": "ok"}, []),
    ],
    ids=str,
)
@pytest.mark.parametrize("is_away", [False, True], ids=["rows", "memory"])
async def test_filters_and_search(
    requests: Requests, weather: Weather, query: dict[str, str], found: list[str], is_away: bool
) -> None:
    """Each filter, together and with a search, which takes every sign for itself; from memory as from the database."""
    asked = [Attempt(12, "timeout", "Too slow", 5), Attempt(13, "timeout", "Too slow", 5)]
    bad = finished("bad", at_ms=NOW_MS + 1, status=400, attempts=asked)
    bad.fail(InvalidRequestError("Temperature is over 100%"))
    video = finished("video", at_ms=NOW_MS + 2, model="grok-imagine-1.0-video", route="/v1/public/video/sse")
    for trace in (finished("good"), bad, video, finished("left", at_ms=NOW_MS + 3, error=LEFT)):
        requests.finish(trace)
    weather.is_away = is_away
    assert await ids(requests, **query) == found


async def test_only_the_newest_are_searched(requests: Requests, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search takes no longer with a million rows."""
    monkeypatch.setattr("grok_app.requests.repository._SEARCHED", 5)
    for number in range(10):
        requests.finish(finished(f"r{number}", at_ms=NOW_MS + number))
    assert await ids(requests, search="r") == ["r9", "r8", "r7", "r6", "r5"]
    assert len(await ids(requests)) == 10


@pytest.mark.usefixtures("keeping")
async def test_old_requests_go(requests: Requests, database: Database, clock: Clock) -> None:
    """After `app.request_log_days`, with their content; younger ones stay."""
    for number in range(5):
        requests.finish(finished(f"r{number}", at_ms=NOW_MS + number * DAY_MS, prompt="?", answer=["!"]))
    await requests.flush()
    clock.now_ms = NOW_MS + 9 * DAY_MS
    assert await requests.clean() == 2
    assert await ids(requests) == ["r4", "r3", "r2"]
    async with database.session() as session:
        assert len((await session.exec(select(RequestContentRow))).all()) == 3
    assert await requests.clean() == 0


async def test_cleaning_is_done_in_parts(requests: Requests, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are: others write in between."""
    monkeypatch.setattr("grok_app.requests.repository._CHUNK", 10)
    for number in range(35):
        requests.finish(finished(f"r{number}"))
    await requests.flush()
    clock.now_ms += 8 * DAY_MS
    assert await requests.clean() == 35


async def test_a_database_that_is_away_costs_the_oldest_rows_only(requests: Requests, weather: Weather) -> None:
    """Never memory without bound: one line says that it begins, one that it is over, and how many are lost."""
    weather.is_away = True
    with capture_logs() as logs:
        for number in range(MOST_WAITING + 100):
            requests.finish(finished(f"r{number}", at_ms=NOW_MS + number))
            if number % 1_000 == 0:
                assert requests.count == number + 1
        for _ in range(3):
            assert len(await ids(requests)) == 50
        assert len(vars(requests)["_outbox"]) == MOST_WAITING
        weather.is_away = False
        await requests.flush()
    assert [line["event"] for line in logs] == [
        "the record of requests waits too long for the database: its oldest rows are dropped",
        "the record of requests can't reach the database, trying again",
        "the record of requests reaches the database again",
    ]
    assert logs[-1]["lost"] == 100
    assert await ids(requests, search="r99", page_size=1) == ["r9999"]
    assert requests.count == MOST_WAITING + 100


async def test_a_failed_write_loses_nothing_and_keeps_the_order(requests: Requests, weather: Weather) -> None:
    """What could not be written is written with the next batch."""
    weather.is_away = True
    requests.finish(finished("first"))
    with pytest.raises(OperationalError):
        await requests.flush()
    requests.finish(finished("second", at_ms=NOW_MS + 1))
    weather.is_away = False
    assert await ids(requests) == ["second", "first"]


@pytest.mark.usefixtures("keeping")
async def test_odd_texts_do_not_stop_the_record(requests: Requests) -> None:
    """Signs that a database refuses are replaced, in errors, keys and content."""
    odd = "a\0b\ud800c"
    trace = finished("odd", key=odd, prompt=odd, answer=[odd], attempts=[Attempt(1, "timeout", odd, 1)])
    trace.fail(InvalidRequestError(odd))
    requests.finish(trace)
    detail = await requests.get((await only(requests)).id)
    assert {detail.record.key, detail.reason, detail.attempts[0].reason, detail.prompt, detail.answer} == {"a\ufffdb?c"}


async def test_rows_that_are_there_already_hold_nobody_up(requests: Requests, begin: Open) -> None:
    """A batch that was committed though its answer got lost is not tried for ever, nor does it cost those beside it."""
    requests.finish(finished("twice"))
    waiting = vars(vars(requests)["_outbox"])["_waiting"]
    assert sum(minute.requests for minute in requests.minutes()) == 1
    batch = list(waiting)
    await requests.flush()
    waiting.extend(batch)
    requests.finish(finished("beside", at_ms=NOW_MS + 2))
    await requests.flush()
    requests.finish(finished("next", at_ms=NOW_MS + 1))
    assert await ids(begin()) == ["beside", "twice"]
    assert await ids(requests) == ["beside", "next", "twice"]


async def test_a_restart_knows_the_last_hour(requests: Requests, begin: Open, clock: Clock) -> None:
    """The counters of the minutes are the same as before; those since the start begin anew."""
    kinds = [Attempt(1, "timeout", "", 1)]
    for minutes_ago in (59, 30, 30, 0):
        at_ms = NOW_MS - minutes_ago * MINUTE_MS
        requests.finish(finished(at_ms=at_ms, first_chunk_ms=100, attempts=kinds, error="upstream_timeout"))
    requests.finish(finished(at_ms=NOW_MS - HOUR_MS - MINUTE_MS))
    requests.finish(finished(at_ms=NOW_MS - HOUR_MS - MINUTE_MS, duration_ms=HOUR_MS, model="grok-3"))
    await requests.flush()
    clock.now_ms += 1
    again = begin()
    await again.rebuild()
    assert again.minutes() == requests.minutes()
    assert sum(minute.errors for minute in again.minutes()) == 4
    assert again.top_models() == [("grok-4", 4), ("grok-3", 1)]
    assert again.upstream_errors() == requests.upstream_errors() == [("timeout", 4)]
    assert again.counters().requests == {}


async def test_requests_are_counted_by_route_model_and_status(requests: Requests) -> None:
    """Of all requests since the start."""
    for status in (200, 200, 429):
        requests.finish(finished(status=status))
    assert requests.counters().requests == {(CHAT, "grok-4", 200): 2, (CHAT, "grok-4", 429): 1}


@pytest.mark.usefixtures("keeping")
async def test_content_is_sealed(requests: Requests, database: Database) -> None:
    """Whoever reads the database reads neither prompt nor answer; the operator does."""
    requests.finish(finished(prompt="the prompt", answer=["the ", "answer"]))
    detail = await requests.get((await only(requests)).id)
    assert (detail.prompt, detail.answer) == ("the prompt", "the answer")
    async with database.session() as session:
        rows: Sequence[object] = (await session.exec(select(RequestContentRow))).all()
        rows = [*rows, *(await session.exec(select(RequestRow))).all()]
    assert len(rows) == 2
    assert not [row for row in rows if "prompt" in str(vars(row).get("content", ""))]


async def test_content_that_cannot_be_opened_is_missing(
    requests: Requests, weather: Weather, keeping: SettingsService
) -> None:
    """With another key the rest of the record is shown all the same."""
    requests.finish(finished(prompt="the prompt", answer=[]))
    await requests.flush()
    other = Requests(RequestRepository(weather, Vault(["another key for tests"])), keeping)  # type: ignore[arg-type] # a look-alike
    detail = await other.get((await only(other)).id)
    assert detail.prompt is None


async def test_content_is_gone_when_it_is_no_longer_kept(
    requests: Requests, database: Database, keeping: SettingsService
) -> None:
    """Hidden from the moment `app.log_content` is switched off, deleted by the next cleaning; what was waiting too."""
    requests.finish(finished(prompt="the prompt", answer=["the answer"]))
    record_id = (await only(requests)).id
    assert (await requests.get(record_id)).prompt == "the prompt"
    await keeping.change({"app.log_content": False})
    detail = await requests.get(record_id)
    assert (detail.prompt, detail.answer) == (None, None)
    requests.finish(finished(prompt="asked before, answered after", answer=[]))
    await requests.flush()
    async with database.session() as session:
        assert len((await session.exec(select(RequestContentRow))).all()) == 1
    assert await requests.clean() == 0
    async with database.session() as session:
        assert (await session.exec(select(RequestContentRow))).all() == []


async def test_switching_off_deletes_content_at_once(
    requests: Requests, database: Database, keeping: SettingsService
) -> None:
    """With the next write, not an hour later."""
    requests.finish(finished(prompt="the prompt", answer=[]))
    await requests.flush()
    await keeping.change({"app.log_content": False})
    await vars(Requests)["_follow_setting"](requests)
    async with database.session() as session:
        assert (await session.exec(select(RequestContentRow))).all() == []


async def test_two_cleanings_at_once_share_the_work(requests: Requests, begin: Open, clock: Clock) -> None:
    """Two processes delete each row once, and neither fails because of the other."""
    for number in range(50):
        requests.finish(finished(f"r{number}"))
    await requests.flush()
    clock.now_ms += 8 * DAY_MS
    deleted = await asyncio.gather(*(record.clean() for record in (requests, begin())))
    assert sum(deleted) == 50
    assert await ids(requests) == []


async def test_callers_who_are_turned_away_leave_few_rows(requests: Requests, clock: Clock) -> None:
    """However many come with a wrong key: all are counted, few are listed, and one row says how many are not."""

    def turn_away(count: int) -> None:
        for _ in range(count):
            refused = finished("stranger", status=401, model="")
            refused.fail(AuthenticationError("Invalid authentication token"))
            requests.finish(refused)

    turn_away(20_000)
    known = finished("known", status=400, model="", is_let_in=True)
    known.fail(InvalidRequestError("Unknown model"))
    requests.finish(known)
    found = await requests.find(RequestQuery(page_size=200))
    assert found.total == AT_ONCE + 1
    assert requests.counters().requests == {(CHAT, "", 401): 20_000, (CHAT, "", 400): 1}
    assert sum(minute.errors for minute in requests.minutes()) == AT_ONCE + 1
    clock.now_ms += MINUTE_MS
    vars(Requests)["_admit_due"](requests)
    vars(Requests)["_admit_due"](requests)
    found = await requests.find(RequestQuery(page_size=200, search="19,899 more"))
    assert found.total == 1
    assert (await requests.find(RequestQuery())).total == AT_ONCE + 2
    assert requests.counters().requests[CHAT, "", 401] == 20_000
    assert requests.counters().errors[CHAT, "invalid_api_key"] == 20_000
    assert requests.count == 20_001


async def test_counters_never_go_back(requests: Requests, clock: Clock) -> None:
    """Prometheus takes a smaller number for a restart: not even when one of those left out is admitted."""
    for _ in range(AT_ONCE + 10):
        refused = finished("stranger", status=401, model="")
        refused.fail(AuthenticationError("Invalid authentication token"))
        requests.finish(refused)
    assert requests.counters().requests.total() == AT_ONCE + 10
    clock.now_ms += MINUTE_MS
    for _ in range(1_000):
        requests.finish(finished())
    vars(Requests)["_admit_due"](requests)
    assert requests.counters().requests[CHAT, "", 401] == AT_ONCE + 10


async def test_a_crowd_is_counted_piece_by_piece(requests: Requests) -> None:
    """No look at the counters holds up others for all that has ended; the count is exact all the same."""
    for number in range(5_000):
        requests.finish(finished(f"r{number}"))
    assert requests.count == 5_000
    assert 0 < sum(minute.requests for minute in requests.minutes()) < 500
    assert requests.count == 5_000
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    other = asyncio.create_task(others())
    await vars(Requests)["_gather_all"](requests)
    other.cancel()
    assert turns >= 20
    assert sum(minute.requests for minute in requests.minutes()) == requests.count == 5_000


async def test_the_end_of_the_process_writes_what_waits(
    database: Database, vault: Vault, settings: SettingsService
) -> None:
    """A request that ended in the last moment is there after the restart."""
    async with open_requests(database, vault, settings) as requests:
        requests.finish(finished("last"))
    async with open_requests(database, vault, settings) as again:
        assert await ids(again) == ["last"]


async def test_retention_follows_the_setting(database: Database, vault: Vault) -> None:
    """A shorter time is in force with the next cleaning."""
    clock = Clock()
    settings = await open_settings(database, vault, {"app.request_log_days": "1"})
    requests = Requests(RequestRepository(database, vault), settings, clock)
    requests.finish(finished(at_ms=NOW_MS - DAY_MS - 1))
    requests.finish(finished(at_ms=NOW_MS - DAY_MS + 1))
    await requests.flush()
    assert await requests.clean() == 1


def test_long_content_is_cut() -> None:
    """At 10,000 characters, in however many pieces it comes."""
    trace = finished()
    trace.ask("grok-4", "p" * (MOST_CHARS + 1), keeps_content=True)
    for _ in range(MOST_CHARS):
        trace.say("abc")
    assert trace.prompt is not None
    assert trace.answer is not None
    assert len(trace.prompt) == len("".join(trace.answer)) == MOST_CHARS
    assert len(trace.answer) < MOST_CHARS
