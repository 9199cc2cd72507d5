"""What is done with many accounts at once: waited for, or started and watched as a task."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from grok_app.accounts import read_birth_date
from grok_app.api.admin.tokens import MOST_TOKENS
from grok_app.api.body import BODY_LIMIT_BYTES, json_body, read_json
from grok_app.api.deps import Current, require_app_key
from grok_app.api.responses import json_response
from grok_app.errors import InvalidRequestError
from grok_app.runtime import Services
from grok_app.tasks import Task

router = APIRouter(prefix="/tokens", tags=["admin"], dependencies=[Depends(require_app_key)])
_WHICH: Final = "As they are pasted, `sso=` and all."


class ChosenTokens(BaseModel):
    """Accounts by their tokens."""

    token: Annotated[str | None, Field(description="One of them.")] = None
    tokens: Annotated[list[str] | None, Field(max_length=MOST_TOKENS, description=_WHICH)] = None

    def all(self) -> list[str]:
        """Every token that was named, each once."""
        return list(dict.fromkeys([*([self.token] if self.token else []), *(self.tokens or [])]))


class TokensToSwitch(ChosenTokens):
    """Accounts by their tokens, all if none is named, and when their owner was born."""

    birth_date: Annotated[str | None, Field(description="YYYY-MM-DD; else the setting `nsfw.birth_date`.")] = None


@router.post("/refresh", summary="Refresh quotas", openapi_extra=json_body(ChosenTokens))
async def refresh(request: Request, services: Current) -> Response:
    """Ask Grok what these accounts have left, and answer for which it was told."""
    result = await (await _start_refresh(request, services)).wait()
    return json_response({"status": result["status"], "results": result["results"]})


@router.post("/refresh/async", summary="Refresh quotas as a task", openapi_extra=json_body(ChosenTokens))
async def refresh_async(request: Request, services: Current) -> Response:
    """Start it, and answer the task's id for `GET …/batch/{task_id}/stream`."""
    return await started(services, await _start_refresh(request, services))


@router.post("/nsfw/enable", summary="Switch adult content on", openapi_extra=json_body(TokensToSwitch))
async def enable_adult_content(request: Request, services: Current) -> Response:
    """Accept the terms, state the owner's date of birth and switch adult content on, account by account."""
    return json_response(await (await _start_adult_content(request, services)).wait())


@router.post("/nsfw/enable/async", summary="Switch adult content on as a task", openapi_extra=json_body(TokensToSwitch))
async def enable_adult_content_async(request: Request, services: Current) -> Response:
    """Start it, and answer the task's id for `GET …/batch/{task_id}/stream`."""
    return await started(services, await _start_adult_content(request, services))


async def _start_refresh(request: Request, services: Services) -> Task:
    body = await read_json(request, ChosenTokens, limit_bytes=BODY_LIMIT_BYTES)
    if not (tokens := body.all()):
        raise InvalidRequestError("No tokens provided", param="tokens")
    return services.jobs.start_refresh(tokens)


async def _start_adult_content(request: Request, services: Services) -> Task:
    body = await read_json(request, TokensToSwitch, limit_bytes=BODY_LIMIT_BYTES)
    birth_date = read_birth_date(body.birth_date, services.settings.snapshot.nsfw.birth_date)
    tokens = body.all() or [account.credential.get_secret_value() for account in services.roster.all()]
    return services.jobs.start_adult_content(tokens, birth_date)


async def started(services: Services, task: Task) -> Response:
    """The answer to whoever started a task, which can be watched from every process by then."""
    await services.tasks.announce(task)
    return json_response({"status": "success", "task_id": task.id, "total": task.progress().total})
