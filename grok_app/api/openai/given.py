"""Files within requests: media values of blocks and fields, as sources. Source: API contract, sections 5.1 and 5.2."""

from binascii import Error as Base64Error
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any, Final

from pybase64 import b64decode

from grok_app.api.lifting import Fault, Lifter
from grok_app.api.openai.content import is_url
from grok_app.errors import InvalidRequestError
from grok_app.media import Source, SourceKind, field_of, too_large

MOST_ATTACHMENTS: Final = 64
"""Of a whole conversation: clients send the pictures of earlier turns again and again."""
_BLOCKS: Final = {
    "image_url": ("url", SourceKind.IMAGE),
    "input_audio": ("data", SourceKind.AUDIO),
    "file": ("file_data", SourceKind.FILE),
}
"""Of each media block: the field that holds the media, and what it must be."""


def attachments(messages: Sequence[Any], lifter: Lifter) -> tuple[Source, ...]:
    """The files of all checked messages, in their order.

    Raises:
        InvalidRequestError: One is not what it says it is, or there are too many.
    """
    blocks = list(_media_blocks(messages))
    if len(blocks) > MOST_ATTACHMENTS:
        message = f"Too many attachments. Maximum is {MOST_ATTACHMENTS}."
        raise InvalidRequestError(message, param="messages", code="too_many_attachments")
    return tuple(_of_block(block, at, lifter) for block, at in blocks)


def image(messages: Sequence[Any], kind: SourceKind, lifter: Lifter, which: int) -> Source | None:
    """The first image of all checked messages, or with -1 the last one; None without any. See `attachments`."""
    blocks = [(block, at) for block, at in _media_blocks(messages) if block["type"] == "image_url"]
    return _of_block(*blocks[which], lifter, kind) if blocks else None


def source(value: str, kind: SourceKind, param: str, lifter: Lifter, name: str = "") -> Source:
    """The file that a media value is or names.

    Raises:
        InvalidRequestError: It is neither an address nor a data URI, or its content is no base64.
    """
    if is_url(value):
        return Source(kind, param, value, name)
    field = field_of(param)
    head, comma, payload = value.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        raise InvalidRequestError(f"{field} must be a URL or data URI", param=param, code="invalid_media")
    if lifted := lifter.find(value):
        if lifted.error is Fault.TOO_LARGE:
            raise too_large(kind, param)
        if lifted.error:
            raise InvalidRequestError(f"{field} {lifted.error}", param=param, code="invalid_media")
        return Source(kind, param, lifted.content, name, lifted.mime_type)
    try:
        content = b64decode(payload, validate=True)
    except (Base64Error, ValueError):
        raise InvalidRequestError(f"{field} {Fault.NOT_BASE64}", param=param, code="invalid_media") from None
    mime_type = head.removeprefix("data:").partition(";")[0].strip().lower()
    return Source(kind, param, BytesIO(content), name, mime_type)


def last_text(messages: Sequence[Any]) -> str:
    """The last text of any checked message.

    Raises:
        InvalidRequestError: There is none.
    """
    texts = [text for message in messages for text in _texts(message.content)]
    if not texts:
        raise InvalidRequestError("Prompt cannot be empty", param="messages", code="empty_prompt")
    return texts[-1]


def _texts(content: str | list[dict[str, Any]]) -> list[str]:
    return [content] if isinstance(content, str) else [block["text"] for block in content if block["type"] == "text"]


def _media_blocks(messages: Sequence[Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Each block that is no text, and its place."""
    for number, message in enumerate(messages):
        for index, block in enumerate(message.content if isinstance(message.content, list) else ()):
            if block["type"] in _BLOCKS:
                yield block, f"messages.{number}.content.{index}"


def _of_block(block: dict[str, Any], at: str, lifter: Lifter, kind: SourceKind | None = None) -> Source:
    holder = block[block["type"]]
    field, usual_kind = _BLOCKS[block["type"]]
    name = holder.get("filename")
    param = f"{at}.{block['type']}.{field}"
    return source(holder[field], kind or usual_kind, param, lifter, name if isinstance(name, str) else "")
