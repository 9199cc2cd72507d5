"""Pictures and videos from the cache, whole or in part, for everyone who knows their names."""

import asyncio
import os
import re
from collections.abc import Awaitable, Mapping
from email.utils import formatdate
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from grok_app.api.deps import Current
from grok_app.api.errors import ErrorBody, error_response
from grok_app.api.names import names_of
from grok_app.api.request_scope import IS_HEAD
from grok_app.api.until import until_disconnect
from grok_app.errors import NotFoundError, RangeNotSatisfiableError
from grok_app.media import Entry, Key, Kind, MediaCache, content_type, is_name
from grok_app.runtime import current

router = APIRouter(prefix="/files", tags=["files"])
_CHUNK_BYTES: Final = 256 << 10
_RANGE: Final = re.compile(r"bytes=\s*(\d*)-(\d*)\s*", re.IGNORECASE)
_MOST_DIGITS: Final = 18
_ETAG: Final = re.compile(r'(?:W/)?("[^"]*")')
_PATHSEND: Final = "http.response.pathsend"
_PATH: Final = re.compile(rf"(?:/grok)?/v1/files/({'|'.join(Kind)})/(.+)")
_NOT_PLAIN: Final = frozenset({b"range", b"if-none-match", b"if-modified-since", b"origin"})
"""Headers whose answer isn't simply the file."""
_MEDIA: Final[dict[str, Any]] = {"image/*": {}, "video/*": {}}
_DESCRIPTION: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The file.", "content": _MEDIA},
    206: {"description": "The part that `Range` asks for.", "content": _MEDIA},
    304: {"description": "The caller has it already, as `If-None-Match` says."},
    416: {"model": ErrorBody, "description": "`Range` begins behind the end."},
}


@router.get("/image/{name:path}", summary="Read a picture", response_class=Response, responses=_DESCRIPTION)
async def read_image(name: str, request: Request, services: Current) -> Response:
    """A picture from the cache. No key is needed: its name can't be guessed. Slashes in it are dashes."""
    return _answer(services.media, Kind.IMAGE, name, request)


@router.get("/video/{name:path}", summary="Read a video", response_class=Response, responses=_DESCRIPTION)
async def read_video(name: str, request: Request, services: Current) -> Response:
    """A video from the cache, or a part of it. No key is needed: its name can't be guessed. Slashes are dashes."""
    return _answer(services.media, Kind.VIDEO, name, request)


def _answer(media: MediaCache, kind: Kind, name: str, request: Request) -> Response:
    entry = media.find(kind, name)
    if entry is None:
        raise NotFoundError(f"{kind.capitalize()} not found")
    headers = _headers(entry)
    if _is_known(request.headers, headers):
        return Response(status_code=304, headers=headers)
    span = None if request.scope.get(IS_HEAD) else read_range(request.headers, headers, entry.size_bytes)
    if span is None:
        return _Part(media, entry, headers, range(entry.size_bytes), 200)
    if not span:
        error = RangeNotSatisfiableError(f"The file has {entry.size_bytes:,} bytes", param="Range")
        return error_response(error, {"Content-Range": f"bytes */{entry.size_bytes}"})
    headers["content-range"] = f"bytes {span.start}-{span.stop - 1}/{entry.size_bytes}"
    return _Part(media, entry, headers, span, 206)


