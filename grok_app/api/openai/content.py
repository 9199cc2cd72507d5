"""The rules for a message's content. Source: API contract, section 5.1.

Each rule raises a pydantic error whose context says, as `at`, which field below the message is meant.
"""

from typing import Any, Final

from pydantic_core import PydanticCustomError

from grok_app.api.openai.loose import NOT_BLANK

MOST_BLOCKS: Final = 1_000
"""Of one message."""
_MEDIA_PATTERN: Final = "^(https?://|data:[^,]+;base64,.)"
"""What every media value matches, for OpenAPI."""
ROLES: Final = ("assistant", "developer", "system", "user")
_USER_BLOCKS: Final = ("text", "image_url", "input_audio", "file")
_MEDIA: Final = {
    "image_url": ("url", "missing_url"),
    "input_audio": ("data", "missing_audio"),
    "file": ("file_data", "missing_file"),
}
"""Of each media block: the field that holds the media, and the code when it is not there."""


def _block_schema(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": ["type", kind], "properties": {"type": {"const": kind}, kind: content}}


def _holder_schema(field: str) -> dict[str, Any]:
    media = {"type": "string", "pattern": _MEDIA_PATTERN, "description": "A data URI or an address."}
    return {"type": "object", "required": [field], "properties": {field: media}}


_TEXT_SCHEMA: Final = {"type": "string", "pattern": NOT_BLANK}
CONTENT_SCHEMA: Final = {
    "anyOf": [
        _TEXT_SCHEMA,
        {
            "type": "array",
            "minItems": 1,
            "items": {
                "anyOf": [
                    _block_schema("text", _TEXT_SCHEMA),
                    *(_block_schema(kind, _holder_schema(field)) for kind, (field, _) in _MEDIA.items()),
                ]
            },
        },
    ]
}
"""What a content may be, for OpenAPI."""


def check_message(role: object, content: object) -> None:
    """Check role and content of one message.

    Raises:
        PydanticCustomError: The first thing that is wrong, with the contract's code and message.
    """
    if role not in ROLES:
        raise _wrong("role", "invalid_role", f"role must be one of {list(ROLES)}")
    if isinstance(content, str):
        if not content.strip():
            raise _wrong("content", "empty_content", "Message content cannot be empty")
    elif not isinstance(content, list):
        raise _wrong("content", "invalid_content", "Message content must be a string or array")
    elif not content:
        raise _wrong("content", "empty_content", "Message content cannot be an empty array")
    elif len(content) > MOST_BLOCKS:
        raise _wrong("content", "too_many_blocks", f"Too many content blocks. Maximum is {MOST_BLOCKS}.")
    else:
        for index, block in enumerate(content):
            _check_block(str(role), block, f"content.{index}")


def message_text(content: str | list[dict[str, Any]]) -> str:
    """The text of a checked content: its text blocks, joined with a newline."""
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content if block["type"] == "text")


def is_url(value: str) -> bool:
    """Whether this is an http address."""
    return value[:8].lower().startswith(("http://", "https://"))


def is_data_uri(value: str) -> bool:
    """Whether this is `data:<mime>;base64,…` with something in both places."""
    head, comma, data = value.partition(",")
    return (
        bool(comma and data)
        and head.startswith("data:")
        and head.endswith(";base64")
        and len(head) > len("data:;base64")
    )


def _check_block(role: str, block: object, at: str) -> None:
    if not isinstance(block, dict):
        raise _wrong(at, "invalid_block", "Content block must be an object")
    if not block:
        raise _wrong(at, "empty_block", "Content block cannot be empty")
    if "type" not in block:
        raise _wrong(at, "missing_type", "Content block must have a 'type' field")
    kind = block["type"]
    if not isinstance(kind, str) or not kind.strip():
        raise _wrong(f"{at}.type", "empty_type", "Content block 'type' cannot be empty")
    if role == "user" and kind not in _USER_BLOCKS:
        raise _wrong(f"{at}.type", "invalid_type", f"Invalid content block type: '{kind}'")
    if role != "user" and kind != "text":
        raise _wrong(f"{at}.type", "invalid_type", f"The `{role}` role only supports 'text' type, got '{kind}'")
    if kind == "text":
        _check_text(block.get("text"), at)
    else:
        _check_media(kind, block.get(kind), at)


def _check_text(text: object, at: str) -> None:
    if not isinstance(text, str) or not text.strip():
        raise _wrong(f"{at}.text", "empty_text", "Text content cannot be empty")


def _check_media(kind: str, holder: object, at: str) -> None:
    field, missing = _MEDIA[kind]
    if not isinstance(holder, dict) or field not in holder:
        raise _wrong(f"{at}.{kind}", missing, f"{kind} must have a '{field}' field")
    name = f"{kind}.{field}"
    if fault := media_fault(holder[field], name):
        raise _wrong(f"{at}.{name}", *fault)


def media_fault(value: object, name: str) -> tuple[str, str] | None:
    """What is wrong with a media value, as a code and a sentence; None when nothing is.

    Args:
        value: Neither fetched nor decoded.
        name: The field, as people know it.
    """
    if not isinstance(value, str) or not value.strip():
        return "empty_media", f"{name} cannot be empty"
    if is_url(value) or is_data_uri(value):
        return None
    if value.startswith("data:") or "://" in value or not _looks_like_base64(value):
        return "invalid_media", f"{name} must be a URL or data URI"
    return "invalid_media", f"{name} base64 must be provided as a data URI (data:<mime>;base64,...)"


def _looks_like_base64(value: str) -> bool:
    sample = "".join(value[:256].split())
    return len(sample) >= 16 and sample.rstrip("=").replace("+", "").replace("/", "").isalnum()  # noqa: PLR2004 - shorter is a word


def _wrong(at: str, code: str, message: str) -> PydanticCustomError:
    # Braces in a caller's words must not be read as placeholders of the template.
    return PydanticCustomError(code, "{message}", {"message": message, "at": at})
