"""The files of the media cache as the operator sees them: what there is, and away with it."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from grok_app.api.body import json_body, read_json
from grok_app.api.deps import Current, require_app_key
from grok_app.api.responses import json_response
from grok_app.media import Entry, Kind, Stats, path_of

router = APIRouter(prefix="/cache", tags=["admin"], dependencies=[Depends(require_app_key)])
_MOST_ITEMS: Final = 10_000
_MOST_PAGES: Final = 1_000_000_000
_WHICH: Final = "`image` or `video`."


class KindToClear(BaseModel):
    """One of the two kinds."""

    type: Kind = Field(Kind.IMAGE, description=_WHICH)


class ItemToDelete(KindToClear):
    """One file."""

    name: str = Field(description="As the list has it.")


@router.get("/list", summary="List the cached files")
async def list_files(
    services: Current,
    kind: Annotated[Kind, Query(alias="type", description=_WHICH)] = Kind.IMAGE,
    page: Annotated[int, Query(ge=1, le=_MOST_PAGES)] = 1,
    page_size: Annotated[int, Query(ge=1, le=_MOST_ITEMS)] = 1000,
) -> Response:
    """One page of the files of a kind, newest first. Times are Unix milliseconds."""
    entries = services.media.newest(kind, (page - 1) * page_size, page_size)
    content = {"total": services.media.stats(kind).count, "page": page, "page_size": page_size}
    return json_response({"status": "success", **content, "items": [_as_item(entry) for entry in entries]})


@router.post("/clear", summary="Delete all cached files of a kind", openapi_extra=json_body(KindToClear))
async def clear_files(request: Request, services: Current) -> Response:
    """Answers how many files that were, and their size in MB."""
    body = await read_json(request, KindToClear)
    return json_response({"status": "success", "result": stats_as_json(await services.media.clear(body.type))})


@router.post("/item/delete", summary="Delete one cached file", openapi_extra=json_body(ItemToDelete))
async def delete_file(request: Request, services: Current) -> Response:
    """Answers whether there was such a file."""
    body = await read_json(request, ItemToDelete)
    return json_response(
        {"status": "success", "result": {"deleted": await services.media.delete(body.type, body.name)}}
    )


def stats_as_json(stats: Stats) -> dict[str, Any]:
    """How much there is, in MB of 1,048,576 bytes."""
    return {"count": stats.count, "size_mb": round(stats.size_bytes / (1 << 20), 2)}


def _as_item(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "size_bytes": entry.size_bytes,
        "mtime_ms": entry.mtime_ns // 1_000_000,
        "view_url": path_of(entry.kind, entry.name),
    }