def _headers(entry: Entry) -> dict[str, str]:
    return {
        "content-type": content_type(entry),
        "etag": f'"{entry.mtime_ns:x}-{entry.size_bytes:x}"',
        "last-modified": formatdate(entry.mtime_ns // 1_000_000_000, usegmt=True),
        "cache-control": "public, max-age=31536000, immutable",
        "accept-ranges": "bytes",
        "content-disposition": "inline",
        "x-content-type-options": "nosniff",
    }


def _is_known(asked: Mapping[str, str], headers: Mapping[str, str]) -> bool:
    """Whether the caller has this version already (RFC 9110, section 13.1.2 and 13.1.3)."""
    tags = asked.get("if-none-match")
    if tags is None:
        return asked.get("if-modified-since") == headers["last-modified"]
    return tags.strip() == "*" or headers["etag"] in _ETAG.findall(tags)


def read_range(asked: Mapping[str, str], headers: Mapping[str, str], size: int) -> range | None:
    """The bytes that a `Range` header asks for (RFC 9110, section 14.2).

    Returns:
        None for the whole file: nothing is asked, not in a form we take, for several parts, or `If-Range` names
        another version. An empty range when there are no such bytes.
    """
    found = _RANGE.fullmatch(asked.get("range", ""))
    if not found or asked.get("if-range", headers["etag"]) not in (headers["etag"], headers["last-modified"]):
        return None
    first, last = found.groups()
    if not (first or last) or max(len(first), len(last)) > _MOST_DIGITS:
        return None
    if not first:
        return range(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, size) if last else size)


class HotFiles:
    """Sends whole files that are in memory before anything else has looked at the request.

    The routes do the same, for these files and all others; they only take longer.

    Args:
        app: What serves everything else.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Send the file, or pass the request on."""
        found = _find_held(scope)
        return _send_held(*found, scope, send) if found else self._app(scope, receive, send)


async def _send_held(entry: Entry, content: bytes, scope: Scope, send: Send) -> None:
    headers = (*_whole_headers(entry), *names_of(scope).headers)
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def _find_held(scope: Scope) -> tuple[Entry, bytes] | None:
    if scope["type"] != "http" or scope["method"] != "GET" or (key := _key_of(scope["path"])) is None:
        return None
    if any(name in _NOT_PLAIN for name, _ in scope["headers"]):
        return None
    media = current().media
    try:
        entry = media.find_key(key)
    except OSError:
        return None  # the route meets it again, where errors are answered
    content = media.held(entry) if entry else None
    return (entry, content) if entry and content else None


@lru_cache(maxsize=1024)
def _key_of(path: str) -> Key | None:
    """The file that a path names as it is meant; None for any other path."""
    found = _PATH.fullmatch(path)
    return (Kind(found[1]), found[2]) if found and is_name(Kind(found[1]), found[2]) else None


@lru_cache(maxsize=1024)
def _whole_headers(entry: Entry) -> tuple[tuple[bytes, bytes], ...]:
    headers = {**_headers(entry), "content-length": str(entry.size_bytes)}
    return tuple((name.encode(), value.encode()) for name, value in headers.items())


class _Part(Response):
    """Sends some of a file: all of it from memory or by the server itself, where it can; else a chunk at a time."""

    def __init__(self, media: MediaCache, entry: Entry, headers: Mapping[str, str], span: range, status: int) -> None:
        super().__init__(status_code=status, headers={**headers, "content-length": str(len(span))})
        self._media, self._entry, self._span = media, entry, span

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. Returns when it has been sent or the client has gone."""
        path = self._media.path(self._entry)
        is_whole = len(self._span) == self._entry.size_bytes
        with self._media.reading(self._entry.kind, self._entry.name):
            if scope.get(IS_HEAD):
                await self._start(send)
                await send({"type": "http.response.body", "body": b""})
            elif is_whole and (content := await self._media.hold(self._entry)) is not None:
                await self._start(send)
                await send({"type": "http.response.body", "body": content})
            elif is_whole and _PATHSEND in scope.get("extensions", {}):
                await self._start(send)
                await send({"type": _PATHSEND, "path": str(path)})
            else:
                await until_disconnect(self._send_chunks(path, send), receive)

    async def _send_chunks(self, path: Path, send: Send) -> None:
        file = await asyncio.to_thread(path.open, "rb", buffering=0)
        try:
            await self._start(send)
            place = self._span.start
            while place < self._span.stop:
                count = min(_CHUNK_BYTES, self._span.stop - place)
                chunk = await asyncio.to_thread(os.pread, file.fileno(), count, place)
                if not chunk:
                    raise EOFError(f"{path.name} has become shorter")
                place += len(chunk)
                await send({"type": "http.response.body", "body": chunk, "more_body": place < self._span.stop})
        finally:
            file.close()

    async def _start(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
