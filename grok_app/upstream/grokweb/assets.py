"""What Grok keeps for an account. Source: protocol notes, section 3.5."""

import re
from collections.abc import AsyncGenerator
from typing import Any, Final
from urllib.parse import quote, urlencode

from grok_app.upstream.base import ErrorKind, UpstreamError
from grok_app.upstream.grokweb.headers import GrokWebOptions, json_headers
from grok_app.upstream.grokweb.transport import Transport
from grok_app.upstream.grokweb.unary import Question, Reply, ask
from grok_app.upstream.media import Asset

ASSETS_PATH: Final = "/rest/assets"
DELETE_PATH: Final = "/rest/assets-metadata/"
_ABOUT: Final = "the files"
_REFERER_PATH: Final = "/files"
_PAGE_LIMIT_BYTES: Final = 2 << 20
_MOST_PAGES: Final = 2000
_DIGITS: Final = re.compile(r"[0-9]{1,15}")
_FIRST_PAGE: Final = {
    "pageSize": "50",
    "orderBy": "ORDER_BY_LAST_USE_TIME",
    "source": "SOURCE_ANY",
    "isLatest": "true",
}


async def list_assets(transport: Transport, options: GrokWebOptions, credential: str) -> AsyncGenerator[Asset, None]:
    """See `MediaUpstream.assets`. A page token that comes again ends the list.

    Raises:
        UpstreamError: A page didn't come or makes no sense, or the list has no end.
    """
    seen = {""}
    token = ""
    while len(seen) <= _MOST_PAGES:
        page = await _page(transport, options, credential, token)
        for asset in _assets(page.told(_ABOUT)):
            yield asset
        token = _text(page.told(_ABOUT).get("nextPageToken"))
        if token in seen:
            return
        seen.add(token)
    raise UpstreamError(ErrorKind.PROTOCOL, f"Grok's list of files has more than {_MOST_PAGES} pages")


async def delete_asset(transport: Transport, options: GrokWebOptions, credential: str, asset_id: str) -> None:
    """See `MediaUpstream.delete_asset`."""
    url = options.base_url.rstrip("/") + DELETE_PATH + quote(asset_id, safe="")
    headers = json_headers(options, credential, referer_path=_REFERER_PATH)
    reply = await ask(transport, options, Question(url, headers, b"", options.delete_timeout_s, "DELETE"))
    if not reply.is_success:
        raise reply.refusal()


async def _page(transport: Transport, options: GrokWebOptions, credential: str, token: str) -> Reply:
    query = urlencode({**_FIRST_PAGE, "pageToken": token} if token else _FIRST_PAGE)
    url = f"{options.base_url.rstrip('/')}{ASSETS_PATH}?{query}"
    headers = json_headers(options, credential, referer_path=_REFERER_PATH)
    question = Question(url, headers, b"", options.list_timeout_s, "GET", _PAGE_LIMIT_BYTES)
    return await ask(transport, options, question)


def _assets(page: dict[str, Any]) -> list[Asset]:
    """The files of a page; what has no id is none."""
    items = page.get("assets")
    found = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return [asset for item in found if (asset := _asset(item)).id]


def _asset(item: dict[str, Any]) -> Asset:
    name = _text(item.get("name") or item.get("fileName"))
    return Asset(_text(item.get("assetId")), name, _size(item.get("fileSize", item.get("size"))))


def _size(value: object) -> int:
    """A whole number, which may be written as text: Protobuf's JSON does so with large ones."""
    text = str(value) if isinstance(value, int | str) else ""
    return int(text) if _DIGITS.fullmatch(text) else 0


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
