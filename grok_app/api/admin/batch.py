"""Long work of the admin API: watched, paused, cancelled. Source: API contract, section 10."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from typing import Any, Final

import orjson
from fastapi import APIRouter, Depends, Response

from grok_app.api.deps import Current, require_app_key, require_app_key_or_query
from grok_app.api.responses import json_response
from grok_app.api.sse import EventStream, stream_of
from grok_app.errors import GatewayError
from grok_app.tasks import Ended, Event, ItemFinished, Record, Snapshot, Status

router = APIRouter(prefix="/batch/{task_id}", tags=["admin"])
_OPERATOR: Final = [Depends(require_app_key)]
_EVENTS: Final = stream_of("A `snapshot`, a `progress` per item, and one last `done`, `error` or `cancelled`.")


@router.get(
    "/stream",
    summary="Watch a task",
    dependencies=[Depends(require_app_key_or_query)],
    response_class=Response,
    responses={200: {"description": "The events", "content": _EVENTS}},
)
async def stream_task(task_id: str, services: Current) -> Response:
    """Where the task stands, each item that finishes from now on, and its end."""
    task = await services.tasks.get(task_id)
    return EventStream(_write_events(task), lambda error: _end_with_error(task, error), comment="ping")


@router.post("/cancel", summary="Cancel a task", dependencies=_OPERATOR)
async def cancel_task(task_id: str, services: Current) -> Response:
    """Start no new item; those under way finish. A task that is over stays as it is."""
    await services.tasks.cancel(task_id)
    return json_response({"status": "success"})


@router.post("/pause", summary="Pause a task", dependencies=_OPERATOR)
async def pause_task(task_id: str, services: Current) -> Response:
    """Start no new item until the task is resumed. A task that is over stays as it is."""
    await services.tasks.pause(task_id)
    return json_response({"status": "success"})


@router.post("/resume", summary="Resume a task", dependencies=_OPERATOR)
async def resume_task(task_id: str, services: Current) -> Response:
    """Go on after a pause. A task that is not paused stays as it is."""
    await services.tasks.resume(task_id)
    return json_response({"status": "success"})


async def _write_events(task: Record) -> AsyncGenerator[bytes, None]:
    async with aclosing(task.watch()) as events:
        async for event in events:
            yield _write(_as_json(event))


def _end_with_error(task: Record, error: GatewayError) -> bytes:
    """What ends a stream that breaks, although the task goes on or is broken off by the server's end."""
    return _write({"type": "error", **asdict(task.progress()), "error": error.message})


def _as_json(event: Event) -> dict[str, Any]:
    content = asdict(event.progress)
    match event:
        case Snapshot():
            return {"type": "snapshot", **content}
        case ItemFinished(outcome=outcome):
            failure = {} if outcome.is_ok else {"error": outcome.reason}
            return {"type": "progress", **content, "item": outcome.item, **failure}
        case Ended(progress=progress, result=result, error=error):
            detail = {Status.DONE: {"result": result}, Status.ERROR: {"error": error}}.get(progress.status, {})
            return {"type": progress.status, **content, **detail}


def _write(content: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(content) + b"\n\n"
