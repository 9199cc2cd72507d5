"""`POST /v1/chat/completions`. Source: API contract, section 5."""

from typing import Final

import orjson
from fastapi import APIRouter, Depends, Request, Response

from grok_app.api.body import json_body, read_json
from grok_app.api.deps import Current, require_api_key
from grok_app.api.openai.chat_body import ChatBody
from grok_app.api.openai.chunks import completion, write_chunks
from grok_app.api.responses import json_response
from grok_app.api.sse import DONE, EventStream, until_disconnect
from grok_app.errors import GatewayError

router = APIRouter(tags=["chat"], dependencies=[Depends(require_api_key)])
_ANSWER: Final = {
    "application/json": {"schema": {"type": "object", "description": "A `chat.completion`, when not streaming."}},
    "text/event-stream": {
        "schema": {"type": "string", "description": "`chat.completion.chunk` events, then `[DONE]`, when streaming."}
    },
}
_NOBODY_LEFT: Final = Response(status_code=499)


@router.post(
    "/chat/completions",
    summary="Answer a conversation",
    openapi_extra=json_body(ChatBody),
    responses={200: {"description": "The answer", "content": _ANSWER}},
)
async def chat_completions(request: Request, services: Current) -> Response:
    """Answer a conversation, streamed (`text/event-stream`) or whole."""
    body = await read_json(request, ChatBody)
    chat = body.as_request()
    app = services.settings.snapshot.app
    has_think_tags = app.thinking_format == "think_tags"
    if app.stream if body.stream is None else body.stream:
        with_usage = bool(body.stream_options and body.stream_options.include_usage)
        events = services.chat.stream(chat)
        return EventStream(
            write_chunks(events, body.model, has_think_tags=has_think_tags, with_usage=with_usage), end_with_error
        )
    answer = await until_disconnect(services.chat.answer(chat), request.receive)
    return json_response(completion(answer, body.model, has_think_tags=has_think_tags)) if answer else _NOBODY_LEFT


def end_with_error(error: GatewayError) -> bytes:
    """What ends a stream that broke: the error, then `[DONE]`, never just a cut connection."""
    return b"data: " + orjson.dumps(error.body()) + b"\n\n" + DONE
