"""Tasks of drawing: what may be asked for, what Grok gets, how they are stopped. Source: API contract, section 9."""

import time
from collections.abc import Generator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from tests.contract.admin import operator, set_up
from tests.contract.pictures import NO_PROMPT, RATIOS, drawn, prompts_of
from tests.contract.public import (
    FILM_START,
    KEY,
    LIMIT_S,
    PREFIXES,
    SSE,
    START,
    STOP,
    TASK_NOT_FOUND,
    WS,
    begin,
    listening,
    post,
    stop,
    transports,
    watching,
)
from tests.contract.runs import assert_over, finals, is_status
from tests.contract.websocket import connected
from tests.contract.wire import error_of
from tests.servers import Gateway, Sandbox, eventually

MOST_PROMPT_CHARS = 16 * 1024
prefixes = pytest.mark.parametrize("prefix", PREFIXES)


def properties_of(sandbox: Sandbox, question: str) -> tuple[str, bool]:
    """The aspect ratio and whether adult content may be drawn, as Grok was asked for every batch of a prompt."""
    parts = [part for entry in drawn(sandbox, question) for part in prompts_of(entry)]
    assert {part["text"] for part in parts} == {question}
    [found] = {(part["properties"]["aspect_ratio"], part["properties"]["enable_nsfw"]) for part in parts}
    return found


@pytest.fixture
def keeper(studio: Gateway) -> Generator[httpx.Client]:
    """The studio's operator, whose changes are taken back."""
    with operator(studio, "/v1/admin") as admin:
        yield admin
        set_up(admin, image__final_min_bytes=100_000, image__medium_min_bytes=30_000, image__nsfw=False)


@prefixes
def test_the_configuration_is_the_settings(studio: Gateway, keeper: httpx.Client, prefix: str) -> None:
    """Anybody may see it, and a change is there at once."""
    path = f"{prefix}/imagine/config"
    before = studio.stranger.get(path).raise_for_status().json()
    set_up(keeper, image__final_min_bytes=90_001, image__medium_min_bytes=20_002, image__nsfw=True)
    after = studio.stranger.get(path).raise_for_status().json()

    assert before == {"final_min_bytes": 100_000, "medium_min_bytes": 30_000, "nsfw": False}
    assert after == {"final_min_bytes": 90_001, "medium_min_bytes": 20_002, "nsfw": True}


