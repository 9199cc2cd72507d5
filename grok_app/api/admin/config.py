"""The settings that change while it runs, and where things are stored."""

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ConfigDict, RootModel

from grok_app.access import change_settings
from grok_app.api.body import json_body, read_json
from grok_app.api.deps import Current, require_app_key
from grok_app.api.responses import json_response
from grok_app.settings import as_nested

router = APIRouter(tags=["admin"], dependencies=[Depends(require_app_key)])


class ConfigChange(RootModel[dict[str, Any]]):
    """Some settings, by section (`{"app": {"stream": false}}`) or by dotted name (`{"app.stream": false}`)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"app": {"stream": False}}, {"chat.timeout": 90}]})


@router.get("/config", summary="Read the settings")
async def read_config(services: Current) -> Response:
    """Every setting by section, at its default where nothing else is set. Secrets are readable."""
    return json_response(as_nested(services.settings.snapshot))


@router.post("/config", summary="Change settings", openapi_extra=json_body(ConfigChange))
async def change_config(request: Request, services: Current) -> Response:
    """Change some settings and no other; all that are named, or none if one is wrong. In force at once.

    A setting that the environment holds can't be changed: 409. Retired names of grok2api's are named in `ignored`.
    """
    body = await read_json(request, ConfigChange)
    ignored = await change_settings(services.settings, services.sessions, body.root)
    message = f"Settings saved. Without effect: {', '.join(ignored)}." if ignored else "Settings saved."
    return json_response({"status": "success", "message": message, "ignored": ignored})


@router.get("/storage", summary="Where things are stored")
async def read_storage(services: Current) -> Response:
    """The kind of the database, `sqlite`, `pgsql` or `mysql` (MariaDB too), and whether Redis is used."""
    kind = services.env.database_kind
    return json_response({"type": "pgsql" if kind == "postgresql" else kind, "redis": bool(services.env.redis_url)})
