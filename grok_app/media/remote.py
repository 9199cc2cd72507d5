"""Files that a caller names by URL, fetched without being led into our own networks. Source: API contract, section 5.2.

The name of a host is resolved here, once for each hop, and the connection goes to the very address that was checked: a
name server that answers differently a moment later changes nothing.
"""

import asyncio
import re
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from ssl import SSLContext
from typing import IO, Final
from urllib.parse import unquote

import httpx

from grok_app import __version__
from grok_app.db import unbroken
from grok_app.errors import InvalidRequestError
from grok_app.media.public_address import Address, is_public

_MOST_REDIRECTS: Final = 5
_CONNECT_TIMEOUT_S: Final = 10.0
"""For one address; then the host's next one is tried."""
_PART_BYTES: Final = 256 << 10
_LAST_PORT: Final = 65535
_HEADERS: Final = {
    "accept": "*/*",
    "accept-encoding": "identity",
    "connection": "close",
    "user-agent": f"grok_app/{__version__}",
}
_NUMBER: Final = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII)
_NOT_PUBLIC: Final = "The host of the URL is unknown or not public"
"""One sentence for both, so that nobody learns which names our networks have."""

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Remote:
    """What the other side says of a file. None of it is to be trusted."""

    mime_type: str
    """In lower case, without parameters; empty when not said."""
    name: str
    """Last segment of the final URL's path, unquoted: any text, or none."""


class RemoteFiles:
    """Fetches files by URL. Made by `open_remote_files`.

    Args:
        client: Follows no redirects and keeps no cookies; its transport refuses hosts that aren't public.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def fetch(self, url: str, into: IO[bytes], *, limit_bytes: int, timeout_s: float) -> Remote:
        """Write the file at this URL into another one.

        Args:
            url: As a caller gave it.
            into: Empty; stands at 0 again afterwards. When this fails, it has what came until then.
            limit_bytes: How much it may be. Little more than that is read.
            timeout_s: For all of it, redirects included.

        Raises:
            InvalidRequestError: `file_too_large`, or `invalid_media` for anything else: the URL is wrong or leads
                where we don't go, or there is no file at it. Names no field.
        """
        try:
            async with asyncio.timeout(timeout_s):
                return await self._follow(url, into, limit_bytes)
        except TimeoutError as exc:
            raise _refusal("The file at the URL did not arrive in time") from exc
        except (httpx.InvalidURL, UnicodeError) as exc:
            raise _refusal("The URL, or one that it redirects to, is not valid") from exc
        except (httpx.ConnectError, httpx.ConnectTimeout) as exc:
            raise _refusal("The host of the URL can't be connected to") from exc
        except httpx.HTTPError as exc:
            raise _refusal("The host of the URL broke off, or answered what is not HTTP") from exc

    async def _follow(self, url: str, into: IO[bytes], limit_bytes: int) -> Remote:
        place = httpx.URL(url)
        for _ in range(1 + _MOST_REDIRECTS):
            async with self._client.stream("GET", _fit(place)) as response:
                if response.next_request is None:
                    await _save(response, into, limit_bytes)
                    return Remote(_mime_type(response), _name(place))
                place = response.next_request.url
        raise _refusal(f"The URL redirects more than {_MOST_REDIRECTS} times")


@asynccontextmanager
async def open_remote_files(
    *, resolve: Resolve | None = None, is_allowed: Callable[[Address], bool] = is_public, tls: SSLContext | None = None
) -> AsyncGenerator[RemoteFiles, None]:
    """Fetch files while the block runs. Nothing of the environment (proxies, netrc, certificates) counts.

    Args:
        resolve: The addresses of a host for a port; OSError if there is none. Left out, the system's resolver.
        is_allowed: Whether a connection may go to an address.
        tls: Whose certificates are trusted. Left out, those that browsers trust.
    """
    # A connection is good for one host only, even if another one has the same address: none is kept.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    transport = httpx.AsyncHTTPTransport(
        verify=tls or httpx.create_ssl_context(trust_env=False), trust_env=False, limits=limits
    )
    async with httpx.AsyncClient(
        transport=_CheckedTransport(transport, resolve or _ask_system, is_allowed),
        headers=_HEADERS,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        timeout=httpx.Timeout(None, connect=_CONNECT_TIMEOUT_S),
        follow_redirects=False,  # httpx would read the body of each, however large
        trust_env=False,
    ) as client:
        yield RemoteFiles(client)


class _CheckedTransport(httpx.AsyncBaseTransport):
    """Sends a request to an address of its host that was checked. TLS and the Host header know the name only."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, resolve: Resolve, is_allowed: Callable[[Address], bool]
    ) -> None:
        self._inner = inner
        self._resolve = resolve
        self._is_allowed = is_allowed

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it to the first address that can be connected to."""
        host = request.url.raw_host.decode("ascii").lower()
        *others, last = await self._addresses(host, request.url)
        for address in others:
            try:
                return await self._send(request, host, address)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._send(request, host, last)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._inner.aclose()

    async def _addresses(self, host: str, url: httpx.URL) -> list[Address]:
        """All addresses of a host. One that isn't allowed spoils them all."""
        port = url.port or {"http": 80, "https": 443}[url.scheme]
        try:
            addresses = [ip_address(text) for text in await self._look_up(host, port)]
        except (OSError, UnicodeError) as exc:
            raise _refusal(_NOT_PUBLIC) from exc
        if not addresses or not all(map(self._is_allowed, addresses)):
            raise _refusal(_NOT_PUBLIC)
        return addresses

    async def _look_up(self, host: str, port: int) -> Sequence[str]:
        try:
            return [str(ip_address(host))]
        except ValueError:
            pass
        # The system takes 2130706433, 0x7f.1 and 127.1 for addresses; nobody writes those who means well.
        if _NUMBER.fullmatch(host.removesuffix(".").rpartition(".")[2]) or "%" in host:
            raise _refusal(_NOT_PUBLIC)
        return await self._resolve(host, port)

    async def _send(self, request: httpx.Request, host: str, address: Address) -> httpx.Response:
        return await self._inner.handle_async_request(
            httpx.Request(
                request.method,
                request.url.copy_with(host=str(address)),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": host.removesuffix(".")},
            )
        )


