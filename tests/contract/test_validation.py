"""What a chat request must be, row by row. Source: API contract, section 5.1."""

from typing import Any

import pytest

from tests.contract.wire import CHAT, ask, body, error_of
from tests.servers import Gateway, Sandbox

ROLES = "role must be one of ['assistant', 'developer', 'system', 'user']"
EFFORTS = "reasoning_effort must be one of ['high', 'low', 'medium', 'minimal', 'none', 'xhigh']"
BASE64 = "TG9yZW0gaXBzdW0gZG9sb3Igc2l0IGFtZXQ="
CONTENT = "messages.0.content"
BLOCK = "messages.0.content.0"
TEXT = {"type": "text", "text": "Look"}


def message(**fields: Any) -> dict[str, Any]:
    """The fields of a request whose one message is this."""
    return {"messages": [fields]}


def block(*blocks: Any, role: str = "user") -> dict[str, Any]:
    """The fields of a request whose one message has these blocks."""
    return message(role=role, content=list(blocks))


def media(kind: str, field: str, value: Any) -> dict[str, Any]:
    """A block of media."""
    return {"type": kind, kind: {field: value}}


ROWS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "model unknown": (
        {"model": "gpt-4"},
        "model",
        "model_not_found",
        "The model `gpt-4` does not exist or you do not have access to it.",
    ),
    "model with braces": (
        {"model": "{model}"},
        "model",
        "model_not_found",
        "The model `{model}` does not exist or you do not have access to it.",
    ),
    "model empty": (
        {"model": ""},
        "model",
        "model_not_found",
        "The model `` does not exist or you do not have access to it.",
    ),
    "messages empty": ({"messages": []}, "messages", "empty_messages", "messages cannot be empty"),
    "messages null": ({"messages": None}, "messages", "empty_messages", "messages cannot be empty"),
    "role unknown": (message(role="robot", content="Hi"), "messages.0.role", "invalid_role", ROLES),
    "role missing": (message(content="Hi"), "messages.0.role", "invalid_role", ROLES),
    "role no text": (message(role=["user"], content="Hi"), "messages.0.role", "invalid_role", ROLES),
    "role of the second": (
        {"messages": [{"role": "user", "content": "Hi"}, {"role": "User", "content": "Hi"}]},
        "messages.1.role",
        "invalid_role",
        ROLES,
    ),
    "content empty": (
        message(role="user", content=""),
        CONTENT,
        "empty_content",
        "Message content cannot be empty",
    ),
    "content blank": (
        message(role="system", content=" \n\t"),
        CONTENT,
        "empty_content",
        "Message content cannot be empty",
    ),
    "content empty array": (
        message(role="user", content=[]),
        CONTENT,
        "empty_content",
        "Message content cannot be an empty array",
    ),
    "content number": (
        message(role="user", content=5),
        CONTENT,
        "invalid_content",
        "Message content must be a string or array",
    ),
    "content object": (
        message(role="user", content={"type": "text"}),
        CONTENT,
        "invalid_content",
        "Message content must be a string or array",
    ),
    "content null": (
        message(role="user", content=None),
        CONTENT,
        "invalid_content",
        "Message content must be a string or array",
    ),
    "content missing": (
        message(role="user"),
        CONTENT,
        "invalid_content",
        "Message content must be a string or array",
    ),
    "block no object": (block("Hi"), BLOCK, "invalid_block", "Content block must be an object"),
    "block empty": (block({}), BLOCK, "empty_block", "Content block cannot be empty"),
    "block the second": (
        block(TEXT, None),
        "messages.0.content.1",
        "invalid_block",
        "Content block must be an object",
    ),
    "type missing": (block({"text": "Hi"}), BLOCK, "missing_type", "Content block must have a 'type' field"),
    "type empty": (
        block({"type": "", "text": "Hi"}),
        f"{BLOCK}.type",
        "empty_type",
        "Content block 'type' cannot be empty",
    ),
    "type blank": (
        block({"type": "  ", "text": "Hi"}),
        f"{BLOCK}.type",
        "empty_type",
        "Content block 'type' cannot be empty",
    ),
    "type unknown": (
        block({"type": "video_url"}),
        f"{BLOCK}.type",
        "invalid_type",
        "Invalid content block type: 'video_url'",
    ),
    "type not for system": (
        block(media("image_url", "url", "https://example.com/a.png"), role="system"),
        f"{BLOCK}.type",
        "invalid_type",
        "The `system` role only supports 'text' type, got 'image_url'",
    ),
    "type not for developer": (
        block(media("file", "file_data", "https://example.com/a.pdf"), role="developer"),
        f"{BLOCK}.type",
        "invalid_type",
        "The `developer` role only supports 'text' type, got 'file'",
    ),
    "type not for assistant": (
        block({"type": "input_audio"}, role="assistant"),
        f"{BLOCK}.type",
        "invalid_type",
        "The `assistant` role only supports 'text' type, got 'input_audio'",
    ),
    "text blank": (block({"type": "text", "text": " "}), f"{BLOCK}.text", "empty_text", "Text content cannot be empty"),
    "text missing": (block({"type": "text"}), f"{BLOCK}.text", "empty_text", "Text content cannot be empty"),
    "text of the second": (
        block(TEXT, {"type": "text", "text": ""}),
        "messages.0.content.1.text",
        "empty_text",
        "Text content cannot be empty",
    ),
    "image_url missing": (
        block({"type": "image_url"}),
        f"{BLOCK}.image_url",
        "missing_url",
        "image_url must have a 'url' field",
    ),
    "image_url text": (
        block({"type": "image_url", "image_url": "https://example.com/a.png"}),
        f"{BLOCK}.image_url",
        "missing_url",
        "image_url must have a 'url' field",
    ),
    "image_url without url": (
        block({"type": "image_url", "image_url": {"detail": "high"}}),
        f"{BLOCK}.image_url",
        "missing_url",
        "image_url must have a 'url' field",
    ),
    "image_url null": (
        block({"type": "image_url", "image_url": None}),
        f"{BLOCK}.image_url",
        "missing_url",
        "image_url must have a 'url' field",
    ),
    "image_url of the second": (
        block(TEXT, {"type": "image_url", "image_url": []}),
        "messages.0.content.1.image_url",
        "missing_url",
        "image_url must have a 'url' field",
    ),
    "input_audio text": (
        block({"type": "input_audio", "input_audio": "data:audio/wav;base64,QUJD"}),
        f"{BLOCK}.input_audio",
        "missing_audio",
        "input_audio must have a 'data' field",
    ),
    "file text": (
        block({"type": "file", "file": "data:text/plain;base64,QUJD"}),
        f"{BLOCK}.file",
        "missing_file",
        "file must have a 'file_data' field",
    ),
    "input_audio missing": (
        block({"type": "input_audio", "input_audio": {}}),
        f"{BLOCK}.input_audio",
        "missing_audio",
        "input_audio must have a 'data' field",
    ),
    "file missing": (
        block({"type": "file", "file": {"file_id": "file-1"}}),
        f"{BLOCK}.file",
        "missing_file",
        "file must have a 'file_data' field",
    ),
    "stream": ({"stream": "maybe"}, "stream", "invalid_stream", "stream must be a boolean"),
    "stream number": ({"stream": 5}, "stream", "invalid_stream", "stream must be a boolean"),
    "reasoning_effort": ({"reasoning_effort": "huge"}, "reasoning_effort", "invalid_reasoning_effort", EFFORTS),
    "reasoning_effort no text": ({"reasoning_effort": [1]}, "reasoning_effort", "invalid_reasoning_effort", EFFORTS),
    "temperature no number": (
        {"temperature": "warm"},
        "temperature",
        "invalid_temperature",
        "temperature must be a float",
    ),
    "temperature boolean": ({"temperature": True}, "temperature", "invalid_temperature", "temperature must be a float"),
    "temperature high": (
        {"temperature": 2.01},
        "temperature",
        "invalid_temperature",
        "temperature must be between 0 and 2",
    ),
    "temperature low": (
        {"temperature": "-1"},
        "temperature",
        "invalid_temperature",
        "temperature must be between 0 and 2",
    ),
    "temperature NaN": (
        {"temperature": "nan"},
        "temperature",
        "invalid_temperature",
        "temperature must be between 0 and 2",
    ),
    "top_p no number": ({"top_p": []}, "top_p", "invalid_top_p", "top_p must be a float"),
    "top_p high": ({"top_p": 1.5}, "top_p", "invalid_top_p", "top_p must be between 0 and 1"),
    "top_p low": ({"top_p": -0.1}, "top_p", "invalid_top_p", "top_p must be between 0 and 1"),
}
MEDIA_FIELDS = {"image_url": "url", "input_audio": "data", "file": "file_data"}
MEDIA_ROWS: dict[str, tuple[Any, str, str]] = {
    "blank": (" ", "empty_media", "{field} cannot be empty"),
    "empty": ("", "empty_media", "{field} cannot be empty"),
    "bare base64": (
        BASE64,
        "invalid_media",
        "{field} base64 must be provided as a data URI (data:<mime>;base64,...)",
    ),
    "words": ("a picture of a cat", "invalid_media", "{field} must be a URL or data URI"),
    "another scheme": ("ftp://example.com/a", "invalid_media", "{field} must be a URL or data URI"),
    "script": ("javascript:alert(1)", "invalid_media", "{field} must be a URL or data URI"),
    "data alone": ("data:", "invalid_media", "{field} must be a URL or data URI"),
    "data without a comma": ("data:image/png;base64", "invalid_media", "{field} must be a URL or data URI"),
    "file scheme": ("file:///etc/passwd", "invalid_media", "{field} must be a URL or data URI"),
    "data without base64": ("data:text/plain,hello", "invalid_media", "{field} must be a URL or data URI"),
    "data without a type": ("data:;base64,QUJD", "invalid_media", "{field} must be a URL or data URI"),
}


