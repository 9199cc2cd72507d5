"""What the tasks of visitors have in common: who may leave and stop them, and how their streams are described."""

from typing import Any, Final

from fastapi import Depends, Request, Response
from pydantic import BaseModel, Field

from grok_app.access import Tickets
from grok_app.api.body import read_json
from grok_app.api.deps import require_public_key
from grok_app.api.responses import json_response

VISITOR: Final = [Depends(require_public_key)]
TEXT_BYTES: Final = 1 << 20
"""Of a body without files."""


class StopBody(BaseModel):
    """What shall end."""

    task_ids: list[str] = Field(max_length=1000)


async def stop_tasks(request: Request, tickets: Tickets[Any]) -> Response:
    """End the tasks that the body names, and their streams."""
    body = await read_json(request, StopBody, limit_bytes=TEXT_BYTES)
    return json_response({"status": "success", "removed": tickets.withdraw(body.task_ids)})


def events_of(description: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI description of a stream of events."""
    content = {"text/event-stream": {"schema": {"type": "string", "description": description}}}
    return {200: {"description": "The events", "content": content}}
