"""`/v1/public/video/…`: a wish is left, and fulfilled once, as chunks of a chat. Source: API contract, section 9."""

import os
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing
from typing import Annotated, Final

import orjson
from fastapi import APIRouter, Query, Request, Response

from grok_app.api.body import json_body, read_with_files
from grok_app.api.deps import Current, address_of, own_url
from grok_app.api.held import Held
from grok_app.api.openai.chat import end_with_error
from grok_app.api.openai.chunks import write_chunks
from grok_app.api.openai.video_answer import VideoAnswer
from grok_app.api.public.tasks import VISITOR, StopBody, events_of, stop_tasks
from grok_app.api.public.wishes import FilmWish
from grok_app.api.request_scope import IS_HEAD
from grok_app.api.responses import json_response
from grok_app.api.sse import DONE, EventStream
from grok_app.catalog import VIDEO
from grok_app.chat import Event, ReasoningEffort, shows_thinking
from grok_app.media import storing
from grok_app.runtime import Services
from grok_app.video import Filming, VideoRequest

router = APIRouter(prefix="/video", tags=["public"])
_EVENTS: Final = events_of("`chat.completion.chunk` events, `progress` events with a number, then `[DONE]`.")


@router.post("/start", summary="Leave a wish", dependencies=VISITOR, openapi_extra=json_body(FilmWish))
async def start_film(request: Request, services: Current) -> Response:
    """Remember what shall be filmed. Its `task_id` opens the stream once, without a key, within 600 s."""
    with ExitStack() as held:
        wish, lifter = await read_with_files(request, FilmWish, held)
        video = wish.as_video(lifter, own_url(request, services))
        await services.video.check(video)
        ticket = await services.films.issue(
            (video, wish.reasoning_effort),
            address_of(request, services),
            files=held.pop_all(),
            size_bytes=_size_bytes(video),
        )
    return json_response({"task_id": ticket.id, "aspect_ratio": video.aspect_ratio})


@router.post("/stop", summary="End tasks", dependencies=VISITOR, openapi_extra=json_body(StopBody))
async def stop_film(request: Request, services: Current) -> Response:
    """End these tasks and their streams."""
    return await stop_tasks(request, services.films)


@router.get("/sse", summary="The video of a task", response_class=Response, responses=_EVENTS)
async def stream_film(
    request: Request,
    services: Current,
    held: Held,
    task_id: Annotated[str, Query(description="Of `video/start`. It is enough, no key is needed.")],
) -> Response:
    """Make the video: how far it is, as text and as numbers, and where it is in the end."""
    ticket = await services.films.find(task_id)
    held.enter_context(await services.visitors.running(address_of(request, services)))
    with storing():
        held.enter_context(await services.films.use(ticket, once=IS_HEAD not in request.scope))
    chunks = _write_events(*ticket.asked, services)
    return EventStream(chunks, end_with_error, stopped=ticket.withdrawn, farewell=DONE)


async def _write_events(
    video: VideoRequest, effort: ReasoningEffort | None, services: Services
) -> AsyncGenerator[bytes, None]:
    yield b": the task was found\n\n"  # from here on errors are events: an EventSource can't read a status
    settings = services.settings.snapshot
    answer = VideoAnswer(video, settings, shows_progress=shows_thinking(effort, settings))
    has_think_tags = settings.app.thinking_format == "think_tags"
    events = _with_numbers(video, answer, services)
    async with aclosing(write_chunks(events, VIDEO.id, has_think_tags=has_think_tags, with_usage=False)) as chunks:
        async for chunk in chunks:
            yield chunk


async def _with_numbers(
    video: VideoRequest, answer: VideoAnswer, services: Services
) -> AsyncGenerator[list[Event | bytes], None]:
    async with aclosing(services.video.stream(video)) as events:
        async for event in events:
            told: list[Event | bytes] = [*answer.tell(event)]
            if isinstance(event, Filming):
                told.append(b"event: progress\ndata: %b\n\n" % orjson.dumps({"progress": event.percent}))
            yield told
    yield [answer.finished()]


def _size_bytes(video: VideoRequest) -> int:
    content = video.image.content if video.image else ""
    return 0 if isinstance(content, str) else content.seek(0, os.SEEK_END)
