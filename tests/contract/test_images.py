"""`POST /v1/images/generations`, whole answers. Source: API contract, section 6.

Streams are in `test_image_stream`, and what Grok may do wrong in `test_image_failures`.
"""

from math import ceil
from typing import Any

import openai
import pytest

from tests.contract.pictures import (
    BAD_FORM,
    BAD_N,
    BAD_SIZE,
    BAD_STREAM_N,
    DRAW,
    FORMS,
    GENERATIONS,
    NO_PROMPT,
    NO_STREAM,
    OWN_URL,
    RATIOS,
    content_of,
    draw,
    drawn,
    file_of,
    opened,
    pictures_of,
    prompts_of,
    ratio,
    shape_of,
    staff,
)
from tests.contract.wire import error_of
from tests.servers import Gateway, Sandbox

PER_SOCKET = 6
"""So many pictures Grok draws for one prompt. Source: protocol notes, section 4.1."""
WRONG_MODEL = "The model `grok-imagine-1.0` is required for image generation."
ROWS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "prompt empty": ({"prompt": ""}, "prompt", "empty_prompt", NO_PROMPT),
    "prompt blank": ({"prompt": " \n\t"}, "prompt", "empty_prompt", NO_PROMPT),
    "model of chats": ({"model": "grok-4"}, "model", "model_not_supported", WRONG_MODEL),
    "model of edits": ({"model": "grok-imagine-1.0-edit"}, "model", "model_not_supported", WRONG_MODEL),
    "model unknown": ({"model": "gpt-image-1"}, "model", "model_not_supported", WRONG_MODEL),
    "n zero": ({"n": 0}, "n", "invalid_n", BAD_N),
    "n negative": ({"n": -1}, "n", "invalid_n", BAD_N),
    "n eleven": ({"n": 11}, "n", "invalid_n", BAD_N),
    "n eleven as text": ({"n": "11"}, "n", "invalid_n", BAD_N),
    "size unknown": ({"size": "512x512"}, "size", "invalid_size", BAD_SIZE),
    "size empty": ({"size": ""}, "size", "invalid_size", BAD_SIZE),
    "size of no ratio": ({"size": "4:3"}, "size", "invalid_size", BAD_SIZE),
    "form unknown": ({"response_format": "png"}, "response_format", "invalid_response_format", BAD_FORM),
    "form empty": ({"response_format": ""}, "response_format", "invalid_response_format", BAD_FORM),
    "stream a word": ({"stream": "perhaps"}, "stream", "invalid_stream", NO_STREAM),
    "stream a list": ({"stream": []}, "stream", "invalid_stream", NO_STREAM),
    "stream of three": ({"stream": True, "n": 3}, "stream", "invalid_stream_n", BAD_STREAM_N),
    "stream of ten, as words": ({"stream": "yes", "n": "10"}, "stream", "invalid_stream_n", BAD_STREAM_N),
}


@pytest.mark.parametrize("prefix", ["", "/grok"], ids=["/v1", "/grok/v1"])
@pytest.mark.parametrize(("form", "field"), FORMS.items())
def test_a_picture_comes_in_each_form(gateway: Gateway, question: str, prefix: str, form: str, field: str) -> None:
    """As a link or as base64 without a prefix, whichever is asked for: a finished JPEG."""
    body = {"model": DRAW, "prompt": question, "response_format": form}
    [item] = pictures_of(gateway.http.post(f"{prefix}{GENERATIONS}", json=body))

    assert item.keys() == {field}
    assert opened(content_of(gateway, item)).format == "JPEG"


