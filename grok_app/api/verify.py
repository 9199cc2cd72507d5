"""Is this key right? For clients that want to know before they begin."""

from fastapi import APIRouter, Depends, Response

from grok_app.api.deps import require_app_key, require_public_key
from grok_app.api.responses import json_response

admin = APIRouter(tags=["admin"], dependencies=[Depends(require_app_key)])
public = APIRouter(tags=["public"], dependencies=[Depends(require_public_key)])


@admin.get("/verify", summary="Check the operator's key")
@public.get("/verify", summary="Check the public key")
async def verify() -> Response:
    """Answers `{"status": "success"}` to the right key, 401 to any other."""
    return json_response({"status": "success"})
