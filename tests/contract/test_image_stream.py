"""Pictures as they become better. Source: API contract, sections 3 and 6; protocol notes, sections 4.1 and 11.8."""

import asyncio
import time
from typing import Any

import httpx
import openai
import pytest

from tests.contract.pictures import (
    COMPLETED,
    DRAW,
    GENERATIONS,
    PARTIAL,
    STAGES,
    Event,
    check_usage,
    content_of,
    draw,
    drawn,
    failure_of,
    image_events,
    opened,
    ratio,
    shape_of,
    staff,
)
from tests.servers import Gateway, Sandbox, eventually

FIELDS = {"type", "index", "created_at", "size", "image_id", "stage"}
"""What every event has, beside the picture."""
AFTER_PREVIEWS = {
    "moderated": ("permission_error", "content_policy_violation"),
    "ws-close": ("server_error", "upstream_error"),
    "blocked": ("server_error", "blocked"),
}
"""What may happen once something was shown."""
LIMIT_S = 3.0
"""A second is promised; the rest is for a busy machine. Nobody would end it for minutes otherwise."""

both_forms = pytest.mark.parametrize("form", ["url", "b64_json"])


def by_picture(events: list[Event]) -> dict[int, list[Event]]:
    """The events of each picture, in order."""
    found: dict[int, list[Event]] = {}
    for event in events:
        found.setdefault(event["index"], []).append(event)
    return found


@both_forms
@pytest.mark.parametrize("n", [1, 2])
def test_a_picture_is_shown_in_stages(gateway: Gateway, question: str, n: int, form: str) -> None:
    """Preview, medium and final of each picture, under one id; a stage comes once, and never after a better one."""
    events = image_events(draw(gateway, question, n=n, stream=True, response_format=form, size="1280x720"))

    for event in events:
        assert event.keys() >= FIELDS | {form}
        assert (event["size"], isinstance(event["created_at"], int)) == ("1280x720", True)
    pictures = by_picture(events)
    assert sorted(pictures) == list(range(n))
    assert len({event["image_id"] for event in events}) == n
    for stages in pictures.values():
        assert [event["stage"] for event in stages] == STAGES
        assert [event["type"] for event in stages] == [PARTIAL, PARTIAL, COMPLETED]
        assert len({event["image_id"] for event in stages}) == 1


def test_partial_pictures_are_numbered(gateway: Gateway, question: str) -> None:
    """`partial_image_index` begins with 0 and grows from stage to stage, for each picture."""
    events = image_events(draw(gateway, question, n=2, stream=True))

    for stages in by_picture(events).values():
        assert [event["partial_image_index"] for event in stages if event["type"] == PARTIAL] == [0, 1]


def test_only_what_is_completed_carries_usage(gateway: Gateway, question: str) -> None:
    """The counts come with each finished picture, in the shape of whole answers."""
    for event in image_events(draw(gateway, question, n=2, stream=True)):
        assert ("usage" in event) == (event["type"] == COMPLETED)
        if "usage" in event:
            check_usage(event["usage"])


@both_forms
def test_every_stage_is_a_picture(gateway: Gateway, question: str, form: str) -> None:
    """Whether by link or as base64: each opens, in the shape asked for, and the final one is the largest."""
    events = image_events(draw(gateway, question, stream=True, response_format=form, size="3:2"))

    contents = [content_of(gateway, event) for event in events]
    assert [opened(content).format for content in contents] == ["PNG", "PNG", "JPEG"]
    assert [shape_of(content) for content in contents] == pytest.approx([ratio("3:2")] * 3, rel=0.05)
    assert sorted(contents, key=len) == contents


@pytest.mark.parametrize("word", [True, "true", "1", "Yes"], ids=repr)
def test_words_for_yes_stream(gateway: Gateway, question: str, word: Any) -> None:
    """`stream` is a boolean like any other."""
    assert image_events(draw(gateway, question, stream=word))[-1]["type"] == COMPLETED


