"""The models on offer. Source: API contract, section 4."""

from typing import Any

from fastapi import APIRouter, Depends, Response

from grok_app.api.deps import require_api_key
from grok_app.api.responses import json_response
from grok_app.catalog import CREATED, MODELS, Model
from grok_app.errors import NotFoundError

router = APIRouter(tags=["models"], dependencies=[Depends(require_api_key)])


@router.get("/models", summary="List the models")
async def list_models() -> Response:
    """Every model, in catalogue order."""
    return json_response({"object": "list", "data": [_as_json(model) for model in MODELS.values()]})


@router.get("/models/{model_id}", summary="Look a model up")
async def get_model(model_id: str) -> Response:
    """One model; 404 with code `model_not_found` when there is none of this id."""
    if (model := MODELS.get(model_id)) is None:
        raise NotFoundError(unknown_model(model_id), code="model_not_found", param="model")
    return json_response(_as_json(model))


def unknown_model(model_id: str) -> str:
    """What we say of a model that is not in the catalogue."""
    return f"The model `{model_id}` does not exist or you do not have access to it."


def _as_json(model: Model) -> dict[str, Any]:
    return {"id": model.id, "object": "model", "created": CREATED, "owned_by": "xai"}
