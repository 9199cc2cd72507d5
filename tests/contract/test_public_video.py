"""Videos of the studio: what may be asked for, and how they come. Source: API contract, sections 5.3, 7 and 9."""

import os
import time
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from grok_app.sandbox.media.videos import STALLED_AT, clip
from tests.contract.film import ENGLISH, MODEL, STEPS, Player
from tests.contract.media import CHATS, POST, UPLOAD, Calls, data_uri, picture
from tests.contract.pictures import draw, file_of, pictures_of, staff
from tests.contract.public import (
    FILM,
    FILM_START,
    FILM_STOP,
    LIMIT_S,
    NO_ACCOUNT,
    PREFIXES,
    TASK_NOT_FOUND,
    begin_film,
    film_of,
    filming,
    post,
    stop,
)
from tests.contract.test_disconnect import assert_cancelled
from tests.contract.test_video_request import LENGTHS, PRESETS, RATIOS, RESOLUTIONS, config_of
from tests.contract.wire import DONE, error_of, streamed
from tests.servers import Gateway, Sandbox, eventually

prefixes = pytest.mark.parametrize("prefix", PREFIXES)
CONFIGS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "defaults": ({}, {}),
    "nulls": (dict.fromkeys(("aspect_ratio", "video_length", "resolution_name", "preset", "image_url")), {}),
    "all": (
        {"aspect_ratio": "720x1280", "video_length": "10", "resolution_name": "720p", "preset": "fun"},
        {"aspectRatio": "9:16", "videoLength": 10, "resolutionName": "720p", "mode": "extremely-crazy"},
    ),
    "spicy": ({"preset": "spicy"}, {"mode": "extremely-spicy-or-crazy"}),
    "custom": ({"preset": "custom", "video_length": 15}, {"mode": "custom", "videoLength": 15}),
}
DEFAULTS = {"aspectRatio": "3:2", "videoLength": 6, "resolutionName": "480p", "mode": "normal"}
EFFORTS = "reasoning_effort must be one of ['high', 'low', 'medium', 'minimal', 'none', 'xhigh']"
WRONG: dict[str, tuple[str, Any, str, str]] = {
    "ratio unknown": ("aspect_ratio", "4:3", "invalid_aspect_ratio", RATIOS),
    "ratio number": ("aspect_ratio", 1.5, "invalid_aspect_ratio", RATIOS),
    "length unknown": ("video_length", 7, "invalid_video_length", LENGTHS),
    "length word": ("video_length", "six", "invalid_video_length", LENGTHS),
    "resolution unknown": ("resolution_name", "1080p", "invalid_resolution", RESOLUTIONS),
    "preset unknown": ("preset", "wild", "invalid_preset", PRESETS),
    "effort unknown": ("reasoning_effort", "huge", "invalid_reasoning_effort", EFFORTS),
    "effort number": ("reasoning_effort", 3, "invalid_reasoning_effort", EFFORTS),
    **{f"prompt {value!r}": ("prompt", value, "empty_prompt", "Prompt cannot be empty") for value in ("", " \n", None)},
}
BAD_PICTURES = {
    "words": "a picture of a cat",
    "another scheme": "ftp://example.com/a.png",
    "bare base64": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ",
    "no base64": "data:image/png;base64,%%%",
    "no picture": data_uri(b"hello", "text/plain"),
    "an empty file": "data:image/png;base64,",
}
FAILURES = {
    "500": "upstream_error",
    "403-moderated": "content_policy_violation",
    "moderated": "content_policy_violation",
    "no-video": "upstream_error",
    "cut": "upstream_error",
}
"""The code of what the stream then says."""


def player_of(chunks: list[Any]) -> Player:
    """The player at the end of a video's text."""
    return Player(streamed(chunks, "content").rpartition("</think>")[2])


def large_picture() -> bytes:
    """A picture of more than 5 MB."""
    target = BytesIO()
    Image.frombytes("RGB", (1400, 1300), os.urandom(1400 * 1300 * 3)).save(target, "PNG", compress_level=0)
    return target.getvalue()


@prefixes
def test_a_start_makes_a_task(studio: Gateway, question: str, prefix: str) -> None:
    """Nothing but the prompt is needed; the answer names the ratio, whichever way it was spelled."""
    path = f"{prefix}/video/start"
    usual = post(studio, path, {"prompt": question}).raise_for_status().json()
    wide = post(studio, path, {"prompt": question, "aspect_ratio": "1280x720"}).raise_for_status().json()

    assert usual.keys() == {"task_id", "aspect_ratio"}
    assert (usual["aspect_ratio"], wide["aspect_ratio"]) == ("3:2", "16:9")
    assert usual["task_id"] != wide["task_id"]


