"""Image models through `POST /v1/chat/completions`. Source: API contract, sections 5.1, 5.3 and 6."""

from typing import Any

import httpx
import pytest

from tests.contract.pictures import (
    BAD_FORM,
    BAD_N,
    BAD_SIZE,
    BAD_STREAM_N,
    COMPLETED,
    DRAW,
    EDIT,
    FORMS,
    NO_PROMPT,
    PARTIAL,
    RATIOS,
    STAGES,
    UPLOAD,
    Watch,
    check_usage,
    content_of,
    data_uri,
    draw,
    drawn,
    failure_of,
    file_of,
    image_events,
    opened,
    picture,
    pictures_of,
    prompts_of,
    ratio,
    shape_of,
    sources_of,
    staff,
)
from tests.contract.test_failures import FAILED, LIMITED, REFUSED
from tests.contract.wire import CHAT, ask, error_of
from tests.servers import Gateway, Sandbox

RED, BLUE = picture("red"), picture("blue")
NO_IMAGE = "image_url is required for image edits"
ROWS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "n zero": ({"image_config": {"n": 0}}, "image_config.n", "invalid_n", BAD_N),
    "n eleven": ({"image_config": {"n": 11}}, "image_config.n", "invalid_n", BAD_N),
    "n eleven as text": ({"image_config": {"n": "11"}}, "image_config.n", "invalid_n", BAD_N),
    "size unknown": ({"image_config": {"size": "512x512"}}, "image_config.size", "invalid_size", BAD_SIZE),
    "size of no ratio": ({"image_config": {"size": "4:3"}}, "image_config.size", "invalid_size", BAD_SIZE),
    "form unknown": (
        {"image_config": {"response_format": "png"}},
        "image_config.response_format",
        "invalid_response_format",
        BAD_FORM,
    ),
    "stream of three": ({"image_config": {"n": 3}, "stream": True}, "stream", "invalid_stream_n", BAD_STREAM_N),
}
FAILURES = {"ws-429": LIMITED, "ws-error": FAILED, "moderated": REFUSED}


def say(role: str, *blocks: Any) -> dict[str, Any]:
    """A message of texts and pictures."""
    return {"role": role, "content": [_block(block) for block in blocks]}


def _block(value: str | bytes) -> dict[str, Any]:
    if isinstance(value, bytes):
        return {"type": "image_url", "image_url": {"url": data_uri(value)}}
    return {"type": "text", "text": value}


def paint(gateway: Gateway, content: Any, **fields: Any) -> httpx.Response:
    """Ask for pictures in a chat, not streamed if nothing else is said."""
    return ask(gateway, content, **{"model": DRAW, "stream": False, **fields})


def change(gateway: Gateway, *messages: dict[str, Any], **fields: Any) -> httpx.Response:
    """Have the pictures of a conversation changed, not streamed if nothing else is said."""
    return ask(gateway, "", **{"model": EDIT, "messages": list(messages), "stream": False, **fields})


@pytest.mark.parametrize("prefix", ["", "/grok"], ids=["/v1", "/grok/v1"])
def test_a_chat_with_the_image_model_answers_with_a_picture(gateway: Gateway, question: str, prefix: str) -> None:
    """In the shape of the images route, not of a chat."""
    body = {"model": DRAW, "stream": False, "messages": [{"role": "user", "content": question}]}

    [item] = pictures_of(gateway.http.post(f"{prefix}{CHAT}", json=body))
    file = file_of(gateway, item["url"])
    assert file.headers["content-type"] == "image/jpeg"
    assert opened(file.content).format == "JPEG"


def test_image_config_says_what_is_drawn(gateway: Gateway, question: str) -> None:
    """How many, of which shape, in which form."""
    config = {"n": "4", "size": "1280x720", "response_format": "b64_json"}
    items = pictures_of(paint(gateway, question, image_config=config))

    contents = {content_of(gateway, item) for item in items}
    assert len(contents) == 4
    assert {shape_of(content) for content in contents} == {ratio("16:9")}
    assert all(item.keys() == {"b64_json"} for item in items)


@pytest.mark.parametrize(("form", "field"), FORMS.items())
def test_a_picture_comes_in_each_form(gateway: Gateway, question: str, form: str, field: str) -> None:
    """As a link or as base64."""
    [item] = pictures_of(paint(gateway, question, image_config={"response_format": form}))

    assert item.keys() == {field}


