"""Pictures over a WebSocket. Source: API contract, sections 2, 6 and 9."""

from typing import Any

import orjson
import pytest

from tests.conftest import API_KEY, PUBLIC_KEY
from tests.contract.admin import OTHER_ORIGIN, bearer
from tests.contract.pictures import Event, drawn, prompts_of
from tests.contract.public import KEY, PREFIXES, WS, begin, stop
from tests.contract.runs import check_picture, check_running, finals, is_error, is_status, until
from tests.contract.websocket import Socket, connected, upgrade_status
from tests.servers import Gateway, Sandbox, eventually

MOST_BYTES = 64 * 1024
"""Of one message."""
INVALID_PAYLOAD = ("invalid_payload", "Invalid message format.")
INVALID_PROMPT = ("invalid_prompt", "Prompt cannot be empty.")
LONG_PROMPT = ("string_too_long", "String should have at most 16384 characters")
INVALID_ACTION = ("invalid_action", "Unknown action.")


def padded(question: str, size_bytes: int) -> str:
    """A start that is so long."""
    start = {"type": "start", "prompt": question, "padding": ""}
    start["padding"] = "x" * (size_bytes - len(orjson.dumps(start)))
    return orjson.dumps(start).decode()


def next_error(socket: Socket) -> tuple[str, str]:
    """The code and the message of the next event, which must be an error."""
    event = next(socket)
    assert is_error(event), event
    return event["code"], event["message"]


def draw(socket: Socket, question: str, **fields: Any) -> Event:
    """Start a run; its first event, which must be the next but for what is left of the run before."""
    socket.say(type="start", prompt=question, **fields)
    return until(socket, lambda event: is_status(event, "running"))[-1]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_start_is_answered_with_pictures(studio: Gateway, sandbox: Sandbox, question: str, prefix: str) -> None:
    """The same events as in a stream of server-sent ones, a JSON text each; Grok is asked for what the start says."""
    with connected(studio, f"{prefix}/imagine/ws", headers=KEY) as socket:
        socket.say(type="start", prompt=question, aspect_ratio="1792x1024", nsfw=True)
        running, *pictures = finals(socket, 2)

    run_id = check_running(running, question, "3:2")
    for event in pictures:
        check_picture(event, run_id, "3:2")
    part = prompts_of(drawn(sandbox, question)[0])[0]
    assert (part["text"], part["properties"]["aspect_ratio"]) == (question, "3:2")
    assert part["properties"]["enable_nsfw"] is True


def test_a_run_is_announced_at_once(studio: Gateway, question: str) -> None:
    """Though Grok hasn't said a word yet."""
    prompt = f"{question} @ws-silent"
    with connected(studio, WS, headers=KEY) as socket:
        socket.say(type="start", prompt=prompt)
        check_running(next(socket), prompt, "2:3")


@pytest.mark.parametrize("fields", [{}, {"aspect_ratio": None, "nsfw": None}, {"aspect_ratio": "7:5"}], ids=str)
def test_a_start_has_the_defaults_of_a_task(
    studio: Gateway, sandbox: Sandbox, question: str, fields: dict[str, Any]
) -> None:
    """2:3, also in place of an unknown ratio, and the setting's adult content."""
    with connected(studio, WS, headers=KEY) as socket:
        socket.say(type="start", prompt=question, **fields)
        running, *_ = finals(socket, 1)

    check_running(running, question, "2:3")
    assert prompts_of(drawn(sandbox, question)[0])[0]["properties"]["enable_nsfw"] is False