@pytest.mark.parametrize("row", WRONG.values(), ids=WRONG)
def test_a_wrong_field_is_named(studio: Gateway, calls: Calls, question: str, row: tuple[str, Any, str, str]) -> None:
    """Codes and sentences are those of a chat, letter by letter; the param is the bare name. Grok isn't asked."""
    field, value, code, message = row
    answer = post(studio, FILM_START, {"prompt": question, field: value})

    assert answer.status_code == 400
    assert error_of(answer) == {
        "message": message,
        "type": "invalid_request_error",
        "param": field,
        "code": code,
    }
    assert calls(POST) == []


@pytest.mark.parametrize("value", BAD_PICTURES.values(), ids=BAD_PICTURES)
def test_a_wrong_picture_is_refused_at_the_start(studio: Gateway, calls: Calls, question: str, value: str) -> None:
    """An EventSource couldn't say what is wrong."""
    answer = post(studio, FILM_START, {"prompt": question, "image_url": value})

    assert answer.status_code == 400
    error = error_of(answer)
    assert (error["param"], error["code"]) == ("image_url", "invalid_media")
    assert calls(UPLOAD) == []


@pytest.mark.parametrize(("fields", "changes"), CONFIGS.values(), ids=CONFIGS)
def test_grok_is_asked_for_what_the_task_says(
    studio: Gateway, sandbox: Sandbox, question: str, fields: dict[str, Any], changes: dict[str, Any]
) -> None:
    """Each field in Grok's spelling, and the studio's own defaults."""
    film_of(studio, begin_film(studio, question, **fields))

    [asked] = sandbox.asked(question)
    expected = DEFAULTS | changes
    assert asked["body"]["message"] == f"{question} --mode={expected.pop('mode')}"
    assert config_of(asked) == expected


@prefixes
def test_a_video_comes_as_a_chat(studio: Gateway, question: str, prefix: str) -> None:
    """Without a key: the chunks of the video model with progress as thinking, then the player, then `[DONE]`."""
    started = post(studio, f"{prefix}/video/start", {"prompt": question}).raise_for_status().json()
    answer = studio.stranger.get(f"{prefix}/video/sse", params={"task_id": started["task_id"]})

    assert answer.status_code == 200
    assert answer.text.endswith(f"data: {DONE}\n\n")
    chunks, told = film_of(studio, begin_film(studio, question))
    first, *_, last = chunks
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert last["choices"][0]["finish_reason"] == "stop"
    assert {(chunk["id"], chunk["object"], chunk["model"]) for chunk in chunks} == {
        (first["id"], "chat.completion.chunk", MODEL)
    }
    thinking = streamed(chunks, "content").removeprefix("<think>\n").partition("\n</think>\n")[0]
    assert thinking.splitlines() == ENGLISH
    assert studio.stranger.get(player_of(chunks).video).content == clip()
    assert told == sorted(set(told))
    assert set(told) <= set(STEPS)
    assert told[-1] == 100


def test_progress_has_numbers_of_its_own_when_thinking_is_hidden(studio: Gateway, question: str) -> None:
    """`reasoning_effort: none` hides the lines, and the named events come all the same."""
    chunks, told = film_of(studio, begin_film(studio, question, reasoning_effort="none"))

    content = streamed(chunks, "content")
    assert "%" not in content
    assert content.startswith("<video")
    assert told == sorted(set(told))
    assert (len(told) > 2, told[-1]) == (True, 100)


def test_progress_comes_as_it_is_made(studio: Gateway, question: str) -> None:
    """A number leaves at once: here the video never comes."""
    with filming(studio, begin_film(studio, f"{question} @video-stall", reasoning_effort="none")) as events:
        seen = next(data for name, data in events if name == "progress" and data["progress"] == STALLED_AT)

    assert seen == {"progress": STALLED_AT}


@pytest.mark.parametrize("size", ["small", "large"])
def test_a_picture_becomes_the_video(studio: Gateway, sandbox: Sandbox, calls: Calls, question: str, size: str) -> None:
    """A data URI in the start, as large as pictures are: it is uploaded, and the post shows it."""
    content = picture(size=(300, 200)) if size == "small" else large_picture()
    film_of(studio, begin_film(studio, question, image_url=data_uri(content)))

    [uploaded] = calls(UPLOAD)
    assert uploaded["body_bytes"] > len(content) * 4 / 3
    [made] = calls(POST)
    assert made["body"].keys() == {"mediaType", "mediaUrl"}
    assert made["body"]["mediaType"] == "MEDIA_POST_TYPE_IMAGE"
    [asked] = sandbox.asked(question)
    assert uploaded["account"] == made["account"] == asked["account"]


