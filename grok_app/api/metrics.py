"""What Prometheus reads. Source: API contract, section 1."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from grok_app.api.deps import Bearer, Current, SessionCookie, require_app_key

router = APIRouter(tags=["health"])


_ANSWER: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {kind: {"schema": {"type": "string"}} for kind in ("text/plain", "application/openmetrics-text")}}
}


@router.get("/metrics", summary="What can be measured?", response_class=Response, responses=_ANSWER)
async def metrics(request: Request, services: Current, bearer: Bearer, cookie: SessionCookie) -> Response:
    """Answers the operator, or everybody with `app.metrics_public`: Prometheus' text, or OpenMetrics on request."""
    if not services.settings.snapshot.app.metrics_public:
        await require_app_key(request, services, bearer, cookie)
    text, content_type = await services.insight.exposition(request.headers.get("accept", ""))
    return Response(text, headers={"content-type": content_type, "cache-control": "no-store"})