WRONG: dict[str, tuple[str | bytes, tuple[str, str]]] = {
    "no JSON": ("start", INVALID_PAYLOAD),
    "nothing": ("", INVALID_PAYLOAD),
    "broken JSON": ('{"type":"start","prompt":"a cat"', INVALID_PAYLOAD),
    "null": ("null", INVALID_PAYLOAD),
    "array": ('[{"type":"start"}]', INVALID_PAYLOAD),
    "text": ('"start"', INVALID_PAYLOAD),
    "number": ("1", INVALID_PAYLOAD),
    "binary": (b'{"type":"start","prompt":"a cat"}', INVALID_PAYLOAD),
    "too long by a byte": (padded("A cat", MOST_BYTES + 1), INVALID_PAYLOAD),
    "a megabyte": (padded("A cat", 1 << 20), INVALID_PAYLOAD),
    "no prompt": ('{"type":"start"}', INVALID_PROMPT),
    "empty prompt": ('{"type":"start","prompt":""}', INVALID_PROMPT),
    "blank prompt": ('{"type":"start","prompt":" \\n "}', INVALID_PROMPT),
    "long prompt": (orjson.dumps({"type": "start", "prompt": "a" * (16 * 1024 + 1)}).decode(), LONG_PROMPT),
    "null prompt": ('{"type":"start","prompt":null}', INVALID_PROMPT),
    "no action": ('{"prompt":"a cat"}', INVALID_ACTION),
    "unknown action": ('{"type":"begin","prompt":"a cat"}', INVALID_ACTION),
    "action in capitals": ('{"type":"START","prompt":"a cat"}', INVALID_ACTION),
    "number as action": ('{"type":1}', INVALID_ACTION),
}


@pytest.mark.parametrize(("content", "expected"), WRONG.values(), ids=WRONG)
def test_a_wrong_message_is_named_and_does_no_harm(
    studio: Gateway, question: str, content: str | bytes, expected: tuple[str, str]
) -> None:
    """Its code and its sentence, letter by letter; the socket stays open and usable."""
    with connected(studio, WS, headers=KEY) as socket:
        socket.send(content)
        assert next_error(socket) == expected

        socket.say(type="start", prompt=question)
        check_running(next(socket), question, "2:3")


def test_a_wrong_message_leaves_the_run_alone(studio: Gateway, question: str) -> None:
    """The error comes between its pictures."""
    with connected(studio, WS, headers=KEY) as socket:
        running = draw(socket, question)
        socket.send("no JSON")
        until(socket, is_error)

        assert finals(socket, 7)[-1]["run_id"] == running["run_id"]


def test_the_longest_message_is_taken(studio: Gateway, question: str) -> None:
    """64 KiB, fields that nobody knows included."""
    with connected(studio, WS, headers=KEY) as socket:
        socket.send(padded(question, MOST_BYTES))

        check_running(next(socket), question, "2:3")


def test_a_second_start_replaces_the_first(studio: Gateway, sandbox: Sandbox, question: str) -> None:
    """The first has stopped before the second runs, and nothing of it comes any more."""
    other = f"{question} Or what else?"
    with connected(studio, WS, headers=KEY) as socket:
        first = draw(socket, f"{question} @ws-silent")
        eventually(lambda: drawn(sandbox, question))
        socket.say(type="start", prompt=other, aspect_ratio="1:1")
        stopped, running, *pictures = finals(socket, 7)

    assert stopped == {"type": "status", "status": "stopped", "run_id": first["run_id"]}
    run_id = check_running(running, other, "1:1")
    assert run_id != first["run_id"]
    for event in pictures:
        check_picture(event, run_id, "1:1")
    [silent] = drawn(sandbox, f"{question} @ws-silent")
    assert silent["ended_ms"]


def test_a_start_in_the_middle_of_pictures_replaces_them(studio: Gateway, question: str) -> None:
    """After `stopped` there is no picture of the first run, and before `running` none of the second."""
    with connected(studio, WS, headers=KEY) as socket:
        first = draw(socket, question)
        finals(socket, 1)
        socket.say(type="start", prompt=question)
        *_, stopped = until(socket, lambda event: is_status(event, "stopped"))
        running = next(socket)
        rest = finals(socket, 7)

    assert stopped["run_id"] == first["run_id"]
    run_id = check_running(running, question, "2:3")
    assert {event["run_id"] for event in rest} == {run_id}