@pytest.mark.parametrize(("fields", "param", "code", "text"), ROWS.values(), ids=ROWS)
def test_a_wrong_field_is_named(gateway: Gateway, fields: dict[str, Any], param: str, code: str, text: str) -> None:
    """Each rule has its param, its code and its sentence, letter by letter."""
    answer = ask(gateway, "Hi", **fields)

    assert answer.status_code == 400
    assert error_of(answer) == {"message": text, "type": "invalid_request_error", "param": param, "code": code}


@pytest.mark.parametrize(("value", "code", "text"), MEDIA_ROWS.values(), ids=MEDIA_ROWS)
@pytest.mark.parametrize("kind", MEDIA_FIELDS)
def test_media_must_be_a_url_or_a_data_uri(gateway: Gateway, kind: str, value: Any, code: str, text: str) -> None:
    """A media value of any other form is refused, and the message names the field by its path in the block."""
    field = MEDIA_FIELDS[kind]
    answer = ask(gateway, [TEXT, media(kind, field, value)])

    assert answer.status_code == 400
    assert error_of(answer) == {
        "message": text.format(field=f"{kind}.{field}"),
        "type": "invalid_request_error",
        "param": f"messages.0.content.1.{kind}.{field}",
        "code": code,
    }


@pytest.mark.parametrize(
    ("content", "param", "code"),
    [
        ({"messages": [{"role": "user", "content": "Hi"}]}, "model", "missing"),
        ({"model": 5, "messages": [{"role": "user", "content": "Hi"}]}, "model", "string_type"),
        ({"model": "grok-3", "messages": ["Hi"]}, "messages.0", "model_type"),
        (body("Hi", stream_options="yes"), "stream_options", "model_type"),
        ([], "body", "model_type"),
    ],
    ids=["model missing", "model number", "message text", "stream_options text", "body array"],
)
def test_a_wrong_shape_is_named_by_its_path(gateway: Gateway, content: Any, param: str, code: str) -> None:
    """What no row speaks of is a schema error: the dotted path in `param`, pydantic's type in `code`."""
    answer = gateway.http.post(CHAT, json=content)

    assert answer.status_code == 400
    error = error_of(answer)
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)
    assert error["message"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b'{"model": "grok-3",}', b"model=grok-3", b"\xff\xfe", b'{"model": "\xff"}', b"[" * 100_000],
    ids=["empty", "open", "trailing comma", "form", "not UTF-8", "bad string", "deep"],
)
def test_a_body_that_is_no_json_is_refused(gateway: Gateway, content: bytes) -> None:
    """A body that can't be read is a 400 that says what to look for."""
    answer = gateway.http.post(CHAT, content=content, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert error_of(answer) == {
        "message": "Invalid JSON in request body. Please check for trailing commas or syntax errors.",
        "type": "invalid_request_error",
        "param": "body",
        "code": "json_invalid",
    }


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", None], ids=str)
def test_the_content_type_does_not_matter(gateway: Gateway, content_type: str | None) -> None:
    """A body that is JSON is read as JSON, whatever the client calls it."""
    headers = {"Content-Type": content_type} if content_type else {}
    answer = gateway.http.post(
        CHAT, content=b'{"model":"grok-3","stream":false,"messages":[{"role":"user","content":"Hi"}]}', headers=headers
    )

    assert answer.status_code == 200


@pytest.mark.parametrize("word", ["true", "True", "TRUE", "1", "yes", "YES", True], ids=repr)
def test_words_for_yes_stream(changed: Gateway, word: Any) -> None:
    """A boolean may come as a word in any case: this one asks for a stream where the setting says no."""
    assert ask(changed, "Hi", stream=word).headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize("word", ["false", "False", "0", "no", "NO", False], ids=repr)
def test_words_for_no_do_not_stream(gateway: Gateway, word: Any) -> None:
    """The same for no, where the setting says yes."""
    assert ask(gateway, "Hi", stream=word).headers["content-type"] == "application/json"


@pytest.mark.parametrize("fields", [{}, {"stream": None}], ids=["omitted", "null"])
def test_without_a_word_the_setting_decides(gateway: Gateway, changed: Gateway, fields: dict[str, None]) -> None:
    """`app.stream` says whether an answer streams when the request doesn't; its default is yes."""
    assert ask(gateway, "Hi", **fields).headers["content-type"].startswith("text/event-stream")
    assert ask(changed, "Hi", **fields).headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({}, (0.8, 0.95)),
        ({"temperature": None, "top_p": None}, (0.8, 0.95)),
        ({"temperature": 0, "top_p": 0}, (0, 0)),
        ({"temperature": 2, "top_p": 1}, (2, 1)),
        ({"temperature": "0.3", "top_p": "0.5"}, (0.3, 0.5)),
    ],
    ids=["omitted", "null", "lowest", "highest", "texts"],
)
def test_numbers_are_taken_as_numbers_or_texts(
    gateway: Gateway, sandbox: Sandbox, question: str, fields: dict[str, Any], sent: tuple[float, float]
) -> None:
    """`temperature` and `top_p` reach Grok as numbers; null and nothing mean the default."""
    ask(gateway, question, **fields).raise_for_status()

    [asked] = sandbox.asked(question)
    override = asked["body"]["responseMetadata"]["modelConfigOverride"]
    assert override == {"temperature": sent[0], "topP": sent[1]}


def test_unknown_and_null_fields_are_ignored(gateway: Gateway) -> None:
    """Fields of other services do no harm, nor does null in an optional field."""
    fields = {
        "n": 1,
        "seed": 7,
        "user": "someone",
        "logit_bias": {},
        "tools": None,
        "reasoning_effort": None,
        "stream_options": None,
        "max_tokens": 100,
        "something_new": {"deep": [1]},
    }

    assert ask(gateway, "Hi", stream=False, **fields).status_code == 200


@pytest.mark.parametrize("word", ["true", "1", "Yes", True], ids=repr)
def test_include_usage_may_be_a_word(gateway: Gateway, word: Any) -> None:
    """`stream_options.include_usage` is a boolean like any other."""
    answer = ask(gateway, "Hi", stream=True, stream_options={"include_usage": word})

    assert '"choices":[],"usage":{' in answer.text
