"""The accounts of the pool, which users of grok2api know as tokens."""

from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from grok_app.accounts import Account
from grok_app.api.body import json_body, read_json
from grok_app.api.deps import Current, require_app_key
from grok_app.api.responses import json_response
from grok_app.catalog import Pool

router = APIRouter(prefix="/tokens", tags=["admin"], dependencies=[Depends(require_app_key)])
_MOST_TOKENS: Final = 100_000

Tokens = Annotated[list[str], Field(max_length=_MOST_TOKENS, description="As they are pasted, `sso=` and all.")]


class TokensToAdd(BaseModel):
    """Tokens for one pool."""

    tokens: Tokens
    pool: Pool = Field(Pool.BASIC, description="`ssoBasic` or `ssoSuper`.")


class TokensToDelete(BaseModel):
    """Tokens of any pool."""

    tokens: Tokens


@router.get("", summary="List the accounts")
async def list_tokens(services: Current) -> Response:
    """Every account by pool, with its token. Times are Unix milliseconds."""
    pools: dict[str, list[dict[str, Any]]] = {pool.value: [] for pool in Pool}
    for account in services.accounts.all():
        pools[account.pool.value].append(_as_json(account))
    return json_response(pools)


@router.post("/add", summary="Add accounts", openapi_extra=json_body(TokensToAdd))
async def add_tokens(request: Request, services: Current) -> Response:
    """Add accounts and change no other. A token that can't be one is named in `skipped`."""
    body = await read_json(request, TokensToAdd)
    result = await services.accounts.add(body.pool, body.tokens)
    skipped = [{"pool": body.pool, **asdict(item)} for item in result.skipped]
    return json_response(
        {"status": "success", "added": result.added, "duplicates": result.duplicates, "skipped": skipped}
    )


@router.post("/delete", summary="Delete accounts", openapi_extra=json_body(TokensToDelete))
async def delete_tokens(request: Request, services: Current) -> Response:
    """Delete accounts and change no other. Unknown tokens are passed over."""
    body = await read_json(request, TokensToDelete)
    return json_response({"status": "success", "deleted": await services.accounts.delete(body.tokens)})


def _as_json(account: Account) -> dict[str, Any]:
    return {
        "token": account.credential.get_secret_value(),
        "status": account.status,
        "quota": account.quota,
        "created_at": account.created_at_ms,
        "last_used_at": account.last_used_at_ms,
        "use_count": account.use_count,
        "fail_count": account.fail_count,
        "last_fail_at": account.last_fail_at_ms,
        "last_fail_reason": account.last_fail_reason,
        "last_sync_at": account.last_sync_at_ms,
        "tags": account.tags,
        "note": account.note,
        "last_asset_clear_at": account.last_asset_clear_at_ms,
    }