def test_a_stop_ends_the_run_and_another_may_begin(studio: Gateway, question: str) -> None:
    """On the same socket."""
    with connected(studio, WS, headers=KEY) as socket:
        first = draw(socket, question)
        finals(socket, 1)
        socket.say(type="stop")
        *_, stopped = until(socket, lambda event: is_status(event, "stopped"))
        assert stopped == {"type": "status", "status": "stopped", "run_id": first["run_id"]}

        socket.say(type="start", prompt=question)
        run_id = check_running(next(socket), question, "2:3")
        assert finals(socket, 1)[-1]["run_id"] == run_id != first["run_id"]


def test_a_live_task_opens_the_door_and_fills_in_what_a_start_leaves_out(
    studio: Gateway, sandbox: Sandbox, question: str
) -> None:
    """No key is needed, and what the start says stands above the task."""
    other = f"{question} Or what else?"
    task_id = begin(studio, question, aspect_ratio="9:16", nsfw=True)
    with connected(studio, WS, {"task_id": task_id}) as socket:
        socket.say(type="start")
        running, *_ = finals(socket, 1)
        check_running(running, question, "9:16")
        socket.say(type="start", prompt=other, aspect_ratio="1:1")
        *_, running = until(socket, lambda event: is_status(event, "running"))
        check_running(running, other, "1:1")
        finals(socket, 1)

    parts = [prompts_of(entry)[0] for entry in drawn(sandbox, question)]
    asked = {(part["text"], part["properties"]["aspect_ratio"], part["properties"]["enable_nsfw"]) for part in parts}
    assert asked == {(question, "9:16", True), (other, "1:1", True)}


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ({}, {}, 403),
        ({"public_key": "wrong"}, {}, 403),
        ({"public_key": ""}, {}, 403),
        ({}, bearer("wrong"), 403),
        ({}, bearer(API_KEY), 403),
        ({"task_id": "nobody"}, {}, 403),
        ({"task_id": "nobody"}, KEY, 101),
        ({}, KEY, 101),
        ({"public_key": PUBLIC_KEY}, {}, 101),
    ],
    ids=["none", "wrong", "empty", "bearer", "API's", "no such task", "no such task, key", "key", "key in query"],
)
def test_without_a_task_the_key_opens_the_door(
    studio: Gateway, query: dict[str, str], headers: dict[str, str], status: int
) -> None:
    """As a bearer token or in the query; without the right one the socket is refused before it is accepted."""
    assert upgrade_status(studio, WS, query, headers) == status


def test_a_stopped_task_opens_no_door(studio: Gateway, question: str) -> None:
    """Its id is worth nothing any more."""
    task_id = begin(studio, question)
    stop(studio, task_id)

    assert upgrade_status(studio, WS, {"task_id": task_id}) == 403


def test_without_a_public_key_everybody_may_draw(changed: Gateway, question: str) -> None:
    """An empty `app.public_key` means no check."""
    with connected(changed, WS) as socket:
        draw(socket, question)
        finals(socket, 1)


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://evil.example", 403),
        ("null", 403),
        ("http://127.0.0.1:1", 403),
        (OTHER_ORIGIN, 101),
        (None, 101),
    ],
    ids=["foreign", "null", "another port", "named by the operator", "itself"],
)
def test_pages_of_other_sites_may_not_draw(studio: Gateway, origin: str | None, status: int) -> None:
    """A browser lets any page open a socket, and says whose it is: only ours may, and those in the environment."""
    headers = {**KEY, "Origin": origin or studio.url}

    assert upgrade_status(studio, WS, headers=headers) == status


def test_a_task_doesnt_let_other_sites_in(studio: Gateway, question: str) -> None:
    """Whoever shows one: the origin counts first."""
    query = {"task_id": begin(studio, question)}

    assert upgrade_status(studio, WS, query, {"Origin": "https://evil.example"}) == 403
