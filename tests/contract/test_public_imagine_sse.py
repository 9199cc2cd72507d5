"""Pictures as server-sent events. Source: API contract, sections 2, 6 and 9."""

from contextlib import ExitStack
from typing import Any

import pytest

from tests.conftest import API_KEY, PUBLIC_KEY
from tests.contract.admin import bearer
from tests.contract.pictures import NO_PROMPT, drawn, prompts_of
from tests.contract.public import KEY, PREFIXES, SSE, TASK_NOT_FOUND, begin, listening
from tests.contract.runs import check_picture, check_running, finals, is_status
from tests.contract.wire import error_of
from tests.servers import Gateway, Sandbox

BY_QUERY = {"public_key": PUBLIC_KEY}


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_task_is_watched_without_a_key(studio: Gateway, question: str, prefix: str) -> None:
    """Its id is enough: first it runs, then there are pictures, one event each and none with a name."""
    task_id = begin(studio, question, aspect_ratio="3:2")
    with listening(studio, {"task_id": task_id}, path=f"{prefix}/imagine/sse") as events:
        running, *pictures = finals(events, 2)

    run_id = check_running(running, question, "3:2")
    for event in pictures:
        check_picture(event, run_id, "3:2")


def test_a_run_is_announced_at_once(studio: Gateway, question: str) -> None:
    """Though Grok hasn't said a word yet."""
    prompt = f"{question} @ws-silent"
    with listening(studio, {"task_id": begin(studio, prompt)}) as events:
        check_running(next(events), prompt, "2:3")


@pytest.mark.parametrize(
    ("query", "headers"), [({}, KEY), (BY_QUERY, {}), (BY_QUERY, KEY)], ids=["bearer", "query", "both"]
)
def test_a_prompt_may_stand_in_the_query(
    studio: Gateway, sandbox: Sandbox, question: str, query: dict[str, str], headers: dict[str, str]
) -> None:
    """With the visitors' key there need be no task: prompt, ratio and adult content are asked for as they are named."""
    asked = {"prompt": question, "aspect_ratio": "1024x1024", "nsfw": "true"}
    with listening(studio, {**asked, **query}, headers) as events:
        running, *_ = finals(events, 1)

    check_running(running, question, "1:1")
    part = prompts_of(drawn(sandbox, question)[0])[0]
    assert (part["text"], part["properties"]["aspect_ratio"]) == (question, "1:1")
    assert part["properties"]["enable_nsfw"] is True


def test_a_prompt_of_the_query_has_the_same_defaults(studio: Gateway, sandbox: Sandbox, question: str) -> None:
    """As a task that says no more; an unknown ratio is none."""
    with listening(studio, {"prompt": question, "aspect_ratio": "7:5"}, KEY) as events:
        running, *_ = finals(events, 1)

    check_running(running, question, "2:3")
    assert prompts_of(drawn(sandbox, question)[0])[0]["properties"]["enable_nsfw"] is False


@pytest.mark.parametrize("query", [{}, {"prompt": ""}, {"prompt": "  "}, {"task_id": ""}], ids=str)
def test_without_a_task_a_prompt_is_needed(studio: Gateway, query: dict[str, str]) -> None:
    """There is nothing to draw."""
    answer = studio.stranger.get(SSE, params=query, headers=KEY)

    assert answer.status_code == 400
    error = error_of(answer)
    assert (error["param"], error["code"], error["message"]) == ("prompt", "empty_prompt", NO_PROMPT)


def test_nsfw_of_the_query_is_a_boolean(studio: Gateway, question: str) -> None:
    """As in a task."""
    answer = studio.stranger.get(SSE, params={"prompt": question, "nsfw": "maybe"}, headers=KEY)

    assert answer.status_code == 400
    error = error_of(answer)
    assert (error["param"], error["code"], error["message"]) == ("nsfw", "invalid_nsfw", "nsfw must be a boolean")


@pytest.mark.parametrize("headers", [{}, KEY], ids=["no key", "key"])
def test_an_unknown_task_is_not_found(studio: Gateway, headers: dict[str, str]) -> None:
    """An HTTP status, so that an EventSource gives up."""
    answer = studio.stranger.get(SSE, params={"task_id": "nobody"}, headers=headers)

    assert answer.status_code == 404
    error = error_of(answer)
    assert (error["type"], error["message"]) == ("not_found_error", TASK_NOT_FOUND)


@pytest.mark.parametrize(
    ("query", "headers", "message"),
    [
        ({}, {}, "Missing authentication token"),
        ({"public_key": ""}, {}, "Missing authentication token"),
        ({"public_key": "wrong"}, {}, "Invalid authentication token"),
        ({}, bearer("wrong"), "Invalid authentication token"),
        ({}, bearer(API_KEY), "Invalid authentication token"),
        ({"app_key": PUBLIC_KEY}, {}, "Missing authentication token"),
    ],
    ids=["none", "empty", "wrong in query", "wrong bearer", "another surface's", "another parameter"],
)
def test_a_prompt_needs_the_key(
    studio: Gateway, question: str, query: dict[str, str], headers: dict[str, str], message: str
) -> None:
    """Without the right one there is a 401 that says what is wrong."""
    answer = studio.stranger.get(SSE, params={"prompt": question, **query}, headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    error = error_of(answer)
    assert (error["code"], error["message"]) == ("invalid_api_key", message)


def test_a_task_can_be_watched_again(studio: Gateway, question: str) -> None:
    """An EventSource that lost its connection comes back by itself: the same task, a new run."""
    task_id = begin(studio, question)
    runs = []
    for _ in range(2):
        with listening(studio, {"task_id": task_id}) as events:
            running, *_ = finals(events, 1)
        runs.append(check_running(running, question, "2:3"))

    assert len(set(runs)) == 2


def test_a_task_can_be_watched_by_several(studio: Gateway, question: str) -> None:
    """Each has a run of its own."""
    task_id = begin(studio, question)
    with ExitStack() as stack:
        watched = [stack.enter_context(listening(studio, {"task_id": task_id})) for _ in range(3)]
        seen: list[list[Any]] = [finals(events, 1) for events in watched]

    assert len({check_running(events[0], question, "2:3") for events in seen}) == 3
    assert len({events[-1]["image_id"] for events in seen}) == 3


def test_a_run_has_one_id(studio: Gateway, question: str) -> None:
    """From its first event to its last."""
    with listening(studio, {"task_id": begin(studio, question)}) as events:
        seen = finals(events, 7)

    assert len({event["run_id"] for event in seen}) == 1
    assert [event for event in seen[1:] if is_status(event, "running")] == []


def test_a_line_end_in_a_prompt_does_no_harm(studio: Gateway, question: str) -> None:
    """Whatever Unicode takes for one: an event is one line of JSON."""
    prompt = f"{question}\r\nSecond\u2028third\x85fourth\nevent: fake"
    with listening(studio, {"task_id": begin(studio, prompt)}) as events:
        check_running(next(events), prompt, "2:3")
