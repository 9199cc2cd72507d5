"""Endless runs: batch after batch, whatever happens to accounts and sockets. Source: API contract, section 9."""

import socket
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest

from grok_app.catalog import Pool
from tests.conftest import ENDLESS
from tests.contract.admin import fresh, operator
from tests.contract.pictures import SOCKET, Event, Watch, drawn, staff
from tests.contract.public import KEY, NO_ACCOUNT, WS, begin, listening, transports, watching
from tests.contract.runs import (
    BATCH,
    assert_over,
    brief,
    check_picture,
    check_running,
    check_stages,
    completed,
    finals,
    is_error,
    until,
    when_quiet,
)
from tests.contract.websocket import READ_BYTES, connected
from tests.servers import Gateway, Sandbox, eventually

MANY = 3 * BATCH
"""Finished pictures of several batches."""
PAUSE_S = (1.5, 6.0)
"""How long a run rests when it can't go on, with what a busy machine takes or adds."""
HELD_S = 1.0


@contextmanager
def reading_little(gateway: Gateway, transport: str, task_id: str) -> Generator[Iterator[Event]]:
    """Watch a task with little room for what isn't read yet."""
    if transport == "ws":
        with watching(gateway, transport, task_id) as events:
            yield events
        return
    narrow = httpx.HTTPTransport(socket_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, READ_BYTES)])
    with (
        httpx.Client(base_url=gateway.url, transport=narrow, timeout=10) as http,
        listening(gateway, {"task_id": task_id}, http=http) as events,
    ):
        yield events


def batches(events: list[Event]) -> list[list[Event]]:
    """The events of each batch, up to its last finished picture."""
    found: list[list[Event]] = [[]]
    for event in events:
        found[-1].append(event)
        if len(completed(found[-1])) == BATCH:
            found.append([])
    return found[:-1]


def errors(events: list[Event]) -> list[Event]:
    """Those that tell of a failure."""
    return [event for event in events if is_error(event)]


@transports
def test_batch_follows_batch(studio: Gateway, sandbox: Sandbox, question: str, transport: str) -> None:
    """Six pictures each, every one real and with an id of its own; Grok is asked batch by batch."""
    began_s = time.monotonic()
    with watching(studio, transport, begin(studio, question, aspect_ratio="1:1")) as events:
        running, *pictures = finals(events, MANY)
    took_ms = (time.monotonic() - began_s) * 1000

    run_id = check_running(running, question, "1:1")
    for event in pictures:
        check_picture(event, run_id, "1:1")
    check_stages(pictures)
    found = batches(pictures)
    assert [sorted(event["index"] for event in completed(batch)) for batch in found] == [list(range(BATCH))] * 3
    assert len({event["image_id"] for event in completed(pictures)}) == MANY
    assert sum(batch[-1]["elapsed_ms"] for batch in found) <= took_ms
    assert len(drawn(sandbox, question)) <= 3 + 1


@transports
def test_time_is_told_within_a_batch(studio: Gateway, question: str, transport: str) -> None:
    """`elapsed_ms` grows from event to event, and begins anew with the next batch."""
    with watching(studio, transport, begin(studio, f"{question} @slow")) as events:
        _, *pictures = finals(events, BATCH + 1)

    told = [event["elapsed_ms"] for event in pictures]
    [first] = batches(pictures)
    assert told[: len(first)] == sorted(told[: len(first)])
    assert told[0] >= 400
    assert told[len(first)] < told[len(first) - 1] + 400


@transports
@pytest.mark.parametrize("word", ["", " @ws-silent", " @blocked"], ids=["drawing", "waiting", "half drawn"])
def test_leaving_ends_the_run(studio: Gateway, sandbox: Sandbox, question: str, word: str, transport: str) -> None:
    """Whoever closes the connection stops Grok's work within a second, and no run goes on without a reader."""
    open_before = sandbox.state()["open_sockets"]
    with watching(studio, transport, begin(studio, f"{question}{word}")) as events:
        next(events)
        eventually(lambda: drawn(sandbox, question))
        if not word:
            finals(events, 1)

    assert_over(sandbox, question, open_before, time.time())


def test_a_goodbye_ends_the_run(studio: Gateway, sandbox: Sandbox, question: str) -> None:
    """As a browser sends it whose page is closed."""
    open_before = sandbox.state()["open_sockets"]
    with connected(studio, WS, headers=KEY) as peer:
        peer.say(type="start", prompt=f"{question} @ws-silent")
        next(peer)
        eventually(lambda: drawn(sandbox, question))
        peer.leave()
        left_at = time.time()

        assert_over(sandbox, question, open_before, left_at)


