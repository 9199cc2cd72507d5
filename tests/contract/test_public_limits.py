"""How much one visitor may ask for. Source: the settings `public.…`, and API contract, section 9."""

import asyncio
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import httpx
import pytest

from tests.contract.admin import from_nowhere_else, operator, set_up
from tests.contract.pictures import Event
from tests.contract.public import (
    FILM,
    GUARDED,
    KEY,
    OPEN,
    PREFIXES,
    PUBLIC,
    SSE,
    TALK,
    WS,
    begin,
    begin_film,
    film_of,
    filming,
    post,
    stop,
    talking,
    watching,
)
from tests.contract.runs import is_error, is_status, until
from tests.contract.websocket import connected, upgrade_status
from tests.contract.wire import ENDINGS, body, error_of
from tests.servers import Gateway, Sandbox, eventually

MOST_RUNS = 3
MOST_REQUESTS = 60
LIMITED = "rate_limit_exceeded"
VERIFY = f"{PUBLIC}/verify"
Address = dict[str, str]
"""What the proxy says of a visitor."""
Kind = Callable[[Gateway, str, Address], AbstractContextManager[Iterator[Any]]]
"""Begins a run that goes on until it is left."""


def by_sse(gateway: Gateway, question: str, address: Address) -> AbstractContextManager[Iterator[Event]]:
    """Pictures as events."""
    return watching(gateway, "sse", begin(gateway, f"{question} @ws-silent", address), address)


def by_ws(gateway: Gateway, question: str, address: Address) -> AbstractContextManager[Iterator[Event]]:
    """Pictures over a WebSocket."""
    return watching(gateway, "ws", begin(gateway, f"{question} @ws-silent", address), address)


def by_film(gateway: Gateway, question: str, address: Address) -> AbstractContextManager[Iterator[Any]]:
    """A video."""
    return filming(gateway, begin_film(gateway, f"{question} @video-stall", address), address)


def by_chat(gateway: Gateway, question: str, address: Address) -> AbstractContextManager[Iterator[Any]]:
    """A chat."""
    return talking(gateway, f"{question} @stall", address)


KINDS: dict[str, Kind] = {"sse": by_sse, "ws": by_ws, "video": by_film, "chat": by_chat}


@pytest.fixture
def address() -> Address:
    """An address that no other test has."""
    return from_nowhere_else()


@pytest.fixture
def keeper(rationed: Gateway) -> Generator[httpx.Client]:
    """The operator, whose changes are taken back."""
    with operator(rationed, "/v1/admin") as admin:
        yield admin
        set_up(admin, public__max_runs_per_address=MOST_RUNS, public__requests_per_minute=MOST_REQUESTS)


def occupy(stack: ExitStack, gateway: Gateway, question: str, address: Address, *kinds: Kind) -> None:
    """Begin these runs, and see that each is under way."""
    for kind in kinds:
        next(stack.enter_context(kind(gateway, question, address)))


def check_limited(answer: httpx.Response) -> None:
    """It is a 429 that says when to come again."""
    assert answer.status_code == 429
    error = error_of(answer)
    assert (error["type"], error["code"]) == ("rate_limit_error", LIMITED)
    assert 1 <= int(answer.headers["retry-after"]) <= 60


def check_refused(gateway: Gateway, question: str, address: Address, kind: str) -> None:
    """One more run isn't begun, and the visitor is told so in the way of its kind."""
    if kind == "ws":
        with connected(gateway, WS, {"task_id": begin(gateway, question, address)}, address) as socket:
            for _ in range(2):
                socket.say(type="start")
                error = next(socket)
                assert (error["type"], error["code"]) == ("error", LIMITED)
        return
    if kind == "chat":
        check_limited(post(gateway, TALK, body(question), address))
        return
    path = FILM if kind == "video" else SSE
    task_id = (begin_film if kind == "video" else begin)(gateway, question, address)
    check_limited(gateway.stranger.get(path, params={"task_id": task_id}, headers=address))


