"""The accounts of the pool, which users of grok2api know as tokens."""

from dataclasses import asdict
from operator import attrgetter
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from grok_app.accounts import Changed, Form, Note, Quota, Status, Tags, as_record, write_accounts
from grok_app.api.body import BODY_LIMIT_BYTES, json_body, read_json
from grok_app.api.deps import Current, require_app_key
from grok_app.api.responses import json_response
from grok_app.catalog import Pool
from grok_app.errors import NotFoundError

router = APIRouter(prefix="/tokens", tags=["admin"], dependencies=[Depends(require_app_key)])
MOST_TOKENS: Final = 100_000
_MEDIA_TYPES: Final = {Form.TXT: "text/plain; charset=utf-8", Form.JSON: "application/json"}

_Tokens = Annotated[list[str], Field(max_length=MOST_TOKENS, description="As they are pasted, `sso=` and all.")]
_Items = Annotated[
    list[Any],
    Field(max_length=MOST_TOKENS, description="Tokens, or objects with a `token` and any of the fields of a list."),
]


def _without_defaults(schema: dict[str, Any]) -> None:
    """Nobody must read from the document that a field which isn't given is set to something."""
    for field in schema["properties"].values():
        field.pop("default", None)
    schema["examples"] = [{"token": "sso=…", "note": "Of the team", "tags": ["team"]}]


class Pools(BaseModel):
    """All accounts by pool."""

    # An example that is refused: sent from the reference unchanged, a good one would delete every account.
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"ssoBasic": "[all of them]", "ssoSuper": "[all of them]"}]}
    )

    ssoBasic: _Items = []  # noqa: N815 - the name on the wire
    ssoSuper: _Items = []  # noqa: N815 - the name on the wire


class TokensToAdd(BaseModel):
    """Tokens for one pool."""

    tokens: _Tokens
    pool: Pool = Field(Pool.BASIC, description="`ssoBasic` or `ssoSuper`.")


class TokensToDelete(BaseModel):
    """Tokens of any pool."""

    tokens: _Tokens


class TokensToExport(BaseModel):
    """Accounts to write down, all if none is named."""

    ids: Annotated[list[int] | None, Field(max_length=MOST_TOKENS, description="As the console knows them.")] = None
    format: Annotated[Form, Field(description="A token per line, or JSON as `GET …/tokens` answers it.")] = Form.JSON


class TokenChange(BaseModel):
    """What is to change of one account. What is not given stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_without_defaults)

    token: str
    pool: Pool | None = None
    status: Status = Status.ACTIVE
    quota: Quota = 0
    note: Note = ""
    tags: Tags = ()


@router.get("", summary="List the accounts")
async def list_tokens(services: Current) -> Response:
    """Every account by pool, with its token. Times are Unix milliseconds."""
    pools: dict[str, list[dict[str, Any]]] = {pool.value: [] for pool in Pool}
    for account in services.roster.all():
        pools[account.pool.value].append(as_record(account))
    return json_response(pools)


@router.post("", summary="Replace all accounts", openapi_extra=json_body(Pools))
async def replace_tokens(request: Request, services: Current) -> Response:
    """Let these be all the accounts, in one step. A pool that is left out is emptied.

    Fields that are not given keep their values. An item that is no account is named in `skipped`.
    """
    body = await read_json(request, Pools, limit_bytes=BODY_LIMIT_BYTES)
    changed = await services.roster.replace({pool: getattr(body, pool) for pool in Pool})
    return json_response({"status": "success", "message": _sentence(changed), **asdict(changed)})


@router.patch("", summary="Change one account", openapi_extra=json_body(TokenChange))
async def change_token(request: Request, services: Current) -> Response:
    """Change just the given fields of one account, and answer what it is now."""
    body = await read_json(request, TokenChange)
    given = body.model_dump(exclude_unset=True, exclude={"token", "pool"})
    account = await services.roster.amend(body.token, given, body.pool)
    return json_response({"status": "success", "pool": account.pool, "token": as_record(account)})


@router.post("/add", summary="Add accounts", openapi_extra=json_body(TokensToAdd))
async def add_tokens(request: Request, services: Current) -> Response:
    """Add accounts and change no other. A token that can't be one is named in `skipped`."""
    body = await read_json(request, TokensToAdd, limit_bytes=BODY_LIMIT_BYTES)
    changed = asdict(await services.roster.add({body.pool: body.tokens}))
    return json_response({"status": "success"} | {name: changed[name] for name in ("added", "duplicates", "skipped")})


@router.post(
    "/export",
    summary="Export accounts",
    response_class=Response,
    openapi_extra=json_body(TokensToExport),
    responses={200: {"description": "The file.", "content": {"application/json": {}, "text/plain": {}}}},
)
async def export_tokens(request: Request, services: Current) -> Response:
    """Answer a file that can be imported again, oldest account first. Ids that are gone are passed over."""
    body = await read_json(request, TokensToExport, limit_bytes=BODY_LIMIT_BYTES)
    accounts = services.roster.all() if body.ids is None else services.roster.chosen(body.ids)
    if not accounts:
        raise NotFoundError("There are no such accounts", code="token_not_found")
    return Response(
        write_accounts(sorted(accounts, key=attrgetter("id")), body.format),
        media_type=_MEDIA_TYPES[body.format],
        headers={"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="token.{body.format}"'},
    )


@router.post("/delete", summary="Delete accounts", openapi_extra=json_body(TokensToDelete))
async def delete_tokens(request: Request, services: Current) -> Response:
    """Delete accounts and change no other. Unknown tokens are passed over."""
    body = await read_json(request, TokensToDelete, limit_bytes=BODY_LIMIT_BYTES)
    return json_response({"status": "success", "deleted": await services.roster.delete(body.tokens)})


def _sentence(changed: Changed) -> str:
    return (
        f"{changed.added} added, {changed.updated} updated, {changed.deleted} deleted, "
        f"{changed.duplicates} duplicates, {len(changed.skipped)} skipped"
    )
