"""The outermost ASGI app: API paths straight to the API, gates and headers for pages, everything else to Reflex.

Pure ASGI: it knows no framework and no settings. Source of the rules: API contract, sections 1 and 11.
"""

import asyncio
import posixpath
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from grok_app.page_policy import CONNECT, content_security_policy
from grok_app.stopping import SERVER_STOPS, Asgi, Receive, Scope, Send, received_before

API_PREFIXES: Final = ("/v1", "/api/v1", "/grok/v1", "/static/public", "/docs")
API_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics", "/openapi.json"})
PUBLIC_PAGES: Final = frozenset({"login", "chat", "imagine", "video", "voice"})
"""First path segments of the studio. With the studio off they don't exist, whatever the spelling."""

_ADMIN_SIGN_IN: Final = "/admin/login"
_PAGE_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(self)"),
)
_GOING_AWAY: Final = 1001
_GOODBYE_S: Final = 1.0
_FOREVER: Final = (b"cache-control", b"public, max-age=31536000, immutable")
_ASK_FIRST: Final = (b"cache-control", b"no-cache")

Headers = Iterable[tuple[bytes, bytes]]


class Front:
    """Sends each request where it belongs.

    Args:
        pages: Reflex's app; it also runs the lifespan.
        api: The API's app, reached without any of Reflex's middleware.
        routes: Paths of the pages, `/chat`.
        is_studio_open: Whether the public pages are served now.
        is_operator: Whether a request, by its scope, has a session of the console.
        policies: Content-Security-Policy by page path, see `page_policies`; `/404` for every other page.
        voice_server: Where the studio's pages may connect to beside us: the address of the voice sessions.
    """

    def __init__(  # noqa: PLR0913 - each is a place or a rule
        self,
        *,
        pages: Asgi,
        api: Asgi,
        routes: Iterable[str],
        is_studio_open: Callable[[], Awaitable[bool]],
        is_operator: Callable[[Scope], Awaitable[bool]],
        policies: Mapping[str, str],
        voice_server: Callable[[], str],
    ) -> None:
        self._pages, self._api = pages, api
        self._routes = frozenset(routes)
        self._is_studio_open = is_studio_open
        self._is_operator = is_operator
        self._policies = policies
        self._voice_server = voice_server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "lifespan":
            await self._pages(scope, receive, send)
        elif is_api_path(scope["path"]):
            await self._api(scope, receive, send)
        elif scope["type"] == "http":
            await self._page(scope, receive, send)
        else:
            await self._socket(scope, receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a socket of the pages. It has no end of its own, so it ends as soon as the server stops."""
        stopping: asyncio.Event = scope.get(SERVER_STOPS) or asyncio.Event()
        ending = asyncio.ensure_future(stopping.wait())

        async def receive_or_end() -> Scope:
            if (message := await received_before(ending, receive)) is not None:
                return message
            await send({"type": "websocket.close", "code": _GOING_AWAY})
            await _hung_up(receive)
            return {"type": "websocket.disconnect", "code": _GOING_AWAY}

        try:
            await self._pages(scope, receive_or_end, send)
        finally:
            ending.cancel()

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = page_path(scope["path"])
        segment = _first_segment(path)
        if path == "/":
            await _redirect(send, "/login" if await self._is_studio_open() else _ADMIN_SIGN_IN)
        elif segment in PUBLIC_PAGES and not await self._is_studio_open():
            await _not_found(send)
        elif segment == "admin" and path != _ADMIN_SIGN_IN and not await self._is_operator(scope):
            await _redirect(send, _ADMIN_SIGN_IN)
        elif path in self._routes and path != scope["path"].rstrip("/").removesuffix(".html"):
            await _redirect(send, path)  # a page's code goes by its address: under `//chat` it would find no page
        else:
            headers = (*_PAGE_HEADERS, (b"content-security-policy", self._policy(path)))
            await self._pages(self._route(scope, path), receive, _with_headers(send, scope["path"], headers))

    def _policy(self, path: str) -> bytes:
        policy = self._policies.get(path) or self._policies.get("/404") or content_security_policy("")
        if _first_segment(path) in PUBLIC_PAGES:  # any of them: one goes from page to page without asking anew
            policy = policy.replace(CONNECT, " ".join((CONNECT, *_origins(self._voice_server()))))
        return policy.encode()

    def _route(self, scope: Scope, path: str) -> Scope:
        """Serve `/chat` from `/chat/` itself: Starlette's 307 names a wrong scheme and host behind a proxy."""
        if path not in self._routes:
            return scope
        return {**scope, "path": path + "/", "raw_path": f"{path}/".encode()}


def is_api_path(path: str) -> bool:
    """Whether the API answers here, be it with a JSON 404."""
    return path.rstrip("/") in API_PATHS or any(
        path == prefix or path.startswith(prefix + "/") for prefix in API_PREFIXES
    )


def page_path(path: str) -> str:
    """The one spelling of a page's path: `//chat/`, `/x/../chat` and `/chat.html` are all `/chat`."""
    normal = "/" + posixpath.normpath(path).strip("/.")
    for ending in ("/index.html", ".html"):
        normal = normal.removesuffix(ending)
    return normal or "/"


def page_policies(built: Path) -> dict[str, str]:
    """The policy of every built page under its path. Reads the files, so call it before serving."""
    files = {page_path("/" + file.relative_to(built).as_posix()): file for file in built.rglob("*.html")}
    return {path: content_security_policy(file.read_text()) for path, file in files.items()}


def _origins(address: str) -> tuple[str, ...]:
    """A LiveKit server's origins: its socket, and where it says over HTTP why it took nobody in."""
    url = urlsplit(address)
    is_safe = url.scheme in {"wss", "https"}
    schemes = ("wss", "https") if is_safe else ("ws", "http")
    return tuple(f"{scheme}://{url.netloc}" for scheme in schemes) if url.netloc else ()


def _first_segment(path: str) -> str:
    """`chat` for `/chat`, `/chat.data` and `/CHAT/x`: file systems differ in what they take for the same name."""
    return path.split("/")[1].partition(".")[0].casefold()


async def _hung_up(receive: Receive) -> None:
    """Hear a client close its socket too: else the connection is cut before it knows why."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_GOODBYE_S):
            while (await receive())["type"] != "websocket.disconnect":
                pass


def _with_headers(send: Send, path: str, headers: Headers) -> Send:
    """Add the security headers, and say how long the answer may be kept."""

    async def sending(message: Scope) -> None:
        if message["type"] == "http.response.start":
            is_hashed = path.startswith("/assets/") and message["status"] in {200, 206, 304}
            keep = _FOREVER if is_hashed else _ASK_FIRST
            message = {**message, "headers": [*message.get("headers", ()), *headers, keep]}
        await send(message)

    return sending


async def _redirect(send: Send, location: str) -> None:
    await _answer(send, 307, b"", (b"location", location.encode()))


async def _not_found(send: Send) -> None:
    await _answer(send, 404, b"Not Found", (b"content-type", b"text/plain; charset=utf-8"))


async def _answer(send: Send, status: int, body: bytes, header: tuple[bytes, bytes]) -> None:
    headers = [header, (b"content-length", str(len(body)).encode()), _ASK_FIRST, *_PAGE_HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
