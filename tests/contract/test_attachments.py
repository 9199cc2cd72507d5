"""Pictures, sounds and files in messages. Source: API contract, sections 5.1 and 5.2; protocol notes, section 3.1."""

from base64 import b64encode

import openai
import pytest

from grok_app.catalog import Pool
from tests.conftest import ENDLESS, QUICK_RETRIES, GatewayFactory
from tests.contract.media import (
    CHATS,
    UPLOAD,
    VALUES,
    Calls,
    attach,
    attached,
    data_uri,
    image,
    picture,
    text,
)
from tests.contract.wire import CHAT, ask, error_of
from tests.servers import Gateway, Sandbox

FILES = {
    "png": ("image_url", "image/png", picture("PNG")),
    "jpg": ("image_url", "image/jpeg", picture("JPEG")),
    "webp": ("image_url", "image/webp", picture("WEBP")),
    "gif": ("image_url", "image/gif", picture("GIF")),
    "wav": ("input_audio", "audio/wav", b"RIFF\x24\x00\x00\x00WAVEfmt "),
    "mp3": ("input_audio", "audio/mpeg", b"ID3\x04\x00\x00"),
    "pdf": ("file", "application/pdf", b"%PDF-1.7"),
    "txt": ("file", "text/plain", "Zażółć gęślą jaźń".encode()),
}
"""Kinds of attachment by the extension that their name gets."""
TOO_LARGE = (50 << 20) + 1

both_forms = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])


@pytest.fixture(scope="module")
def refused(make_gateway: GatewayFactory) -> Gateway:
    """A gateway whose basic accounts may not upload; its super account does, and is told the id in another field."""
    accounts = {
        Pool.BASIC: (f"sandbox-basic-{ENDLESS}-@upload-401", f"sandbox-basic-{ENDLESS}-@upload-429"),
        Pool.SUPER: (f"sandbox-super-{ENDLESS}-@upload-id",),
    }
    return make_gateway(accounts, {**QUICK_RETRIES, "app.api_key": ""})


@pytest.mark.parametrize("extension", FILES)
def test_a_file_is_uploaded_and_attached(
    gateway: Gateway, sandbox: Sandbox, calls: Calls, question: str, extension: str
) -> None:
    """Grok gets its bytes under the declared type, named after it, and the chat refers to it; the text is unchanged."""
    kind, mime, content = FILES[extension]
    answer = ask(gateway, [text(question), attach(kind, data_uri(content, mime))], stream=False)

    assert question in answer.raise_for_status().json()["choices"][0]["message"]["content"]
    [asked] = sandbox.asked(question)
    [uploaded] = calls(UPLOAD)
    assert uploaded["body"] == {
        "fileName": f"file.{extension}",
        "fileMimeType": mime,
        "content": b64encode(content).decode(),
    }
    assert uploaded["account"] == asked["account"]
    assert uploaded["ended_ms"] <= asked["started_ms"]
    [found] = attached(sandbox, asked)
    assert (found.name, found.mime, found.content) == (f"file.{extension}", mime, content)
    assert asked["body"]["imageAttachments"] == []
    assert asked["body"]["message"] == question


@both_forms
def test_files_and_sounds_come_before_pictures(gateway: Gateway, sandbox: Sandbox, question: str, stream: bool) -> None:
    """Attachments travel in the order of the messages, but pictures last; the texts around them stay as they are."""
    first, second = picture(), picture()
    content = [
        image(first),
        text(question),
        attach("input_audio", data_uri(b"sound", "audio/wav")),
        text("and this"),
        image(second),
        attach("file", data_uri(b"%PDF-1.7", "application/pdf")),
    ]
    ask(gateway, content, stream=stream).raise_for_status()

    [asked] = sandbox.asked(question)
    assert [found.content for found in attached(sandbox, asked)] == [b"sound", b"%PDF-1.7", first, second]
    assert asked["body"]["imageAttachments"] == []
    assert asked["body"]["message"] == f"{question}\nand this"


