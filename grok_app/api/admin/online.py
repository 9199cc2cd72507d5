"""What is kept in all, here and at Grok; and away with what Grok keeps."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from grok_app.accounts import Account, Counted, mask
from grok_app.api.admin.cache import stats_as_json
from grok_app.api.admin.token_jobs import ChosenTokens, started
from grok_app.api.admin.tokens import MOST_TOKENS
from grok_app.api.body import BODY_LIMIT_BYTES, json_body, read_json
from grok_app.api.deps import Current, require_app_key
from grok_app.api.responses import json_response
from grok_app.errors import InvalidRequestError
from grok_app.media import Kind
from grok_app.runtime import Services
from grok_app.tasks import Task

router = APIRouter(prefix="/cache", tags=["admin"], dependencies=[Depends(require_app_key)])
_ALL: Final = "`all` for all accounts."
_NONE: Final = "No tokens provided"
_Tokens = Annotated[list[str] | None, Field(max_length=MOST_TOKENS, description="As they are pasted, `sso=` and all.")]


class _Scope(StrEnum):
    """Whose files at Grok were counted."""

    NONE = "none"
    SINGLE = "single"
    SELECTED = "selected"
    ALL = "all"


class AccountsToCount(BaseModel):
    """Accounts by their tokens, or all of them."""

    tokens: _Tokens = None
    scope: Annotated[Literal["all"] | None, Field(description=_ALL)] = None


class AccountsToClear(BaseModel):
    """Accounts by their tokens, or one of them, or one that the pool picks."""

    tokens: _Tokens = None
    token: Annotated[str | None, Field(description="One of them; if no field is given, one is picked.")] = None


@router.get("", summary="Show how much is kept")
async def show_cache(
    services: Current,
    token: Annotated[str | None, Query(description="Count what Grok keeps for this account.")] = None,
    tokens: Annotated[str | None, Query(description="For these accounts, separated by commas.")] = None,
    scope: Annotated[Literal["all"] | None, Query(description=_ALL)] = None,
) -> Response:
    """How many pictures and videos there are here, in MB of 1,048,576 bytes, and what Grok keeps for each account.

    Grok is asked for no more than is named; `tokens` win over `scope`, and that over `token`.
    """
    named = list(dict.fromkeys(filter(str.strip, (tokens or "").split(","))))
    if named:
        answer = await _count(services, _Scope.SELECTED, named).wait()
    elif scope:
        answer = await _count(services, _Scope.ALL, _all_tokens(services)).wait()
    elif token:
        answer = await _count(services, _Scope.SINGLE, [token]).wait()
    else:
        answer = _overview(services, _Scope.NONE, [])
    return json_response(answer)


@router.post("/online/load/async", summary="Count what Grok keeps as a task", openapi_extra=json_body(AccountsToCount))
async def load_async(request: Request, services: Current) -> Response:
    """Start it, and answer the task's id for `GET …/batch/{task_id}/stream`; its result is that of `GET …/cache`."""
    body = await read_json(request, AccountsToCount, limit_bytes=BODY_LIMIT_BYTES)
    if body.tokens:
        return await started(services, _count(services, _Scope.SELECTED, list(dict.fromkeys(body.tokens))))
    if body.scope:
        return await started(services, _count(services, _Scope.ALL, _all_tokens(services)))
    raise InvalidRequestError(_NONE, param="tokens")


@router.post("/online/clear", summary="Delete what Grok keeps", openapi_extra=json_body(AccountsToClear))
async def clear(request: Request, services: Current) -> Response:
    """Delete all files at Grok of the named accounts, or of one, never of all. Answers how many, and what failed."""
    body = await read_json(request, AccountsToClear, limit_bytes=BODY_LIMIT_BYTES)
    if body.tokens is None:
        return json_response(await services.online.clear(body.token))
    result = await _start_clear(services, body.tokens).wait()
    return json_response({"status": result["status"], "results": result["results"]})


@router.post("/online/clear/async", summary="Delete what Grok keeps as a task", openapi_extra=json_body(ChosenTokens))
async def clear_async(request: Request, services: Current) -> Response:
    """Start it, and answer the task's id for `GET …/batch/{task_id}/stream`."""
    body = await read_json(request, ChosenTokens, limit_bytes=BODY_LIMIT_BYTES)
    return await started(services, _start_clear(services, body.all()))


def _count(services: Services, scope: _Scope, tokens: Sequence[str]) -> Task:
    return services.online.start_count(tokens, lambda counted: _overview(services, scope, counted))


def _start_clear(services: Services, tokens: Sequence[str]) -> Task:
    if not tokens:
        raise InvalidRequestError(_NONE, param="tokens")
    return services.online.start_clear(list(dict.fromkeys(tokens)))


def _all_tokens(services: Services) -> list[str]:
    return [account.credential.get_secret_value() for account in services.roster.all()]


def _overview(services: Services, scope: _Scope, counted: Sequence[Counted]) -> dict[str, Any]:
    details = [_detail(services, one) for one in counted]
    return {
        **{f"local_{kind}": stats_as_json(services.media.stats(kind)) for kind in Kind},
        "online": _sum(scope, details),
        "online_accounts": [_as_json(account) for account in services.roster.all()],
        "online_scope": scope,
        "online_details": [] if scope is _Scope.SINGLE else details,
    }


def _sum(scope: _Scope, details: Sequence[dict[str, Any]]) -> dict[str, Any]:
    if scope is _Scope.SINGLE:
        return details[0]
    status = "not_loaded" if scope is _Scope.NONE else "ok" if details else "no_token"
    count = sum(detail["count"] for detail in details)
    return {"count": count, "status": status, "token": None, "last_asset_clear_at": None}


def _detail(services: Services, counted: Counted) -> dict[str, Any]:
    account = services.roster.find(counted.token)
    return {
        "token": counted.token,
        "token_masked": mask(counted.token),
        "count": counted.count,
        "status": f"error: {counted.error}" if counted.error else "ok",
        "last_asset_clear_at": account.last_asset_clear_at_ms if account else None,
    }


def _as_json(account: Account) -> dict[str, Any]:
    token = account.credential.get_secret_value()
    return {
        "token": token,
        "token_masked": mask(token),
        "pool": account.pool,
        "status": account.status,
        "last_asset_clear_at": account.last_asset_clear_at_ms,
    }
