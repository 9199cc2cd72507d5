"""`/v1/public/imagine/…`: a wish is left, and fulfilled again and again as server-sent events."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, ValidationError

from grok_app.api.body import json_body, read_json
from grok_app.api.deps import Bearer, Current, address_of, refuse_foreign_pages
from grok_app.api.errors import schema_error
from grok_app.api.held import Held
from grok_app.api.public.run import Run, problem
from grok_app.api.public.tasks import VISITOR, StopBody, events_of, stop_tasks
from grok_app.api.public.wishes import USUAL_RATIO, DrawingWish
from grok_app.api.responses import json_response
from grok_app.api.sse import EndlessStream
from grok_app.runtime import Services

router = APIRouter(prefix="/imagine", tags=["public"])
_EVENTS: Final = events_of(
    "Unnamed events, told apart by `type`: `status`, the image events of `images/generations`, and `error`."
)


class DrawingQuery(BaseModel):
    """What an EventSource can say."""

    task_id: str = Field("", description="Of `imagine/start`. It is enough: no key, no prompt is needed.")
    prompt: str | None = Field(None, description="Without a task: what shall be drawn.")
    aspect_ratio: str = USUAL_RATIO
    nsfw: str | None = None
    public_key: str | None = Field(None, description="The key, for clients that can't send headers.")


@router.get("/config", summary="What pages must know")
async def show_config(services: Current) -> Response:
    """The sizes, in characters of base64, from which a picture is medium or final, and the usual adult content."""
    image = services.settings.snapshot.image
    sizes = {"final_min_bytes": image.final_min_bytes, "medium_min_bytes": image.medium_min_bytes}
    return json_response({**sizes, "nsfw": image.nsfw})


@router.post("/start", summary="Leave a wish", dependencies=VISITOR, openapi_extra=json_body(DrawingWish))
async def start_drawing(request: Request, services: Current) -> Response:
    """Remember what shall be drawn. Its `task_id` opens the stream, without a key, until unused for 600 s."""
    wish = await read_json(request, DrawingWish)
    ticket = await services.drawings.issue(wish.as_request(), address_of(request, services))
    return json_response({"task_id": ticket.id, "aspect_ratio": wish.aspect_ratio})


@router.post("/stop", summary="End tasks", dependencies=VISITOR, openapi_extra=json_body(StopBody))
async def stop_drawing(request: Request, services: Current) -> Response:
    """End these tasks and their streams."""
    return await stop_tasks(request, services.drawings)


@router.get(
    "/sse",
    summary="Pictures without end",
    response_class=Response,
    responses=_EVENTS,
    openapi_extra={"security": [{}]},  # a task's id is enough
)
async def stream_drawings(
    request: Request, services: Current, held: Held, bearer: Bearer, asked: Annotated[DrawingQuery, Query()]
) -> Response:
    """Draw batch after batch of six pictures, until the task is stopped or the client goes."""
    if asked.task_id:
        ticket = await services.drawings.find(asked.task_id)
        held.enter_context(await services.drawings.use(ticket))
        run, stopped = Run(ticket.asked), ticket.withdrawn
    else:
        refuse_foreign_pages(request, services)
        services.access.check_public(bearer.credentials if bearer else asked.public_key)
        run, stopped = Run(_read(asked).as_request()), None
    held.enter_context(await services.visitors.running(address_of(request, services)))
    return EndlessStream(
        _write_events(run, services),
        lambda error: _write(problem(error)),
        stopped=stopped,
        farewell=_write(run.stopped()),
    )


async def _write_events(run: Run, services: Services) -> AsyncGenerator[bytes, None]:
    yield _write(run.running())
    async with aclosing(services.imagine.endless(run.wish)) as events:
        async for event in events:
            yield _write(run.news(event))


def _read(asked: DrawingQuery) -> DrawingWish:
    try:
        return DrawingWish.model_validate(asked.model_dump())
    except ValidationError as error:
        raise schema_error(error) from error


def _write(content: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % orjson.dumps(content)
