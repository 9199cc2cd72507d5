"""What the tasks of visitors have in common: who may leave and stop them, and how their streams are described."""

from typing import Any, Final

from fastapi import Depends, Request, Response
from pydantic import BaseModel, Field

from grok_app.access import Tickets
from grok_app.api.body import read_json
from grok_app.api.deps import require_public_key
from grok_app.api.responses import json_response
from grok_app.api.sse import stream_of

VISITOR: Final = [Depends(require_public_key)]


class StopBody(BaseModel):
    """What shall end."""

    task_ids: list[str] = Field(max_length=1000)


async def stop_tasks(request: Request, tickets: Tickets[Any]) -> Response:
    """End the tasks that the body names, and their streams."""
    body = await read_json(request, StopBody)
    return json_response({"status": "success", "removed": await tickets.withdraw(body.task_ids)})


def events_of(description: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI description of an answer that is a stream of events."""
    return {200: {"description": "The events", "content": stream_of(description)}}