@prefixes
def test_a_start_makes_a_task(studio: Gateway, question: str, prefix: str) -> None:
    """Nothing but the prompt is needed; each task has an id of its own."""
    answers = [post(studio, f"{prefix}/imagine/start", {"prompt": question}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    first, second = [answer.json() for answer in answers]
    assert first.keys() == {"task_id", "aspect_ratio"}
    assert first["aspect_ratio"] == "2:3"
    assert first["task_id"] != second["task_id"]


@pytest.mark.parametrize("body", [{}, {"prompt": ""}, {"prompt": " \n\t"}, {"prompt": None}], ids=str)
def test_a_prompt_is_needed(studio: Gateway, body: dict[str, Any]) -> None:
    """Missing, empty, blank or null: there is nothing to draw."""
    answer = post(studio, START, body)

    assert answer.status_code == 400
    assert error_of(answer) == {
        "message": NO_PROMPT,
        "type": "invalid_request_error",
        "param": "prompt",
        "code": "empty_prompt",
    }


def test_a_prompt_is_a_text(studio: Gateway) -> None:
    """Anything else is a schema error that names the field."""
    answer = post(studio, START, {"prompt": ["a cat"]})

    assert (answer.status_code, error_of(answer)["param"]) == (400, "prompt")


@pytest.mark.parametrize("path", [START, FILM_START])
def test_a_prompt_has_an_end(studio: Gateway, path: str) -> None:
    """Tasks wait in memory, so that nobody may leave a book in one."""
    longest = "a" * MOST_PROMPT_CHARS
    answer = post(studio, path, {"prompt": f"{longest}a"})

    assert post(studio, path, {"prompt": longest}).status_code == 200
    assert answer.status_code == 400
    assert (error_of(answer)["param"], error_of(answer)["code"]) == ("prompt", "string_too_long")


@pytest.mark.parametrize("path", [START, STOP])
def test_a_body_is_json(studio: Gateway, path: str) -> None:
    """As on every route."""
    answer = studio.stranger.post(path, content=b'{"prompt": "a cat",}', headers=KEY)

    assert answer.status_code == 400
    error = error_of(answer)
    assert (error["param"], error["code"]) == ("body", "json_invalid")


@pytest.mark.parametrize(("said", "meant"), RATIOS.items(), ids=RATIOS)
def test_both_spellings_of_an_aspect_ratio_are_known(studio: Gateway, question: str, said: str, meant: str) -> None:
    """A size in pixels stands for its ratio, and the answer names that."""
    answer = post(studio, START, {"prompt": question, "aspect_ratio": said})

    assert answer.raise_for_status().json()["aspect_ratio"] == meant


@pytest.mark.parametrize("said", ["7:5", "1920x1080", "", None, "wide"], ids=repr)
def test_another_aspect_ratio_is_the_default(studio: Gateway, question: str, said: Any) -> None:
    """It is no error: pages have always sent whatever they liked."""
    answer = post(studio, START, {"prompt": question, "aspect_ratio": said})

    assert answer.raise_for_status().json()["aspect_ratio"] == "2:3"


@pytest.mark.parametrize("said", ["maybe", 7, [True], {}], ids=repr)
def test_nsfw_is_a_boolean(studio: Gateway, question: str, said: Any) -> None:
    """What can't be read as one is refused."""
    answer = post(studio, START, {"prompt": question, "nsfw": said})

    assert answer.status_code == 400
    error = error_of(answer)
    assert (error["param"], error["code"]) == ("nsfw", "invalid_nsfw")
    assert error["message"] == "nsfw must be a boolean"


@transports
@pytest.mark.parametrize(
    "case",
    [({}, False), ({"nsfw": None}, False), ({"nsfw": True}, True), ({"nsfw": "Yes"}, True), ({"nsfw": "0"}, False)],
    ids=str,
)
def test_grok_is_asked_for_what_the_task_says(
    studio: Gateway, sandbox: Sandbox, question: str, case: tuple[dict[str, Any], bool], transport: str
) -> None:
    """The prompt, the ratio and whether adult content may be drawn, however the task is watched."""
    said, is_allowed = case
    task_id = begin(studio, question, aspect_ratio="1280x720", **said)
    with watching(studio, transport, task_id) as events:
        finals(events, 1)

    assert properties_of(sandbox, question) == ("16:9", is_allowed)


@transports
def test_the_setting_decides_where_a_task_doesnt_say(
    studio: Gateway, keeper: httpx.Client, sandbox: Sandbox, question: str, transport: str
) -> None:
    """`image.nsfw`."""
    set_up(keeper, image__nsfw=True)
    with watching(studio, transport, begin(studio, question)) as events:
        finals(events, 1)

    assert properties_of(sandbox, question) == ("2:3", True)


@prefixes
def test_a_stop_counts_the_tasks_that_there_were(studio: Gateway, question: str, prefix: str) -> None:
    """Unknown ones don't count, and one that is named twice counts once."""
    first, second = begin(studio, question), begin(studio, question)
    path = f"{prefix}/imagine/stop"

    assert stop(studio, first, "nobody", first, path=path) == 1
    assert stop(studio, first, second, path=path) == 1
    assert stop(studio, path=path) == 0


@pytest.mark.parametrize("body", [{"task_ids": "one"}, {"task_ids": {}}, {"task_ids": 5}], ids=str)
def test_tasks_are_named_in_an_array(studio: Gateway, body: dict[str, Any]) -> None:
    """Anything else is a schema error that names the field."""
    answer = post(studio, STOP, body)

    assert (answer.status_code, error_of(answer)["param"]) == (400, "task_ids")


@transports
@pytest.mark.parametrize("word", ["", " @ws-silent"], ids=["while drawing", "while waiting"])
def test_a_stop_ends_the_runs_of_the_task(
    studio: Gateway, sandbox: Sandbox, question: str, word: str, transport: str
) -> None:
    """`stopped` is the last event, within a second; then the task is gone, and Grok isn't asked any more."""
    open_before = sandbox.state()["open_sockets"]
    task_id = begin(studio, f"{question}{word}")
    with watching(studio, transport, task_id) as events:
        running = next(events)
        if word:
            eventually(lambda: drawn(sandbox, question))
        else:
            finals(events, 1)
        assert stop(studio, task_id) == 1
        stopped_at, stopped_at_s = time.time(), time.monotonic()
        *_, last = events
        waited_s = time.monotonic() - stopped_at_s

    assert last == {"type": "status", "status": "stopped", "run_id": running["run_id"]}
    assert waited_s < LIMIT_S
    assert_over(sandbox, question, open_before, stopped_at)
    gone = studio.stranger.get(SSE, params={"task_id": task_id})
    assert (gone.status_code, error_of(gone)["message"]) == (404, TASK_NOT_FOUND)


def test_a_stop_closes_the_socket(studio: Gateway, question: str) -> None:
    """With 1000, as a work that is done."""
    task_id = begin(studio, question)
    with connected(studio, WS, {"task_id": task_id}) as socket:
        socket.say(type="start")
        finals(socket, 1)
        stop(studio, task_id)
        assert is_status(list(socket)[-1], "stopped")

        assert socket.close_code == 1000


def test_a_stop_ends_every_run_of_the_task_and_no_other(studio: Gateway, question: str) -> None:
    """Two who watch the same task, and one who watches another."""
    task_id, other = begin(studio, question), begin(studio, f"{question} Or what else?")
    with ExitStack() as stack:
        watched = [stack.enter_context(listening(studio, {"task_id": name})) for name in (task_id, task_id, other)]
        for events in watched:
            finals(events, 1)
        assert stop(studio, task_id) == 1

        for events in watched[:2]:
            assert is_status(list(events)[-1], "stopped")
        finals(watched[2], 12)
