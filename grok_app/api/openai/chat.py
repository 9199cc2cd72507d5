"""`POST /v1/chat/completions`. Source: API contract, section 5."""

from collections.abc import AsyncGenerator
from typing import Final

import orjson
from fastapi import APIRouter, Depends, Request, Response

from grok_app.api.body import json_body, read_with_files
from grok_app.api.deps import Current, own_url, require_api_key
from grok_app.api.held import Held
from grok_app.api.openai.chat_body import ChatBody
from grok_app.api.openai.chunks import completion, write_chunks
from grok_app.api.openai.images import answer_edit, answer_images
from grok_app.api.openai.video_answer import as_chat
from grok_app.api.responses import NOBODY_LEFT, json_response
from grok_app.api.sse import DONE, EventStream
from grok_app.api.until import until_disconnect
from grok_app.catalog import Serves
from grok_app.chat import Event, gather, shows_thinking
from grok_app.errors import GatewayError
from grok_app.runtime import Services

router = APIRouter(tags=["chat"], dependencies=[Depends(require_api_key)])
_ANSWER: Final = {
    "application/json": {"schema": {"type": "object", "description": "A `chat.completion`, when not streaming."}},
    "text/event-stream": {
        "schema": {"type": "string", "description": "`chat.completion.chunk` events, then `[DONE]`, when streaming."}
    },
}


@router.post(
    "/chat/completions",
    summary="Answer a conversation",
    openapi_extra=json_body(ChatBody),
    responses={200: {"description": "The answer", "content": _ANSWER}},
)
async def chat_completions(request: Request, services: Current, files: Held) -> Response:
    """Answer a conversation, streamed (`text/event-stream`) or whole.

    The image models answer with pictures, as `POST images/generations` does, the video model with a video.
    """
    body, lifter = await read_with_files(request, ChatBody, files)
    settings = services.settings.snapshot
    is_streamed = settings.app.stream if body.stream is None else body.stream
    at = own_url(request, services)
    match body.serves:
        case Serves.CHAT:
            chat = services.chat.stream(body.as_chat(lifter, at), shows_progress=is_streamed)
            return await _answer(chat, body, request, services, is_streamed=is_streamed)
        case Serves.VIDEO:
            video = body.as_video(lifter, at)
            shows_progress = is_streamed and shows_thinking(body.reasoning_effort, settings)
            events = as_chat(services.video.stream(video), video, settings, shows_progress=shows_progress)
            return await _answer(events, body, request, services, is_streamed=is_streamed)
        case Serves.IMAGES:
            images = body.as_images(body.images.form(settings), at)
            return await answer_images(services, request, images, body.images, is_streamed=is_streamed)
        case Serves.EDITS:
            edit = body.as_edit(lifter, body.images.form(settings), at)
            return await answer_edit(services, request, edit, body.images, is_streamed=is_streamed)


async def _answer(
    events: AsyncGenerator[Event, None], body: ChatBody, request: Request, services: Services, *, is_streamed: bool
) -> Response:
    has_think_tags = services.settings.snapshot.app.thinking_format == "think_tags"
    if is_streamed:
        with_usage = bool(body.stream_options and body.stream_options.include_usage)
        chunks = write_chunks(events, body.model, has_think_tags=has_think_tags, with_usage=with_usage)
        return EventStream(chunks, end_with_error)
    answer = await until_disconnect(gather(events), request.receive)
    return json_response(completion(answer, body.model, has_think_tags=has_think_tags)) if answer else NOBODY_LEFT


def end_with_error(error: GatewayError) -> bytes:
    """What ends a stream that broke: the error, then `[DONE]`, never just a cut connection."""
    return b"data: " + orjson.dumps(error.body()) + b"\n\n" + DONE
