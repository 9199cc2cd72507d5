"""Pictures in OpenAI's words: the whole answer, and the events of a stream. Source: API contract, section 6."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final

import orjson

from grok_app.errors import GatewayError
from grok_app.imagine import Form, ImageUsage, Picture, Pictures, Progress, Stage

_PARTIAL: Final = "image_generation.partial_image"
_COMPLETED: Final = "image_generation.completed"


def images_json(pictures: Pictures, form: Form) -> dict[str, Any]:
    """The object of a whole answer."""
    answer: dict[str, Any] = {
        "created": int(time.time()),
        "data": [{form: picture.content} for picture in pictures.pictures],
        "usage": _usage_json(pictures.usage),
    }
    return answer if pictures.warning is None else {**answer, "warning": pictures.warning}


async def write_image_events(
    events: AsyncGenerator[Picture, None] | AsyncGenerator[Picture | Progress, None],
    form: Form,
    size: str,
    usage: ImageUsage,
) -> AsyncGenerator[bytes, None]:
    """The events of a streamed answer. See `image_event`."""
    async with aclosing(events):
        async for event in events:
            content = image_event(event, form, size, usage)
            yield _write(content["type"], content)


def image_event(event: Picture | Progress, form: Form, size: str, usage: ImageUsage) -> dict[str, Any]:
    """The object of an event; its `type` says which. `usage` is that of one picture."""
    content: dict[str, Any] = {
        "type": _PARTIAL,
        form: "",
        "index": event.index,
        "created_at": int(time.time()),
        "size": size,
        "image_id": "",
        "stage": "preview",
        "partial_image_index": event.step,
    }
    if isinstance(event, Progress):
        return {**content, "progress": event.percent}
    content |= {form: event.content, "image_id": event.id, "stage": event.stage.name.lower()}
    if event.stage is Stage.FINAL:
        content |= {"type": _COMPLETED, "usage": _usage_json(usage)}
    return content


def end_images_with_error(error: GatewayError) -> bytes:
    """What ends a stream of pictures that broke."""
    return _write("error", error.body())


def _usage_json(usage: ImageUsage) -> dict[str, Any]:
    return {
        "total_tokens": usage.total_tokens,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "input_tokens_details": {"text_tokens": usage.text_tokens, "image_tokens": usage.image_tokens},
    }


def _write(name: str, content: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), orjson.dumps(content))
