"""Fetching files from Grok. Source: protocol notes, section 3.4."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from grok_app.upstream.base import ErrorKind, UpstreamError
from grok_app.upstream.grokweb.addresses import trusted
from grok_app.upstream.grokweb.call import Call
from grok_app.upstream.grokweb.failures import http_failure
from grok_app.upstream.grokweb.headers import GrokWebOptions, download_headers
from grok_app.upstream.grokweb.transport import Response, Transport
from grok_app.upstream.grokweb.unary import read_refusal
from grok_app.upstream.media import MediaKind

_PAUSES_S: Final = (0.2, 0.75)
_PASSING: Final = frozenset((403, 408, 425, 429))
_TYPES: Final = {MediaKind.IMAGE: ("image/",), MediaKind.VIDEO: ("video/", "application/octet-stream")}
_NAMES: Final = {MediaKind.IMAGE: "a picture", MediaKind.VIDEO: "a video"}
_NO_PICTURE: Final = "image/svg"


class Arriving:
    """A `Download`: its head and its first bytes are there."""

    def __init__(self, response: Response, first: bytes, *, limit_bytes: int, deadline: float) -> None:
        self.mime_type = _mime_type(response)
        self.length = _length(response)
        self._response = response
        self._first = first
        self._limit_bytes = limit_bytes
        self._deadline = deadline

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """See `Download.pieces`."""
        size, piece = 0, self._first
        while piece:
            size += len(piece)
            if size > self._limit_bytes:
                raise _too_large(self._limit_bytes)
            yield piece
            async with _until(self._deadline):
                piece = await self._response.read()


@asynccontextmanager
async def download(  # noqa: PLR0913 - where from, whose, what, and how much of it
    transport: Transport,
    options: GrokWebOptions,
    credential: str,
    address: str,
    *,
    kind: MediaKind,
    limit_bytes: int,
) -> AsyncGenerator[Arriving, None]:
    """See `MediaUpstream.download`."""
    url = trusted(options, address)
    deadline = asyncio.get_running_loop().time() + options.download_timeout_s
    call = Call(
        url=url,
        headers=download_headers(options, credential, url),
        body=b"",
        proxy=options.asset_proxy or options.proxy,
        browser=options.browser,
        first_byte_timeout_s=options.download_timeout_s,
        idle_timeout_s=options.download_timeout_s,
        method="GET",
    )
    async with AsyncExitStack() as stack:
        async with _until(deadline):
            response, first = await _open(transport, call, stack, kind)
        arriving = Arriving(response, first, limit_bytes=limit_bytes, deadline=deadline)
        if (arriving.length or 0) > limit_bytes:
            raise _too_large(limit_bytes)
        yield arriving


async def _open(transport: Transport, call: Call, stack: AsyncExitStack, kind: MediaKind) -> tuple[Response, bytes]:
    """Ask until the first bytes are there; the answer lives as long as the stack."""
    for pause_s in (*_PAUSES_S, None):
        async with AsyncExitStack() as attempt:
            try:
                response = await attempt.enter_async_context(transport.send(call))
                first = await _begin(response, kind)
            except UpstreamError as error:
                if pause_s is None or not _may_pass(error):
                    raise
            else:
                stack.push_async_exit(attempt.pop_all())
                return response, first
        await asyncio.sleep(pause_s or 0)
    raise AssertionError("the last attempt returns or raises")


async def _begin(response: Response, kind: MediaKind) -> bytes:
    """The first bytes of what was asked for; a page or a JSON text in its place is none."""
    if response.status != 200:  # noqa: PLR2004 - HTTP's own number, and the only one with a whole file
        raise http_failure(response.status, response.headers, await read_refusal(response))
    mime_type = _mime_type(response)
    if not mime_type.startswith(_TYPES[kind]) or mime_type.startswith(_NO_PICTURE):
        raise _no_such(kind, f"is of type '{mime_type}'")
    first = await response.read()
    if not first:
        raise _no_such(kind, "is empty")
    if first.lstrip()[:1] in (b"<", b"{"):
        raise _no_such(kind, "is a text")
    return first


def _may_pass(error: UpstreamError) -> bool:
    """Whether the same may work a moment later: a fault of the network, or a status of section 3.4."""
    if error.status is None:
        return error.kind in (ErrorKind.UNAVAILABLE, ErrorKind.TIMEOUT)
    return error.status in _PASSING or error.status >= 500  # noqa: PLR2004 - HTTP's own number


@asynccontextmanager
async def _until(deadline: float) -> AsyncGenerator[None, None]:
    try:
        async with asyncio.timeout_at(deadline):
            yield
    except TimeoutError:
        raise UpstreamError(ErrorKind.TIMEOUT, "Grok's file did not arrive in time") from None


def _mime_type(response: Response) -> str:
    return response.headers.get("content-type", "").partition(";")[0].strip().lower()


def _length(response: Response) -> int | None:
    """The length of the file; unknown where the answer is compressed."""
    text = response.headers.get("content-length", "")
    is_plain = "content-encoding" not in response.headers
    return int(text) if is_plain and text.isascii() and text.isdigit() else None


def _no_such(kind: MediaKind, what: str) -> UpstreamError:
    return UpstreamError(ErrorKind.PROTOCOL, f"What Grok sent instead of {_NAMES[kind]} {what}")


def _too_large(limit_bytes: int) -> UpstreamError:
    return UpstreamError(ErrorKind.PROTOCOL, f"Grok's file has more than the {limit_bytes} bytes that are allowed")
