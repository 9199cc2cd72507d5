"""Endless runs are listened to, and held against what was sent; how fast anything is is not tested."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.frames import BrokenStreamError, Events, Frames, Opcode, frame
from benchmarks.hearing import Delay, Listened, Painted, Session, judge
from benchmarks.listening import Heard, Way, listening
from benchmarks.media import Media, print_media
from benchmarks.painting import FINAL_LENGTH, PER_BATCH, batch_of, make_stock, start_answering
from benchmarks.processes import Memory, Served, start_gateway, start_painting
from benchmarks.report import Report, describe_machine, now
from benchmarks.runs import SETTINGS, Deaf, Moment, Runs, painted

S = 1_000_000_000
IDS = [f"0000000a-0000-4000-8000-{number:012x}" for number in range(PER_BATCH)]
DELAY = Delay(pictures=60, p50_ms=1, p95_ms=2, p99_ms=3)
LISTENED = Listened(
    listeners=1,
    elapsed_s=1,
    delays={"all": DELAY},
    cpu_ms=1,
    whole_batches=10,
    lost=0,
    twice=0,
    cut=0,
    errors=0,
    first_error="",
)
RUNS = Runs(LISTENED, LISTENED, LISTENED, [Moment(at_s, 100, 90) for at_s in range(9)])


async def test_six_pictures_are_painted_for_each_prompt() -> None:
    """Whoever listens hears of all six once, each as large as it shall be, and asks for the next six."""
    async with _painter() as port, listening(port, [Way.DIRECT] * 2, batch_s=0) as heard:
        await _hear(heard, pictures=2 * PER_BATCH)
    assert not any(each.errors for each in heard)
    first = [picture_id for each in heard for picture_id, _ in each.finals[:PER_BATCH]]
    assert sorted(Counter(map(batch_of, first)).values()) == [PER_BATCH, PER_BATCH]
    assert len(set(first)) == len(first)


async def test_a_batch_takes_the_time_that_its_prompt_says() -> None:
    """The finished pictures come apart, in the last third of it."""
    async with _painter() as port, listening(port, [Way.DIRECT], batch_s=0.9) as (heard,):
        await _hear([heard], pictures=PER_BATCH)
    times_ns = [at_ns for _, at_ns in heard.finals]
    assert times_ns[-1] - times_ns[0] > 0.2 * S


def test_pictures_come_through_the_gateway_both_ways(tmp_path: Path) -> None:
    """Two listeners hear of six each, and none of them is lost, changed or there twice."""

    async def listen(painter: Served, gateway: Served) -> Listened:
        async with listening(gateway.port, [Way.SSE, Way.WS], batch_s=0) as heard:
            await _hear(heard, pictures=PER_BATCH)
            now_ns = time.monotonic_ns()
        return judge([Session(heard, await painted(painter), 0, now_ns, cpu_s=0, grace_s=60)])

    with start_painting() as painter, start_gateway(tmp_path, painter, accounts=9, settings=SETTINGS) as gateway:
        listened = asyncio.run(listen(painter, gateway))
    assert listened.is_whole, listened.first_error
    assert listened.whole_batches >= 2
    assert all(listened.delays[way].p50_ms > 0 for way in (Way.SSE, Way.WS))


async def test_a_refused_listener_is_an_error() -> None:
    """An answer that is no stream of events counts as what it is."""
    async with _painter() as port, listening(port, [Way.SSE], batch_s=0) as (heard,):
        assert heard.errors
    assert not heard.finals


def test_pictures_of_a_stage_are_all_as_large() -> None:
    """And a browser can show them: the gateway looks at what they begin with."""
    stock = make_stock()
    assert {len(rest) for rest in stock["final"]} == {len(b'.jpg","blob":""}') + FINAL_LENGTH}
    assert all(rest.startswith(b'.png","blob":"iVBORw0KGgo') for rest in (*stock["preview"], *stock["medium"]))


@pytest.mark.parametrize("length", [5, 300, 70_000], ids=["short", "two bytes", "eight bytes"])
@pytest.mark.parametrize("is_client", [True, False], ids=["client", "server"])
def test_frames_may_come_in_any_pieces(length: int, is_client: bool) -> None:
    """Two messages and a ping between them are read as they were written."""
    sent = [(Opcode.TEXT, b"a" * length), (Opcode.PING, b"?"), (Opcode.TEXT, b"b")]
    data = b"".join(frame(opcode, payload, is_client=is_client) for opcode, payload in sent)
    frames = Frames()
    assert [found for piece in _pieces(data) for found in frames.feed(piece)] == sent


def test_a_message_in_parts_is_one() -> None:
    """And a ping in the middle comes first."""
    parts = b"\x01\x02ab" + frame(Opcode.PING, b"?") + b"\x80\x01c"
    assert list(Frames().feed(parts)) == [(Opcode.PING, b"?"), (Opcode.TEXT, b"abc")]


def test_events_are_found_whatever_the_chunks_are() -> None:
    """A chunk may hold a part of an event, or several; comments are passed over."""
    chunks = [b"data: {", b"}\n", b"\ndata: 2\n\n: keep-alive\n\ndata: 3\n\n"]
    data = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    events = Events()
    assert [event for piece in _pieces(data) for event in events.feed(piece)] == [b"{}", b"2", b"3"]


def test_what_is_no_chunk_is_an_error() -> None:
    """Rather than waited for."""
    with pytest.raises(BrokenStreamError):
        list(Events().feed(b"data: 1\r\n"))


@pytest.mark.parametrize(
    ("arrived", "found"),
    [
        (IDS, {"whole_batches": 1, "lost": 0, "twice": 0}),
        (IDS[1:], {"whole_batches": 0, "lost": 1, "twice": 0}),
        ([*IDS, IDS[0]], {"whole_batches": 1, "lost": 0, "twice": 1}),
    ],
    ids=["whole", "one lost", "one twice"],
)
def test_each_picture_must_arrive_once(arrived: list[str], found: dict[str, int]) -> None:
    """Whoever of the listeners it was for."""
    judged = judge([_session(arrived)])
    assert {name: getattr(judged, name) for name in found} == found
    assert judged.is_whole is (arrived == IDS)


def test_a_picture_that_left_at_the_end_may_be_under_way() -> None:
    """It is not lost, since the listeners left before it could arrive."""
    late = {IDS[0]: 19 * S + S // 2}
    assert not judge([_session([], sent_ns=late)]).lost
    assert judge([_session([], sent_ns={IDS[0]: 18 * S})]).lost == 1


def test_only_a_batch_that_was_left_early_is_cut() -> None:
    """In the end every listener leaves one."""
    assert judge([_session(IDS, cut_ns=[20 * S])]).cut == 0
    assert judge([_session(IDS, cut_ns=[20 * S, 15 * S])]).cut == 1


def test_a_delay_is_from_leaving_to_arriving() -> None:
    """Without those of the warming up; by way, and of all together."""
    sent_ns = {IDS[0]: 9 * S, IDS[1]: 11 * S, IDS[2]: 12 * S}
    heard = [
        Heard(Way.SSE, [(IDS[0], 10 * S), (IDS[1], 11 * S + S // 100)]),
        Heard(Way.WS, [(IDS[2], 12 * S + S // 50)]),
    ]
    judged = judge(
        [Session(heard, Painted(0, sent_ns, []), counts_from_ns=10 * S, ended_ns=20 * S, cpu_s=0.1, grace_s=1)]
    )
    assert {name: (delay.pictures, delay.p95_ms) for name, delay in judged.delays.items()} == {
        "all": (2, 20),
        "sse": (1, 10),
        "ws": (1, 20),
    }
    assert judged.cpu_ms == 50
    assert judged.pictures_per_s == 0.2


@pytest.mark.parametrize(
    ("changed", "is_met"),
    [
        ({}, True),
        ({"through": replace(LISTENED, delays={"all": replace(DELAY, p95_ms=22.5)})}, False),
        ({"floor": replace(LISTENED, delays={"all": replace(DELAY, p95_ms=30)})}, True),
        ({"through": replace(LISTENED, lost=1)}, False),
        ({"full": replace(LISTENED, errors=1)}, False),
        ({"moments": [Moment(at_s, 100 + at_s, 90) for at_s in range(9)]}, False),
        ({"deaf": [Deaf(Way.SSE, 20, 100, 181, 20, 0, "")]}, False),
        ({"deaf": [Deaf(Way.WS, 20, 100, 179, 20, 0, "")]}, True),
        ({"deaf": [Deaf(Way.WS, 20, 100, 179, 21, 0, "")]}, False),
        ({"deaf": [Deaf(Way.WS, 20, 100, 179, 20, 1, "")]}, False),
        ({"deaf": [Deaf(Way.WS, 20, 100, 179, 20, 0, "hung up")]}, False),
    ],
    ids=["met", "late", "floor", "lost", "error", "grows", "4.05 MiB", "3.95 MiB", "piles up", "stays", "refused"],
)
def test_runs_are_held_against_their_bars(changed: dict[str, Any], is_met: bool) -> None:
    """What one listener costs, what the gateway adds, what arrived, and what stays."""
    assert Media(runs=replace(RUNS, **changed)).meets_bar is is_met


def test_a_run_becomes_a_table_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Each way has a line of its own, and the first error is shown."""
    through = replace(LISTENED, delays={"all": DELAY, "sse": DELAY, "ws": DELAY}, errors=1, first_error="hung up")
    deaf = Deaf(Way.WS, 20, 100, 120, 20, 0, "")
    media = Media(runs=replace(RUNS, through=through, deaf=[deaf]))
    print_media(media)
    printed = capsys.readouterr().out
    assert all(text in printed for text in ("    sse", "first error: hung up", "1.00 each, bar 4", "+0.0%"))
    nothing = Memory(rss_mib=1, pss_mib=1)
    report = Report(now(), describe_machine([1.0], 0.5), [], nothing, nothing, [], media=media)
    assert json.loads(report.as_json())["media"]["runs"]["deaf"][0]["way"] == "ws"


def _session(arrived: list[str], sent_ns: dict[str, int] | None = None, cut_ns: list[int] | None = None) -> Session:
    heard = [Heard(Way.SSE, [(picture_id, 15 * S) for picture_id in arrived])]
    painted = Painted(0, dict.fromkeys(IDS, 14 * S) if sent_ns is None else sent_ns, cut_ns or [])
    return Session(heard, painted, counts_from_ns=10 * S, ended_ns=20 * S, cpu_s=1, grace_s=1)


def _pieces(data: bytes) -> list[bytes]:
    return [data[start : start + 7] for start in range(0, len(data), 7)]


@asynccontextmanager
async def _painter() -> AsyncGenerator[int, None]:
    server = await start_answering()
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _hear(heard: list[Heard], pictures: int) -> None:
    """Let them listen until each has heard of so many."""
    while any(len(each.finals) < pictures and not each.errors for each in heard):  # noqa: ASYNC110 - they tell nobody
        await asyncio.sleep(0.01)