@pytest.mark.parametrize(("size", "aspect"), RATIOS.items())
def test_every_size_is_understood(gateway: Gateway, sandbox: Sandbox, question: str, size: str, aspect: str) -> None:
    """Pixels and ratios."""
    paint(gateway, question, image_config={"size": size}).raise_for_status()

    [[prompt]] = map(prompts_of, drawn(sandbox, question))
    assert prompt["properties"]["aspect_ratio"] == aspect


def test_the_operator_decides_what_is_not_said(hasty: Gateway, question: str) -> None:
    """`app.image_format` and `app.stream` are in force here too."""
    staff(hasty, "")
    body = {"model": DRAW, "messages": [{"role": "user", "content": question}]}

    [item] = pictures_of(hasty.http.post(CHAT, json=body))
    assert item.keys() == {"b64_json"}


@pytest.mark.parametrize("model", [DRAW, EDIT])
def test_without_a_word_no_more_than_two_stream(gateway: Gateway, question: str, model: str) -> None:
    """Where the setting says to stream, it is the same as if the caller had said so."""
    body = {"model": model, "messages": [say("user", question, RED)], "image_config": {"n": 3}}
    answer = gateway.http.post(CHAT, json=body)

    error = error_of(answer)
    assert answer.status_code == 400
    assert (error["param"], error["code"], error["message"]) == ("stream", "invalid_stream_n", BAD_STREAM_N)


def test_without_a_word_pictures_stream(gateway: Gateway, question: str) -> None:
    """The default of `app.stream` is yes, for image models as for others."""
    body = {"model": DRAW, "messages": [{"role": "user", "content": question}]}

    assert image_events(gateway.http.post(CHAT, json=body))[-1]["type"] == COMPLETED


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "user", "content": "{q}"}],
        [{"role": "user", "content": "A cat"}, {"role": "user", "content": "{q}"}],
        [{"role": "system", "content": "Be bold"}, {"role": "user", "content": "A cat"}, say("assistant", "{q}")],
        [say("user", "A cat", "{q}")],
        [say("user", "{q}", RED)],
        [say("user", "A cat"), say("user", "{q}"), say("user", RED)],
    ],
    ids=["one", "the last message", "of any role", "the last block", "before a picture", "messages without text"],
)
def test_the_last_text_is_the_prompt(
    gateway: Gateway, sandbox: Sandbox, question: str, messages: list[dict[str, Any]]
) -> None:
    """Of all that was said, by whomever, the last text is drawn, alone and as it is."""
    paint(gateway, "", messages=_filled(messages, question)).raise_for_status()

    [[prompt]] = map(prompts_of, drawn(sandbox, question))
    assert prompt["text"] == question


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("model", [DRAW, EDIT])
def test_a_wrong_field_is_named(
    gateway: Gateway, watch: Watch, model: str, row: tuple[dict[str, Any], str, str, str]
) -> None:
    """Each rule of the contract answers 400 with its path, its code and its sentence, and Grok isn't asked."""
    fields, param, code, message = row
    answer = change(gateway, say("user", "A hat", RED), **{"model": model, **fields})

    assert answer.status_code == 400
    assert error_of(answer) == {
        "message": message,
        "type": "invalid_request_error",
        "param": param,
        "code": code,
    }
    assert watch.calls(UPLOAD) == []


@pytest.mark.parametrize("model", [DRAW, EDIT])
def test_a_conversation_without_text_is_refused(gateway: Gateway, model: str) -> None:
    """A picture alone says nothing of what to draw."""
    answer = change(gateway, say("user", RED), model=model)

    assert answer.status_code == 400
    assert error_of(answer) == {
        "message": NO_PROMPT,
        "type": "invalid_request_error",
        "param": "messages",
        "code": "empty_prompt",
    }


def test_an_edit_without_a_picture_is_refused(gateway: Gateway) -> None:
    """There is nothing to change."""
    answer = change(gateway, say("user", "A hat"))

    assert answer.status_code == 400
    assert error_of(answer) == {
        "message": NO_IMAGE,
        "type": "invalid_request_error",
        "param": "messages",
        "code": "missing_image",
    }


def test_the_rules_of_chats_hold(gateway: Gateway) -> None:
    """A blank message is refused as one, before it is a prompt."""
    answer = paint(gateway, " ")

    assert (answer.status_code, error_of(answer)["code"]) == (400, "empty_content")
    assert error_of(answer)["param"] == "messages.0.content"