def test_a_picture_of_ours_becomes_the_video(studio: Gateway, calls: Calls, question: str) -> None:
    """The address of a file that was drawn here, as a page has it."""
    [drawn] = pictures_of(draw(studio, question, response_format="url"))
    content = file_of(studio, drawn["url"]).content
    chunks, _ = film_of(studio, begin_film(studio, question, image_url=drawn["url"]))

    assert player_of(chunks).video
    [uploaded] = calls(UPLOAD)
    assert uploaded["body_bytes"] > len(content) * 4 / 3


@pytest.mark.parametrize(("word", "code"), FAILURES.items(), ids=FAILURES)
def test_a_failure_is_told_within_the_stream(studio: Gateway, question: str, word: str, code: str) -> None:
    """Never by a status, which an EventSource can't read: the error object, then `[DONE]`."""
    with filming(studio, begin_film(studio, f"{question} @{word}")) as events:
        *_, failed, last = events

    assert last == ("message", DONE)
    assert failed[0] == "message"
    assert failed[1].keys() == {"error"}
    assert failed[1]["error"]["code"] == code
    assert failed[1]["error"]["message"]


def test_without_an_account_the_stream_says_so(hasty: Gateway, question: str) -> None:
    """It is no HTTP error either."""
    staff(hasty)
    with filming(hasty, begin_film(hasty, question)) as events:
        *_, (name, data), last = events

    assert (name, last) == ("message", ("message", DONE))
    assert (data["error"]["message"], data["error"]["code"]) == (NO_ACCOUNT["message"], NO_ACCOUNT["code"])


def test_a_task_is_used_once(studio: Gateway, calls: Calls, question: str) -> None:
    """Also while its video is made: an EventSource that comes back is told to give up, and pays nothing."""
    task_id = begin_film(studio, f"{question} @video-stall")
    with filming(studio, task_id) as events:
        next(events)
        again = studio.stranger.get(FILM, params={"task_id": task_id})
    later = studio.stranger.get(FILM, params={"task_id": task_id})

    for answer in (again, later):
        assert (answer.status_code, error_of(answer)["message"]) == (404, TASK_NOT_FOUND)
    assert len(calls(CHATS)) <= 1


def test_asking_for_the_head_alone_uses_no_task(studio: Gateway, calls: Calls, question: str) -> None:
    """Its video is still to be made."""
    task_id = begin_film(studio, question)
    assert studio.stranger.head(FILM, params={"task_id": task_id}).status_code == 200
    assert not calls(CHATS)
    film_of(studio, task_id)


@pytest.mark.parametrize("query", [{"task_id": "nobody"}, {"task_id": ""}, {}], ids=str)
def test_an_unknown_task_is_not_found(studio: Gateway, query: dict[str, str]) -> None:
    """An HTTP status, so that an EventSource gives up; whoever names no task is told that it is missing."""
    answer = studio.stranger.get(FILM, params=query)

    assert answer.status_code in ({404} if query.get("task_id") else {400, 404})
    assert error_of(answer)["message"]


@pytest.mark.parametrize("word", ["video-stall", "hang"])
@prefixes
def test_a_stop_ends_the_stream(studio: Gateway, sandbox: Sandbox, question: str, word: str, prefix: str) -> None:
    """With `[DONE]`, within a second, and Grok's request is gone."""
    task_id = begin_film(studio, f"{question} @{word}")
    with filming(studio, task_id) as events:
        eventually(lambda: sandbox.asked(question))
        assert stop(studio, task_id, "nobody", path=f"{prefix}/video/stop") == 1
        stopped_at, stopped_at_s = time.time(), time.monotonic()
        *_, last = events
        waited_s = time.monotonic() - stopped_at_s

    assert last == ("message", DONE)
    assert waited_s < LIMIT_S
    asked = eventually(lambda: next((entry for entry in sandbox.asked(question) if entry["ended_ms"]), None))
    assert (asked["state"], asked["ended_ms"] / 1000 - stopped_at < LIMIT_S) == ("cancelled", True)


def test_a_stopped_task_makes_no_video(studio: Gateway, calls: Calls, question: str) -> None:
    """Before anybody watched it."""
    task_id = begin_film(studio, question)

    assert stop(studio, task_id, path=FILM_STOP) == 1
    assert stop(studio, task_id, path=FILM_STOP) == 0
    assert studio.stranger.get(FILM, params={"task_id": task_id}).status_code == 404
    assert calls(POST) == []


async def test_leaving_cancels_the_video(studio: Gateway, sandbox: Sandbox, question: str) -> None:
    """Whoever closes the page stops Grok's work within a second."""
    with filming(studio, begin_film(studio, f"{question} @video-stall")):
        eventually(lambda: sandbox.asked(question))

    await assert_cancelled(sandbox, question, time.time())