async def _ask_system(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def _fit(url: httpx.URL) -> httpx.URL:
    """The URL, if it is one that we fetch."""
    if url.scheme not in ("http", "https"):
        raise _refusal("Only http and https URLs are fetched")
    if url.userinfo:
        raise _refusal("A URL with a user name or password is not fetched")
    if not url.raw_host or (url.port or 0) > _LAST_PORT:
        raise _refusal("The URL, or one that it redirects to, is not valid")
    return url


async def _save(response: httpx.Response, into: IO[bytes], limit_bytes: int) -> None:
    """Write the body into the file, or say why there is none."""
    if not response.is_success:
        raise _refusal(f"The host of the URL answered with status {response.status_code}")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise _refusal("The host of the URL sent the file compressed, which was not asked for")
    if _length(response) > limit_bytes:
        raise _too_large(limit_bytes)
    size = 0
    async for part in response.aiter_raw(_PART_BYTES):
        size += len(part)
        if size > limit_bytes:
            raise _too_large(limit_bytes)
        await unbroken(asyncio.to_thread(into.write, part))  # the file may be closed as soon as we return
    if not size:
        raise _refusal("The file at the URL is empty")
    into.seek(0)


def _length(response: httpx.Response) -> int:
    """The length of the body; 0 where it isn't said."""
    text = response.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else 0


def _mime_type(response: httpx.Response) -> str:
    mime_type: str = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return mime_type


def _name(url: httpx.URL) -> str:
    path = url.raw_path.partition(b"?")[0].decode("ascii")
    return unquote(path.rpartition("/")[2])


def _refusal(message: str) -> InvalidRequestError:
    return InvalidRequestError(message, code="invalid_media")


def _too_large(limit_bytes: int) -> InvalidRequestError:
    return InvalidRequestError(f"The file at the URL is larger than {limit_bytes:,} bytes", code="file_too_large")