@pytest.mark.parametrize(
    "messages",
    [
        [say("user", "{q}", RED)],
        [say("user", RED, "{q}")],
        [say("user", "A hat", BLUE), say("user", "{q}", RED)],
        [say("user", "A hat", BLUE, RED), {"role": "user", "content": "{q}"}],
        [say("user", "A hat", RED), say("assistant", "Done"), say("user", "{q}")],
    ],
    ids=["one", "picture first", "the last message", "the last block", "an earlier message"],
)
def test_the_last_picture_is_changed_by_the_last_text(
    gateway: Gateway, sandbox: Sandbox, watch: Watch, question: str, messages: list[dict[str, Any]]
) -> None:
    """Wherever they stand; earlier pictures stay here."""
    pictures_of(change(gateway, *_filled(messages, question)))

    [asked] = sandbox.asked(question)
    assert asked["body"]["message"] == question
    assert sources_of(sandbox, asked) == [RED]
    assert len(watch.calls(UPLOAD)) == 1


def test_a_link_of_ours_can_be_changed(gateway: Gateway, sandbox: Sandbox, question: str) -> None:
    """What was drawn a moment ago comes back by its link."""
    [item] = pictures_of(draw(gateway, "A cat to be changed"))
    block = {"type": "image_url", "image_url": {"url": item["url"]}}
    message = {"role": "user", "content": [{"type": "text", "text": question}, block]}
    if not item["url"].startswith("http"):
        block["image_url"] = {"url": f"{gateway.url}{item['url']}"}
    pictures_of(change(gateway, message))

    [asked] = sandbox.asked(question)
    assert sources_of(sandbox, asked) == [file_of(gateway, item["url"]).content]


def test_an_edit_may_give_several(gateway: Gateway, question: str) -> None:
    """`image_config.n` counts here too."""
    assert len(pictures_of(change(gateway, say("user", question, RED), image_config={"n": 3}))) == 3


@pytest.mark.parametrize("n", [1, 2])
def test_pictures_stream_as_image_events(gateway: Gateway, question: str, n: int) -> None:
    """The events of the images route, without chunks and without `[DONE]`."""
    events = image_events(paint(gateway, question, stream=True, image_config={"n": n}))

    assert sorted(event["index"] for event in events if event["type"] == COMPLETED) == list(range(n))
    for index in range(n):
        assert [event["stage"] for event in events if event["index"] == index] == STAGES
    check_usage(events[-1]["usage"])


def test_edits_stream_as_image_events(gateway: Gateway, question: str) -> None:
    """Progress, then the picture."""
    *partial, last = image_events(change(gateway, say("user", question, RED), stream=True))

    assert partial
    assert {event["type"] for event in partial} == {PARTIAL}
    assert all(0 <= event["progress"] <= 100 for event in partial)
    assert last["type"] == COMPLETED
    assert opened(content_of(gateway, last)).format == "JPEG"


@pytest.mark.parametrize(("word", "expected"), FAILURES.items(), ids=FAILURES)
def test_a_failure_is_an_http_error(gateway: Gateway, question: str, word: str, expected: tuple[int, str, str]) -> None:
    """The same statuses and codes as on the images route."""
    answer = paint(gateway, f"{question} @{word}")

    error = error_of(answer)
    assert (answer.status_code, error["type"], error["code"]) == expected


def test_a_stream_that_breaks_ends_with_the_error(gateway: Gateway, question: str) -> None:
    """As an image stream does, with an `error` event."""
    error = failure_of(image_events(paint(gateway, f"{question} @moderated", stream=True)))

    assert error["code"] == "content_policy_violation"


def test_a_shorter_list_says_so(gateway: Gateway, question: str) -> None:
    """With the warning of the images route."""
    answer = change(gateway, say("user", f"{question} @one-image", RED), image_config={"n": 2})

    body = answer.raise_for_status().json()
    assert len(body["data"]) == 1
    assert body["warning"]


def _filled(value: Any, question: str) -> Any:
    """The value with the question in the place of `{q}`."""
    if isinstance(value, str):
        return value.replace("{q}", question)
    if isinstance(value, list):
        return [_filled(item, question) for item in value]
    return {key: _filled(item, question) for key, item in value.items()}