def test_earlier_messages_keep_their_attachments(gateway: Gateway, sandbox: Sandbox, question: str) -> None:
    """What was attached before in the conversation is attached again, in the order of the messages."""
    first, second = picture(), picture()
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [text("First"), image(first), attach("file", data_uri(b"one", "text/plain"))]},
        {"role": "assistant", "content": "Answer"},
        {"role": "user", "content": [text(question), attach("file", data_uri(b"two", "text/plain")), image(second)]},
    ]
    ask(gateway, "", messages=messages, stream=False).raise_for_status()

    [asked] = sandbox.asked(question)
    assert [found.content for found in attached(sandbox, asked)] == [b"one", b"two", first, second]
    assert asked["body"]["message"] == f"system: Be brief.\n\nuser: First\n\nassistant: Answer\n\n{question}"


def test_many_pictures_arrive_in_order(gateway: Gateway, sandbox: Sandbox, question: str) -> None:
    """Uploads run side by side, and the order of the message is kept all the same."""
    pictures = [picture() for _ in range(12)]
    ask(gateway, [text(question), *map(image, pictures)], stream=False).raise_for_status()

    [asked] = sandbox.asked(question)
    assert [found.content for found in attached(sandbox, asked)] == pictures


def test_a_picture_needs_no_words(gateway: Gateway, calls: Calls) -> None:
    """A message may be a picture alone."""
    content = picture()
    ask(gateway, [image(content)], stream=False).raise_for_status()

    [uploaded] = calls(UPLOAD)
    [asked] = calls(CHATS)
    assert uploaded["body"]["content"] == b64encode(content).decode()
    assert len(asked["body"]["fileAttachments"]) == 1


async def test_the_official_client_sends_pictures(
    async_client: openai.AsyncOpenAI, sandbox: Sandbox, question: str
) -> None:
    """What the SDK calls an image part reaches Grok, and the answer streams."""
    content = picture()
    stream = await async_client.chat.completions.create(
        model="grok-4",
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": question},
                    {"type": "image_url", "image_url": {"url": data_uri(content), "detail": "high"}},
                ],
            }
        ],
        stream=True,
    )
    async with stream:
        said = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert question in said
    [asked] = sandbox.asked(question)
    assert [found.content for found in attached(sandbox, asked)] == [content]


def test_another_account_gets_its_own_upload(gateway: Gateway, sandbox: Sandbox, calls: Calls, question: str) -> None:
    """Files belong to an account: when Grok refuses the chat, the next account uploads them again."""
    content = picture()
    ask(gateway, [text(f"{question} @once-429"), image(content)], stream=False).raise_for_status()

    first, second = sandbox.asked(question)
    assert first["account"] != second["account"]
    assert [uploaded["account"] for uploaded in calls(UPLOAD)] == [first["account"], second["account"]]
    for asked in (first, second):
        assert [found.content for found in attached(sandbox, asked)] == [content]


def test_an_account_that_may_not_upload_is_passed_over(
    refused: Gateway, sandbox: Sandbox, calls: Calls, question: str
) -> None:
    """401 and 429 on an upload move on to the next account, as on a chat; the caller notices nothing."""
    content = picture()
    ask(refused, [text(question), image(content)], stream=False).raise_for_status()

    uploads = calls(UPLOAD)
    assert {uploaded["status"] for uploaded in uploads} == {401, 429, 200}
    assert len({uploaded["account"] for uploaded in uploads}) == len(uploads) == 3
    [asked] = sandbox.asked(question)
    assert asked["account"] == uploads[-1]["account"]
    assert [found.content for found in attached(sandbox, asked)] == [content]


def test_the_id_may_be_called_otherwise(refused: Gateway, sandbox: Sandbox, question: str) -> None:
    """Grok may say `fileId` in place of `fileMetadataId`."""
    content = picture()
    ask(refused, [text(question), image(content)], model="grok-4-heavy", stream=False).raise_for_status()

    [asked] = sandbox.asked(question)
    assert [found.content for found in attached(sandbox, asked)] == [content]


@pytest.fixture(scope="module")
def broken(make_gateway: GatewayFactory) -> Gateway:
    """A gateway for all of whose accounts uploads fail."""
    accounts = tuple(f"sandbox-basic-{ENDLESS}-@upload-{word}" for word in ("500", "empty", "page"))
    return make_gateway({Pool.BASIC: accounts}, {**QUICK_RETRIES, "app.api_key": ""})


