"""Whether the process is up, and whether it can serve."""

from fastapi import APIRouter, Response

from grok_app.api.deps import Current
from grok_app.api.responses import json_response
from grok_app.errors import OverloadedError

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Is the process up?")
async def healthz() -> Response:
    """Answers as long as the process runs."""
    return json_response({"status": "ok"})


@router.get("/readyz", summary="Can it serve?")
async def readyz(services: Current) -> Response:
    """Answers 200 when everything that requests need answers too, else 503 with the name of what doesn't."""
    if failed := await services.find_failures():
        raise OverloadedError(f"Not ready: {', '.join(failed)} does not answer", code="not_ready")
    return json_response({"status": "ready"})