def test_the_other_prefix_streams_too(gateway: Gateway, question: str) -> None:
    """`/grok/v1` is the same."""
    body = {"model": DRAW, "prompt": question, "stream": True}
    answer = gateway.http.post(f"/grok{GENERATIONS}", json=body)

    assert image_events(answer)[-1]["type"] == COMPLETED


def test_a_stream_is_not_buffered_by_anyone(gateway: Gateway, question: str) -> None:
    """The headers forbid caches and proxies to hold the stream back."""
    headers = draw(gateway, question, stream=True).headers

    assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-cache", "no")


def test_a_stage_leaves_at_once(gateway: Gateway, question: str) -> None:
    """Preview and medium are there while Grok is still to finish: here it never does, and ten seconds are its due."""
    body = {"model": DRAW, "prompt": f"{question} @blocked", "stream": True}
    began = time.monotonic()
    with gateway.http.stream("POST", GENERATIONS, json=body) as answer:
        names = (line for line in answer.iter_lines() if line.startswith("event: "))
        seen = [next(names), next(names)]

    assert seen == [f"event: {PARTIAL}"] * 2
    assert time.monotonic() - began < 5


def test_messages_that_nobody_knows_do_no_harm(gateway: Gateway, question: str) -> None:
    """What Grok may say one day between the pictures leaves them as they are."""
    events = image_events(draw(gateway, f"{question} @ws-unknown", stream=True))

    assert [event["stage"] for event in events] == STAGES


@pytest.mark.parametrize(("word", "expected"), AFTER_PREVIEWS.items(), ids=AFTER_PREVIEWS)
def test_a_stream_that_breaks_ends_with_the_error(
    hasty: Gateway, sandbox: Sandbox, question: str, word: str, expected: tuple[str, str]
) -> None:
    """Once something was shown nothing is tried again: an `error` event with the error object is the last."""
    staff(hasty, *[""] * 4)
    error = failure_of(image_events(draw(hasty, f"{question} @{word}", stream=True)))

    assert (error["type"], error["code"]) == expected
    assert len(drawn(sandbox, question)) == 1


def test_the_official_client_shows_the_stages(client: openai.OpenAI, question: str) -> None:
    """`client.images.generate(stream=True)` gives the events under OpenAI's names."""
    with client.images.generate(
        model=DRAW, prompt=question, stream=True, partial_images=2, response_format="b64_json"
    ) as stream:
        events = list(stream)

    assert [event.type for event in events] == [PARTIAL, PARTIAL, COMPLETED]
    assert all(event.b64_json and event.created_at for event in events)


def test_the_official_client_raises_what_ended_the_stream(client: openai.OpenAI, question: str) -> None:
    """A program sees the code of the error that came within the stream."""
    with (
        client.images.generate(model=DRAW, prompt=f"{question} @moderated", stream=True) as stream,
        pytest.raises(openai.APIError) as caught,
    ):
        for _ in stream:
            pass

    assert caught.value.code == "content_policy_violation"


@pytest.mark.parametrize(
    ("word", "stream"),
    [("ws-silent", True), ("ws-silent", False), ("blocked", True), ("blocked", False)],
    ids=["silent, stream", "silent, whole", "blocked, stream", "blocked, whole"],
)
async def test_leaving_closes_the_socket(
    http: httpx.AsyncClient, sandbox: Sandbox, question: str, word: str, stream: bool
) -> None:
    """Whoever leaves, before the first picture or after, stops the drawing within a second."""
    body = {"model": DRAW, "prompt": f"{question} @{word}", "stream": stream}
    asking = asyncio.create_task(http.post(GENERATIONS, json=body))
    await asyncio.to_thread(eventually, lambda: drawn(sandbox, question))
    asking.cancel()
    left_at = time.time()
    await asyncio.gather(asking, return_exceptions=True)

    await asyncio.to_thread(eventually, lambda: all(entry["ended_ms"] for entry in drawn(sandbox, question)))
    [entry] = drawn(sandbox, question)
    assert entry["ended_ms"] / 1000 - left_at < LIMIT_S