@pytest.mark.parametrize("form", ["url", "b64_json"])
@pytest.mark.parametrize("n", [1, 4, 6, 10])
def test_as_many_pictures_as_asked_for(gateway: Gateway, sandbox: Sandbox, question: str, n: int, form: str) -> None:
    """Up to ten, no two the same; Grok is asked no more often than needed.

    Two sockets of the sandbox draw the same six for the same prompt, so contents are told apart up to six only.
    """
    items = pictures_of(draw(gateway, question, n=n, response_format=form))

    assert len(items) == n
    assert form == "b64_json" or len({item["url"] for item in items}) == n
    contents = [content_of(gateway, item) for item in items]
    assert len(set(contents)) >= min(n, PER_SOCKET)
    assert {opened(content).format for content in contents} == {"JPEG"}
    prompts = [prompt["text"] for socket in drawn(sandbox, question) for prompt in prompts_of(socket)]
    assert prompts == [question] * ceil(n / PER_SOCKET)


@pytest.mark.parametrize(("size", "aspect"), RATIOS.items())
def test_a_picture_has_the_shape_asked_for(
    gateway: Gateway, sandbox: Sandbox, question: str, size: str, aspect: str
) -> None:
    """Every size and every ratio is understood, and the picture has it."""
    [item] = pictures_of(draw(gateway, question, size=size))

    [[prompt]] = map(prompts_of, drawn(sandbox, question))
    assert prompt["properties"]["aspect_ratio"] == aspect
    assert shape_of(content_of(gateway, item)) == ratio(aspect)


def test_a_prompt_is_enough(gateway: Gateway, sandbox: Sandbox, question: str) -> None:
    """One square picture as a link, nothing for adults: that is what comes when nothing else is said, or null."""
    nothing = dict.fromkeys(("n", "size", "response_format", "stream", "nsfw"))

    for fields in ({}, nothing):
        [item] = pictures_of(draw(gateway, question, **fields))
        assert shape_of(file_of(gateway, item["url"]).content) == 1
    for [prompt] in map(prompts_of, drawn(sandbox, question)):
        assert (prompt["properties"]["aspect_ratio"], prompt["properties"]["enable_nsfw"]) == ("1:1", False)


def test_the_operator_decides_what_is_not_said(hasty: Gateway, sandbox: Sandbox, question: str) -> None:
    """`app.image_format` and `image.nsfw` are in force for who doesn't say otherwise."""
    staff(hasty, "")
    [item] = pictures_of(draw(hasty, question))

    assert item.keys() == {"b64_json"}
    [[prompt]] = map(prompts_of, drawn(sandbox, question))
    assert prompt["properties"]["enable_nsfw"] is True


def test_links_begin_with_the_public_address(hasty: Gateway, question: str) -> None:
    """`app.app_url` is how clients reach us, so links begin with it."""
    staff(hasty, "")
    [item] = pictures_of(draw(hasty, question, response_format="url"))

    assert item["url"].startswith(f"{OWN_URL}/v1/files/image/")
    assert opened(content_of(hasty, item)).format == "JPEG"


def test_a_link_can_be_followed_by_anybody(gateway: Gateway, question: str) -> None:
    """Without a key, as the picture it is, for as long as one likes."""
    [item] = pictures_of(draw(gateway, question, response_format="url"))
    answer = file_of(gateway, item["url"])

    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    head = gateway.stranger.head(item["url"])
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(answer.content)))


def test_fields_of_other_services_are_ignored(gateway: Gateway, question: str) -> None:
    """`quality`, `style` and the like do no harm."""
    fields = {
        "quality": "hd",
        "style": "vivid",
        "user": "someone",
        "background": "transparent",
        "moderation": "low",
        "output_format": "webp",
        "output_compression": 50,
        "something_new": {"deep": [1]},
    }

    assert len(pictures_of(draw(gateway, question, **fields))) == 1


def test_numbers_and_booleans_may_be_texts(gateway: Gateway, question: str) -> None:
    """`n` as a numeric text, `stream` as a word for no."""
    assert len(pictures_of(draw(gateway, question, n="2", stream="No"))) == 2


