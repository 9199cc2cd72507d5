"""`POST /v1/images/edits`: changed pictures. Source: API contract, section 6; protocol notes, sections 4.3 and 11.11.

What isn't accepted as a picture is in `test_image_files`.
"""

from base64 import b64decode
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.contract.pictures import (
    BAD_FORM,
    BAD_N,
    BAD_SIZE,
    BAD_STREAM_N,
    COMPLETED,
    EDIT,
    EDITS,
    FORMS,
    NO_PROMPT,
    NO_STREAM,
    PARTIAL,
    POST,
    UPLOAD,
    Watch,
    check_usage,
    content_of,
    data_uri,
    draw,
    edit,
    edit_config,
    edit_json,
    failure_of,
    file_of,
    image_events,
    opened,
    picture,
    pictures_of,
    sources_of,
    staff,
    upload_of,
)
from tests.contract.wire import error_of
from tests.servers import Gateway, Sandbox

PER_CALL = 2
"""So many pictures Grok makes of one edit. Source: protocol notes, section 4.3."""
WRONG_MODEL = "The model `grok-imagine-1.0-edit` is required for image edits."
RED, GREEN, BLUE = (picture(colour) for colour in ("red", "lime", "blue"))
COLOURS = {"red": (255, 0, 0), "blue": (0, 0, 255)}
ROWS: dict[str, tuple[dict[str, str], str, str, str]] = {
    "prompt empty": ({"prompt": ""}, "prompt", "empty_prompt", NO_PROMPT),
    "prompt blank": ({"prompt": " \n"}, "prompt", "empty_prompt", NO_PROMPT),
    "model of generations": ({"model": "grok-imagine-1.0"}, "model", "model_not_supported", WRONG_MODEL),
    "model unknown": ({"model": "dall-e-2"}, "model", "model_not_supported", WRONG_MODEL),
    "n zero": ({"n": "0"}, "n", "invalid_n", BAD_N),
    "n eleven": ({"n": "11"}, "n", "invalid_n", BAD_N),
    "size unknown": ({"size": "512x512"}, "size", "invalid_size", BAD_SIZE),
    "form unknown": ({"response_format": "png"}, "response_format", "invalid_response_format", BAD_FORM),
    "stream a word": ({"stream": "perhaps"}, "stream", "invalid_stream", NO_STREAM),
    "stream of three": ({"stream": "true", "n": "3"}, "stream", "invalid_stream_n", BAD_STREAM_N),
}