def runs(gateway: Gateway, question: str, address: Address) -> bool:
    """Whether one more run begins; it is left at once."""
    query = {"task_id": begin(gateway, f"{question} @ws-silent", address)}
    with gateway.stranger.stream("GET", SSE, params=query, headers=address) as answer:
        assert answer.status_code in {200, 429}
        return answer.status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_one_run_too_many_is_refused(rationed: Gateway, question: str, address: Address, kind: str) -> None:
    """Chats, pictures and videos count together: three at once from one address. Other addresses aren't touched."""
    with ExitStack() as stack:
        occupy(stack, rationed, question, address, by_chat, by_film, by_ws)
        check_refused(rationed, question, address, kind)

        occupy(stack, rationed, question, from_nowhere_else(), KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_a_place_is_free_when_its_visitor_leaves(
    rationed: Gateway, keeper: httpx.Client, question: str, address: Address, kind: str
) -> None:
    """Within a second."""
    set_up(keeper, public__requests_per_minute=100_000)
    with ExitStack() as stack:
        occupy(stack, rationed, question, address, by_sse, by_sse)
        with ExitStack() as left:
            occupy(left, rationed, question, address, KINDS[kind])
            assert not runs(rationed, question, address)

        eventually(lambda: runs(rationed, question, address), within_s=5)


def test_a_place_is_free_when_a_run_is_stopped(rationed: Gateway, question: str, address: Address) -> None:
    """By the page's own button: the same socket begins another run, and so may others."""
    with ExitStack() as stack:
        occupy(stack, rationed, question, address, by_sse, by_sse)
        socket = stack.enter_context(connected(rationed, WS, headers={**KEY, **address}))
        for _ in range(MOST_RUNS):
            socket.say(type="start", prompt=f"{question} @ws-silent")
            assert is_status(next(socket), "running")
            socket.say(type="stop")
            assert is_status(next(socket), "stopped")

        occupy(stack, rationed, question, address, by_sse)


def test_a_start_that_replaces_another_needs_no_place(rationed: Gateway, question: str, address: Address) -> None:
    """It takes over the one that the first had."""
    with ExitStack() as stack:
        occupy(stack, rationed, question, address, by_sse, by_sse)
        socket = stack.enter_context(connected(rationed, WS, headers={**KEY, **address}))
        for _ in range(MOST_RUNS):
            socket.say(type="start", prompt=f"{question} @ws-silent")
            seen = until(socket, lambda event: is_status(event, "running"))
            assert [event for event in seen if is_error(event)] == []


def test_a_place_is_free_when_a_task_is_stopped(
    rationed: Gateway, keeper: httpx.Client, question: str, address: Address
) -> None:
    """The stream has ended, whether its visitor has noticed or not."""
    set_up(keeper, public__requests_per_minute=100_000)
    task_id = begin(rationed, f"{question} @ws-silent", address)
    with ExitStack() as stack:
        occupy(stack, rationed, question, address, by_sse, by_sse)
        next(stack.enter_context(watching(rationed, "sse", task_id, address)))
        assert not runs(rationed, question, address)
        stop(rationed, task_id)

        eventually(lambda: runs(rationed, question, address), within_s=5)


@pytest.mark.parametrize(("words", "fields"), ENDINGS.values(), ids=ENDINGS)
def test_chats_one_after_the_other_are_no_crowd(
    rationed: Gateway, question: str, address: Address, words: str, fields: dict[str, Any]
) -> None:
    """However one ends, it has freed its place."""
    asked = body(f"{question} {words}", **fields)
    answers = {post(rationed, TALK, asked, address).status_code for _ in range(MOST_RUNS + 1)}

    assert len(answers) == 1
    assert 429 not in answers


async def test_who_waits_for_a_whole_answer_has_a_place(
    rationed: Gateway, keeper: httpx.Client, sandbox: Sandbox, question: str, address: Address
) -> None:
    """And frees it by leaving."""
    set_up(keeper, public__max_runs_per_address=1)
    asked = body(f"{question} @hang", stream=False)
    async with httpx.AsyncClient(base_url=rationed.url, timeout=15) as http:
        asking = asyncio.create_task(http.post(TALK, json=asked, headers={**KEY, **address}))
        await asyncio.to_thread(eventually, lambda: sandbox.asked(question))
        check_refused(rationed, question, address, "chat")
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    await asyncio.to_thread(eventually, lambda: post(rationed, TALK, body(question), address).is_success)


def test_videos_one_after_the_other_are_no_crowd(rationed: Gateway, question: str, address: Address) -> None:
    """A video that is finished has freed its place."""
    for _ in range(MOST_RUNS + 1):
        film_of(rationed, begin_film(rationed, question, address), address)


def test_a_minute_has_so_many_requests(rationed: Gateway, address: Address) -> None:
    """Whatever they ask for, with or without the key; then every route is closed, and other addresses are not."""
    answers = [rationed.stranger.get(VERIFY, headers={**KEY, **address}).status_code for _ in range(MOST_REQUESTS + 1)]
    assert answers == [200] * MOST_REQUESTS + [429]

    for prefix in PREFIXES:
        for method, path in GUARDED + OPEN:
            for headers in (address, {**KEY, **address}):
                check_limited(rationed.stranger.request(method, f"{prefix}{path}", headers=headers))
        assert upgrade_status(rationed, f"{prefix}/imagine/ws", headers={**KEY, **address}) == 403
    other = {**KEY, **from_nowhere_else()}
    assert rationed.stranger.get(VERIFY, headers=other).status_code == 200
    assert upgrade_status(rationed, WS, headers=other) == 101


def test_requests_without_the_key_count_too(rationed: Gateway, keeper: httpx.Client, address: Address) -> None:
    """Nobody may knock for ever."""
    set_up(keeper, public__requests_per_minute=3)
    answers = [rationed.stranger.get(VERIFY, headers=address).status_code for _ in range(4)]

    assert answers == [401, 401, 401, 429]


def test_only_the_studio_is_counted(rationed: Gateway, keeper: httpx.Client, address: Address) -> None:
    """The API has a key of its own."""
    set_up(keeper, public__requests_per_minute=1)
    for _ in range(3):
        assert rationed.http.get("/v1/models", headers=address).status_code == 200
    assert rationed.stranger.get(VERIFY, headers={**KEY, **address}).status_code == 200


def test_each_start_on_a_socket_is_a_request(
    rationed: Gateway, keeper: httpx.Client, question: str, address: Address
) -> None:
    """As the upgrade was; one too many is an error, and the socket stays open."""
    set_up(keeper, public__requests_per_minute=3)
    with connected(rationed, WS, headers={**KEY, **address}) as socket:
        for _ in range(2):
            socket.say(type="start", prompt=f"{question} @ws-silent")
            until(socket, lambda event: is_status(event, "running"))
        socket.say(type="start", prompt=question)
        [error] = [event for event in until(socket, is_error) if is_error(event)]
        socket.send("no JSON")
        later = until(socket, is_error)[-1]

    assert error["code"] == LIMITED
    assert later["code"] == "invalid_payload"


def test_an_address_has_only_so_many_sockets(rationed: Gateway, keeper: httpx.Client, address: Address) -> None:
    """Eight more than runs, drawing or not; one that is closed makes room. Others aren't touched."""
    set_up(keeper, public__max_runs_per_address=1)
    with ExitStack() as stack:
        *_, last = [stack.enter_context(connected(rationed, WS, headers={**KEY, **address})) for _ in range(1 + 8)]
        assert upgrade_status(rationed, WS, headers={**KEY, **address}) == 403
        assert upgrade_status(rationed, WS, headers={**KEY, **from_nowhere_else()}) == 101

        last.leave()
        eventually(lambda: upgrade_status(rationed, WS, headers={**KEY, **address}) == 101)


def test_changed_limits_are_in_force_at_once(
    rationed: Gateway, keeper: httpx.Client, question: str, address: Address
) -> None:
    """Fewer runs and more, fewer requests and more."""
    other = from_nowhere_else()
    with ExitStack() as stack:
        occupy(stack, rationed, question, address, by_sse)
        set_up(keeper, public__max_runs_per_address=1)
        check_refused(rationed, question, address, "sse")
        set_up(keeper, public__max_runs_per_address=2)
        occupy(stack, rationed, question, address, by_sse)
    set_up(keeper, public__requests_per_minute=1)
    answers = [rationed.stranger.get(VERIFY, headers={**KEY, **other}).status_code for _ in range(2)]
    set_up(keeper, public__requests_per_minute=100)
    answers.append(rationed.stranger.get(VERIFY, headers={**KEY, **other}).status_code)

    assert answers == [200, 429, 200]


def test_a_site_of_ipv6_is_one_address(rationed: Gateway, question: str, address: Address) -> None:
    """Whoever has IPv6 has a whole /64 at hand; the next /64 is somebody else."""
    site = f"2001:db8:{int(address['X-Forwarded-For'].rpartition('.')[2]):x}"
    with ExitStack() as stack:
        for host in (":1", "2:3:4:5", "ffff:ffff:ffff:ffff"):
            occupy(stack, rationed, question, {"X-Forwarded-For": f"{site}:7:{host}"}, by_sse)
        check_refused(rationed, question, {"X-Forwarded-For": f"{site}:7::9"}, "sse")

        occupy(stack, rationed, question, {"X-Forwarded-For": f"{site}:8::1"}, by_sse)


def test_an_address_that_nobody_vouches_for_is_not_believed(managed: Gateway) -> None:
    """A visitor doesn't get more by writing other addresses into a header."""
    with operator(managed, "/v1/admin") as admin:
        set_up(admin, public__requests_per_minute=3)
        try:
            answers = [
                managed.stranger.get(VERIFY, headers={**KEY, **from_nowhere_else()}).status_code for _ in range(4)
            ]
        finally:
            set_up(admin, public__requests_per_minute=MOST_REQUESTS)

    assert answers == [200, 200, 200, 429]