@transports
def test_a_slow_reader_loses_no_finished_picture(
    studio: Gateway, sandbox: Sandbox, question: str, transport: str
) -> None:
    """The run waits for whoever doesn't read; then every batch is whole, and no picture becomes worse again."""
    with reading_little(studio, transport, begin(studio, question)) as events:
        running = next(events)
        eventually(lambda: drawn(sandbox, question))
        eventually(when_quiet(sandbox, question, HELD_S), within_s=8)
        pictures = finals(events, 10 * BATCH)

    assert errors(pictures) == []
    check_stages(pictures)
    whole = [list(range(BATCH))] * 10
    assert [sorted(event["index"] for event in completed(batch)) for batch in batches(pictures)] == whole
    assert len({event["image_id"] for event in completed(pictures)}) == 10 * BATCH
    assert {event["run_id"] for event in pictures} == {running["run_id"]}


@pytest.mark.parametrize("word", ["429", "401", "403-blocked", "ws-429", "blocked"])
def test_an_account_that_cant_draw_is_left_for_the_next(hasty: Gateway, watch: Watch, question: str, word: str) -> None:
    """Without a word to the viewer: pictures are all that comes."""
    *bad, good = staff(hasty, word, word, "")
    with watching(hasty, "sse", begin(hasty, question)) as events:
        _, *pictures = until(events, lambda event: asked_all(watch, bad) and event["type"] != "error")
        pictures += finals(events, BATCH)

    assert [brief(event) for event in errors(pictures)] == []
    assert {entry["account"] for entry in watch.calls(SOCKET)} == {*bad, good}


def asked_all(watch: Watch, accounts: list[str]) -> bool:
    """Whether each of these accounts has been asked to draw."""
    return {entry["account"] for entry in watch.calls(SOCKET)} >= set(accounts)


def test_a_socket_that_breaks_doesnt_end_the_run(hasty: Gateway, sandbox: Sandbox, question: str) -> None:
    """Whatever Grok sends in the middle of a batch, the next one comes, in each of these runs."""
    staff(hasty, *[""] * 6)
    prompts = [f"{question} @once-{word}" for word in ("ws-error", "ws-close", "ws-garbage", "ws-partial")]
    with ExitStack() as stack:
        runs = [stack.enter_context(watching(hasty, "sse", begin(hasty, prompt))) for prompt in prompts]
        for prompt, events in zip(prompts, runs, strict=True):
            run_id = check_running(next(events), prompt, "2:3")
            seen = finals(events, BATCH + 1)
            assert {event["run_id"] for event in completed(seen)} == {run_id}

    for prompt in prompts:
        assert len(drawn(sandbox, prompt)) >= 2


def test_a_run_waits_for_an_account(hasty: Gateway, question: str) -> None:
    """While there is none the viewer is told so every few seconds; when one is added, the same run goes on."""
    staff(hasty)
    with watching(hasty, "sse", begin(hasty, question)) as events:
        running, first = next(events), next(events)
        told_s = time.monotonic()
        second = next(events)
        pause_s = time.monotonic() - told_s
        with operator(hasty, "/v1/admin") as admin:
            [account] = fresh(f"-{ENDLESS}")
            admin.post("/tokens/add", json={"tokens": [account], "pool": Pool.BASIC}).raise_for_status()
        final = finals(events, 1)[-1]

    for event in (first, second):
        assert event.items() >= NO_ACCOUNT.items()
    assert PAUSE_S[0] < pause_s < PAUSE_S[1]
    check_picture(final, running["run_id"], "2:3")


def test_a_prompt_that_is_always_refused_is_no_storm(hasty: Gateway, watch: Watch, question: str) -> None:
    """The viewer is told why, and neither Grok nor the viewer hears of it again for some seconds."""
    staff(hasty, *[""] * 4)
    with watching(hasty, "ws", begin(hasty, f"{question} @moderated")) as events:
        first = until(events, is_error)[-1]
        told_s = time.monotonic()
        asked = len(watch.calls(SOCKET))
        next_one = next(events)
        pause_s = time.monotonic() - told_s

    assert (first["code"], bool(first["message"])) == ("content_policy_violation", True)
    assert pause_s > PAUSE_S[0] / 1.5
    assert asked <= 3
    assert not is_error(next_one)


def test_errors_have_the_shape_of_the_contract(hasty: Gateway, question: str) -> None:
    """Type, message and code, and nothing of the account; here of a picture that Grok never finishes."""
    staff(hasty, "")
    with watching(hasty, "sse", begin(hasty, f"{question} @blocked")) as events:
        error: dict[str, Any] = until(events, is_error)[-1]

    assert error.keys() >= {"type", "message", "code"}
    assert error["code"] == "blocked"
    assert "sandbox" not in error["message"]