@both_forms
def test_an_upload_that_fails_is_an_error(broken: Gateway, sandbox: Sandbox, question: str, stream: bool) -> None:
    """A chat is never sent without what was attached to it: the caller is told that Grok failed."""
    answer = ask(broken, [text(question), image(picture())], stream=stream)

    error = error_of(answer)
    assert (answer.status_code, error["type"], error["code"]) == (502, "server_error", "upstream_error")
    assert sandbox.asked(question) == []


WRONG: dict[str, tuple[str, str]] = {
    "picture no base64": ("image_url", "data:image/png;base64,@@@@"),
    "picture with a wrong letter": ("image_url", data_uri(picture()) + "!"),
    "sound no base64": ("input_audio", "data:audio/wav;base64,@@@@"),
    "file no base64": ("file", "data:application/pdf;base64,@@@@"),
    "picture empty": ("image_url", "data:image/png;base64,"),
    "sound empty": ("input_audio", "data:audio/wav;base64,"),
    "file empty": ("file", "data:text/plain;base64,"),
    "text as picture": ("image_url", data_uri(b"hello", "text/plain")),
    "page as picture": ("image_url", data_uri(b"<html></html>", "text/html")),
    "PDF as picture": ("image_url", data_uri(b"%PDF-1.7", "application/pdf")),
    "drawing as picture": ("image_url", data_uri(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml")),
    "bytes that are no picture": ("image_url", data_uri(b"not a picture at all", "image/png")),
    "bitmap": ("image_url", data_uri(picture("BMP"), "image/bmp")),
    "bitmap that says PNG": ("image_url", data_uri(picture("BMP"), "image/png")),
    "picture that says text": ("image_url", data_uri(picture(), "text/plain")),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_wrong_media_are_refused(gateway: Gateway, calls: Calls, question: str, wrong: tuple[str, str]) -> None:
    """400 that names the value, and nothing of the request reaches Grok, not even what is good in it."""
    kind, value = wrong
    answer = ask(gateway, [text(question), image(picture()), attach(kind, value)])

    assert answer.status_code == 400
    error = error_of(answer)
    assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_media")
    assert error["param"] == f"messages.0.content.2.{kind}.{VALUES[kind]}"
    assert f"{kind}.{VALUES[kind]}" in error["message"]
    assert calls(UPLOAD) == calls(CHATS) == []


def test_wrong_media_are_named_in_whichever_message(gateway: Gateway) -> None:
    """The path counts messages and blocks."""
    wrong = attach("image_url", data_uri(b"hello", "text/plain"))
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "user", "content": [wrong]},
        {"role": "user", "content": "?"},
    ]
    answer = ask(gateway, "", messages=messages, stream=True)

    assert answer.status_code == 400
    assert error_of(answer)["param"] == "messages.1.content.0.image_url.url"


def test_a_file_of_more_than_50_mb_is_refused(gateway: Gateway, calls: Calls) -> None:
    """400 that says so, and it isn't uploaded; a body with several files may be larger than that."""
    answer = ask(gateway, [text("Read"), attach("file", data_uri(bytes(TOO_LARGE), "application/pdf"))])

    assert answer.status_code == 400
    error = error_of(answer)
    assert (error["type"], error["code"]) == ("invalid_request_error", "file_too_large")
    assert error["param"] == "messages.0.content.1.file.file_data"
    assert calls(UPLOAD) == []


def test_the_other_prefix_takes_attachments(gateway: Gateway, sandbox: Sandbox, question: str) -> None:
    """`/grok/v1` is the same route."""
    content = picture()
    asked = {
        "model": "grok-3",
        "stream": False,
        "messages": [{"role": "user", "content": [text(question), image(content)]}],
    }
    answer = gateway.http.post(f"/grok{CHAT}", json=asked)

    assert answer.status_code == 200
    [chat] = sandbox.asked(question)
    assert [found.content for found in attached(sandbox, chat)] == [content]


def test_attachments_are_counted_before_they_are_read(gateway: Gateway, calls: Calls) -> None:
    """A conversation has at most 64 of them; nothing is uploaded of one that has more."""
    blocks = [attach("image_url", data_uri(b"no picture", "image/png"))] * 65
    error = error_of(ask(gateway, [text("What are they?"), *blocks]))

    assert (error["param"], error["code"]) == ("messages", "too_many_attachments")
    assert error["message"] == "Too many attachments. Maximum is 64."
    assert calls(UPLOAD) == []