def is_shown(content: bytes, colour: str) -> bool:
    """Whether the sandbox's picture shows one of this colour as its only input, in the middle of its upper part."""
    image = opened(content).convert("RGB")
    found = image.getpixel((image.width // 2, image.height * 36 // 100))
    assert isinstance(found, tuple)
    return all(abs(one - other) < 40 for one, other in zip(found, COLOURS[colour], strict=True))


@pytest.mark.parametrize("prefix", ["", "/grok"], ids=["/v1", "/grok/v1"])
@pytest.mark.parametrize("field", ["image", "image[]"])
def test_a_picture_is_changed(gateway: Gateway, question: str, prefix: str, field: str) -> None:
    """A form with one file, under either name, gives a link to a picture that shows it."""
    body = {"model": EDIT, "prompt": question}
    answer = gateway.http.post(f"{prefix}{EDITS}", data=body, files=[upload_of(RED, field=field)])

    [item] = pictures_of(answer)
    file = file_of(gateway, item["url"])
    assert file.headers["content-type"] == "image/jpeg"
    assert is_shown(file.content, "red")


@pytest.mark.parametrize(("form", "field"), FORMS.items())
def test_a_changed_picture_comes_in_each_form(gateway: Gateway, question: str, form: str, field: str) -> None:
    """As a link or as base64, whichever is asked for."""
    [item] = pictures_of(edit(gateway, question, response_format=form))

    assert item.keys() == {field}
    assert opened(content_of(gateway, item)).format == "JPEG"


def test_input_pictures_are_counted(gateway: Gateway, question: str) -> None:
    """What was sent in is part of the usage."""
    usage = edit(gateway, question).raise_for_status().json()["usage"]

    assert usage["input_tokens_details"]["image_tokens"] > 0


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_grok_is_asked_for_two_at_a_time(
    gateway: Gateway, sandbox: Sandbox, watch: Watch, question: str, n: int
) -> None:
    """One upload and one post whatever n is, and as many calls as needed, all by the same account."""
    items = pictures_of(edit(gateway, question, n=str(n)))

    assert len({item["url"] for item in items}) == len(items) == n
    edits, uploads, posts = sandbox.asked(question), watch.calls(UPLOAD), watch.calls(POST)
    assert (len(uploads), len(posts), len(edits)) == (1, 1, ceil(n / PER_CALL))
    assert len({entry["account"] for entry in (*edits, *uploads, *posts)}) == 1
    for entry in edits:
        assert entry["body"]["message"] == question
        assert entry["body"]["modelName"] == "imagine-image-edit"
        assert sources_of(sandbox, entry) == [RED]


def test_the_post_shows_the_first_picture(gateway: Gateway, sandbox: Sandbox, watch: Watch, question: str) -> None:
    """The edit belongs to a post of its first picture, by the id that Grok gave it."""
    pictures_of(edit(gateway, question, upload_of(RED), upload_of(BLUE)))

    [asked], [posted] = sandbox.asked(question), watch.calls(POST)
    config = edit_config(asked)
    assert posted["body"] == {"mediaType": "MEDIA_POST_TYPE_IMAGE", "mediaUrl": config["imageReferences"][0]}
    assert config["parentPostId"]
    assert config["parentPostId"] not in config["imageReferences"][0]


@pytest.mark.parametrize(("count", "field"), [(3, "image"), (3, "image[]"), (16, "image[]")])
def test_many_pictures_keep_their_order(
    gateway: Gateway, sandbox: Sandbox, question: str, count: int, field: str
) -> None:
    """Up to sixteen files reach Grok in the order of the form."""
    contents = [picture(f"rgb({number * 15}, 100, 200)", size=(60, 40)) for number in range(count)]
    files = [upload_of(content, name=f"{number}.png", field=field) for number, content in enumerate(contents)]
    pictures_of(edit(gateway, question, *files))

    [asked] = sandbox.asked(question)
    assert sources_of(sandbox, asked) == contents


def test_each_picture_is_uploaded_once(gateway: Gateway, watch: Watch, question: str) -> None:
    """One upload for each file, however many calls follow."""
    files = [upload_of(content) for content in (RED, GREEN, BLUE)]
    pictures_of(edit(gateway, question, *files, n="4"))

    contents = [b64decode(entry["body"]["content"]) for entry in watch.calls(UPLOAD)]
    assert sorted(contents) == sorted([RED, GREEN, BLUE])


def test_both_names_may_be_mixed(gateway: Gateway, sandbox: Sandbox, question: str) -> None:
    """`image` and `image[]` in one form are all inputs."""
    pictures_of(edit(gateway, question, upload_of(RED, field="image"), upload_of(BLUE, field="image[]")))

    [asked] = sandbox.asked(question)
    assert sorted(sources_of(sandbox, asked)) == sorted([RED, BLUE])


@pytest.mark.parametrize("as_list", [True, False], ids=["list", "text"])
def test_a_data_uri_is_a_picture(gateway: Gateway, sandbox: Sandbox, question: str, as_list: bool) -> None:
    """The request may be JSON, with one data URI or several in `image`."""
    contents = [RED, GREEN, BLUE] if as_list else [RED]
    uris = [data_uri(content) for content in contents]
    pictures_of(edit_json(gateway, question, uris if as_list else uris[0]))

    [asked] = sandbox.asked(question)
    assert sources_of(sandbox, asked) == contents


def test_a_link_of_ours_is_a_picture(gateway: Gateway, sandbox: Sandbox, question: str) -> None:
    """What was drawn a moment ago can be changed by its link."""
    [item] = pictures_of(draw(gateway, "A cat to be changed"))
    pictures_of(edit_json(gateway, question, item["url"]))

    [asked] = sandbox.asked(question)
    assert sources_of(sandbox, asked) == [file_of(gateway, item["url"]).content]


def test_a_link_with_the_public_address_is_ours(hasty: Gateway, sandbox: Sandbox, question: str) -> None:
    """Such a link is read from our files; nobody goes out to that address."""
    staff(hasty, "", "")
    [item] = pictures_of(draw(hasty, "A cat to be changed", response_format="url"))
    pictures_of(edit_json(hasty, question, item["url"]))

    [asked] = sandbox.asked(question)
    assert sources_of(sandbox, asked) == [content_of(hasty, item)]


@pytest.mark.parametrize(
    ("form", "name", "mime"), [("PNG", "a.png", "image/png"), ("JPEG", "a.jpg", "image/jpeg"), ("WEBP", "a.webp", "")]
)
def test_each_kind_of_picture_is_taken(gateway: Gateway, question: str, form: str, name: str, mime: str) -> None:
    """PNG, JPEG and WebP."""
    content = picture("blue", form)

    [item] = pictures_of(edit(gateway, question, upload_of(content, name=name, mime=mime or "image/webp")))
    assert is_shown(content_of(gateway, item), "blue")


def test_fields_of_other_services_are_ignored(gateway: Gateway, question: str) -> None:
    """`quality`, `input_fidelity` and the like do no harm."""
    fields = {"quality": "high", "background": "auto", "input_fidelity": "high", "user": "someone", "nsfw": "false"}

    assert len(pictures_of(edit(gateway, question, **fields))) == 1


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_wrong_field_is_named(
    gateway: Gateway, watch: Watch, question: str, row: tuple[dict[str, str], str, str, str]
) -> None:
    """Each rule answers 400 with its field, its code and its sentence, in a form and in JSON; Grok isn't asked."""
    fields, param, code, message = row
    expected = {"message": message, "type": "invalid_request_error", "param": param, "code": code}

    for answer in (
        edit(gateway, **{"prompt": question, **fields}),
        edit_json(gateway, image=data_uri(RED), **{"prompt": question, **fields}),
    ):
        assert answer.status_code == 400
        assert error_of(answer) == expected
    assert watch.calls(UPLOAD) == []


def test_a_form_without_a_prompt_is_refused(gateway: Gateway) -> None:
    """What shall be changed must be said."""
    answer = gateway.http.post(EDITS, data={"model": EDIT}, files=[upload_of(RED)])

    assert (answer.status_code, error_of(answer)["param"]) == (400, "prompt")


def test_strangers_change_no_pictures(gateway: Gateway) -> None:
    """A key is needed as for a chat."""
    answer = gateway.stranger.post(EDITS, data={"model": EDIT, "prompt": "A hat"}, files=[upload_of(RED)])

    assert (answer.status_code, error_of(answer)["message"]) == (401, "Missing authentication token")


@pytest.mark.parametrize("form", ["url", "b64_json"])
@pytest.mark.parametrize("n", [1, 2])
def test_an_edit_streams_its_progress(gateway: Gateway, question: str, n: int, form: str) -> None:
    """How far each picture is, never less than before, then the finished ones with usage; no `[DONE]`."""
    events = image_events(edit(gateway, question, n=str(n), stream="true", response_format=form))

    partial = [event for event in events if event["type"] == PARTIAL]
    completed = [event for event in events if event["type"] == COMPLETED]
    assert partial
    assert partial + completed == events
    for index in range(n):
        progress = [event["progress"] for event in partial if event["index"] == index]
        assert progress == sorted(progress)
        assert all(0 <= percent <= 100 for percent in progress)
    assert [event["index"] for event in completed] == list(range(n))
    for event in completed:
        check_usage(event["usage"])
        assert form in event
        assert opened(content_of(gateway, event)).format == "JPEG"


def test_the_official_client_changes_a_file(
    client: openai.OpenAI, gateway: Gateway, question: str, tmp_path: Path
) -> None:
    """`client.images.edit` with an open file."""
    path = tmp_path / "cat.png"
    path.write_bytes(RED)
    with path.open("rb") as file:
        answer = client.images.edit(model=EDIT, image=file, prompt=question, n=2, response_format="b64_json")

    assert answer.usage is not None
    assert answer.data is not None
    assert len(answer.data) == 2
    for item in answer.data:
        assert is_shown(content_of(gateway, {"b64_json": item.b64_json}), "red")


def test_the_official_client_changes_several_files(client: openai.OpenAI, sandbox: Sandbox, question: str) -> None:
    """A list of files, which it sends as `image[]`, in its order."""
    files = [("red.png", BytesIO(RED), "image/png"), ("blue.png", BytesIO(BLUE), "image/png")]
    answer = client.images.edit(model=EDIT, image=files, prompt=question)

    assert answer.data is not None
    assert [bool(item.url) for item in answer.data] == [True]
    [asked] = sandbox.asked(question)
    assert sources_of(sandbox, asked) == [RED, BLUE]


def test_the_official_client_streams_an_edit(client: openai.OpenAI, question: str) -> None:
    """`client.images.edit(stream=True)` gives the events until the finished picture."""
    file: Any = ("red.png", RED, "image/png")
    with client.images.edit(model=EDIT, image=file, prompt=question, stream=True, response_format="b64_json") as stream:
        *_, last = stream

    assert (str(last.type), bool(last.b64_json)) == (COMPLETED, True)


def test_a_broken_stream_ends_with_the_error(gateway: Gateway, question: str) -> None:
    """Once progress was shown, an `error` event tells what happened, and nothing follows."""
    error = failure_of(image_events(edit(gateway, f"{question} @moderated", stream="true")))

    assert (error["type"], error["code"]) == ("permission_error", "content_policy_violation")