@pytest.mark.parametrize("word", [True, "true", "YES", "1", False, "False", "no", "0"], ids=repr)
def test_the_adult_flag_reaches_grok(gateway: Gateway, sandbox: Sandbox, question: str, word: Any) -> None:
    """`nsfw` is a boolean like any other, and Grok gets a real one."""
    pictures_of(draw(gateway, question, nsfw=word))

    [[prompt]] = map(prompts_of, drawn(sandbox, question))
    assert prompt["properties"]["enable_nsfw"] is (str(word).lower() in {"true", "yes", "1"})


def test_adult_pictures_come_to_who_asks_for_them(gateway: Gateway, question: str) -> None:
    """What Grok refuses without the flag it draws with it."""
    assert len(pictures_of(draw(gateway, f"{question} @nsfw", nsfw=True))) == 1
    assert error_of(draw(gateway, f"{question} @nsfw", nsfw=False))["code"] == "content_policy_violation"


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_wrong_field_is_named(
    gateway: Gateway, sandbox: Sandbox, question: str, row: tuple[dict[str, Any], str, str, str]
) -> None:
    """Each rule of the contract answers 400 with its field, its code and its sentence, and Grok isn't asked."""
    fields, param, code, message = row
    answer = draw(gateway, **{"prompt": question, **fields})

    assert answer.status_code == 400
    assert error_of(answer) == {
        "message": message,
        "type": "invalid_request_error",
        "param": param,
        "code": code,
    }
    assert drawn(sandbox, question) == []


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": ["a"]}, "prompt"),
        ({"n": "many"}, "n"),
        ({"n": 1.5}, "n"),
        ({"size": 5}, "size"),
        ({"response_format": 5}, "response_format"),
        ({"nsfw": "perhaps"}, "nsfw"),
        ({"model": 5}, "model"),
    ],
    ids=repr,
)
def test_a_field_of_the_wrong_type_is_named(gateway: Gateway, fields: dict[str, Any], param: str) -> None:
    """What no row speaks of is a 400 that names the field."""
    answer = draw(gateway, **{"prompt": "A cat", **fields})

    assert answer.status_code == 400
    assert error_of(answer)["param"] == param


def test_without_a_prompt_nothing_is_drawn(gateway: Gateway) -> None:
    """The one field that nothing can stand in for is named when it is missing."""
    answer = gateway.http.post(GENERATIONS, json={"model": DRAW})

    assert (answer.status_code, error_of(answer)["param"]) == (400, "prompt")


def test_a_body_that_is_no_json_is_refused(gateway: Gateway) -> None:
    """As everywhere: a 400 that says what to look for."""
    answer = gateway.http.post(GENERATIONS, content=b'{"prompt":', headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert (error_of(answer)["param"], error_of(answer)["code"]) == ("body", "json_invalid")


def test_strangers_get_no_pictures(gateway: Gateway) -> None:
    """A key is needed as for a chat."""
    answer = gateway.stranger.post(GENERATIONS, json={"model": DRAW, "prompt": "A cat"})

    assert (answer.status_code, error_of(answer)["message"]) == (401, "Missing authentication token")


@pytest.mark.parametrize("form", ["url", "b64_json"])
def test_the_official_client_reads_the_pictures(
    client: openai.OpenAI, gateway: Gateway, question: str, form: str
) -> None:
    """`client.images.generate` is all that a program needs."""
    answer = client.images.generate(
        model=DRAW,
        prompt=question,
        n=2,
        size="1024x1792",
        response_format="url" if form == "url" else "b64_json",
        quality="hd",
    )

    assert answer.created > 1_700_000_000
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens > 0
    assert answer.data is not None
    items = [item.to_dict() for item in answer.data]
    assert len(items) == 2
    assert {shape_of(content_of(gateway, item)) for item in items} == {ratio("2:3")}


def test_no_prompt_is_huge(gateway: Gateway) -> None:
    """A body without files is a short one; what is larger is not even read."""
    answer = draw(gateway, "x" * (1 << 20))

    assert answer.status_code == 413
    assert error_of(answer)["code"] == "request_too_large"
