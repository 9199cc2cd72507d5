"""`POST /v1/chat/completions`. Source: API contract, section 5."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any, Final

import orjson
from fastapi import APIRouter, Depends, Request, Response

from grok_app.api.body import json_body, read_with_files
from grok_app.api.deps import Current, own_url, require_api_key, take_room, take_turn
from grok_app.api.held import Held
from grok_app.api.lifting import Lifter
from grok_app.api.openai.chat_body import ChatBody, CompletionBody
from grok_app.api.openai.chunks import completion, write_chunks
from grok_app.api.openai.images import answer_edit, answer_images
from grok_app.api.openai.video_answer import as_chat
from grok_app.api.responses import NOBODY_LEFT, json_response
from grok_app.api.sse import DONE, EventStream, stream_of
from grok_app.api.until import until_disconnect
from grok_app.catalog import Serves
from grok_app.chat import Event, gather, shows_thinking
from grok_app.errors import GatewayError
from grok_app.runtime import Services

router = APIRouter(tags=["chat"], dependencies=[Depends(require_api_key)])
ANSWER: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The answer",
        "content": {
            "application/json": {
                "schema": {"type": "object", "description": "A `chat.completion`, when not streaming."}
            },
            **stream_of("`chat.completion.chunk` events, then `[DONE]`, when streaming."),
        },
    }
}
"""The OpenAPI description of a chat's answer."""


@router.post(
    "/chat/completions",
    summary="Answer a conversation",
    openapi_extra=json_body(CompletionBody),
    responses=ANSWER,
)
async def chat_completions(request: Request, services: Current, files: Held) -> Response:
    """Answer a conversation, streamed (`text/event-stream`) or whole.

    The image models answer with pictures, as `POST images/generations` does, the video model with a video.
    """
    await take_turn(request, services, files)
    body, lifter = await read_with_files(request, CompletionBody, files)
    if body.serves is not Serves.VIDEO:
        await take_room(services, files)
    settings = services.settings.snapshot
    is_streamed = body.is_streamed(settings)
    has_think_tags = settings.app.thinking_format == "think_tags"
    match body.serves:
        case Serves.CHAT:
            return await answer_chat(services, request, body, lifter, has_think_tags=has_think_tags)
        case Serves.VIDEO:
            video = body.as_video(lifter, own_url(request, services))
            shows_progress = is_streamed and shows_thinking(body.reasoning_effort, settings)
            events = as_chat(services.video.stream(video), video, settings, shows_progress=shows_progress)
            return await _answer(events, body, request, is_streamed=is_streamed, has_think_tags=has_think_tags)
        case Serves.IMAGES:
            images = body.as_images(body.images.form(settings), own_url(request, services))
            return await answer_images(services, request, images, body.images, is_streamed=is_streamed)
        case Serves.EDITS:
            edit = body.as_edit(lifter, body.images.form(settings), own_url(request, services))
            return await answer_edit(services, request, edit, body.images, is_streamed=is_streamed)


async def answer_chat(
    services: Services, request: Request, body: ChatBody, lifter: Lifter, *, has_think_tags: bool
) -> Response:
    """The answer of a text model, streamed or whole.

    Args:
        services: Who answers.
        request: Ends the work when its caller goes.
        body: What to answer.
        lifter: Finds the files of the body.
        has_think_tags: Whether thinking is part of the text; else it has a field of its own.

    Raises:
        InvalidRequestError: An attachment is not what it says it is, or there are too many.
    """
    is_streamed = body.is_streamed(services.settings.snapshot)
    chat = body.as_chat(lifter, own_url(request, services))
    events = services.chat.stream(chat, shows_progress=is_streamed)
    return await _answer(events, body, request, is_streamed=is_streamed, has_think_tags=has_think_tags)


async def _answer(
    events: AsyncGenerator[Sequence[Event], None],
    body: ChatBody,
    request: Request,
    *,
    is_streamed: bool,
    has_think_tags: bool,
) -> Response:
    if is_streamed:
        with_usage = bool(body.stream_options and body.stream_options.include_usage)
        chunks = write_chunks(events, body.model, has_think_tags=has_think_tags, with_usage=with_usage)
        return EventStream(chunks, end_with_error)
    answer = await until_disconnect(gather(events), request.receive)
    return json_response(completion(answer, body.model, has_think_tags=has_think_tags)) if answer else NOBODY_LEFT


def end_with_error(error: GatewayError) -> bytes:
    """What ends a stream that broke: the error, then `[DONE]`, never just a cut connection."""
    return b"data: " + orjson.dumps(error.body()) + b"\n\n" + DONE
