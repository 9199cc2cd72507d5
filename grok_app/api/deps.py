"""What routes ask for: the services, and a caller that may call."""

from contextlib import ExitStack
from functools import cache, lru_cache
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Query, Request, Security
from fastapi.requests import HTTPConnection
from fastapi.security import APIKeyCookie, APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from grok_app.access import SESSION_COOKIE, client_address
from grok_app.errors import NotFoundError, PermissionDeniedError
from grok_app.logs import get_logger
from grok_app.runtime import Services, current
from grok_app.trace import current_trace, key_hint

log = get_logger(__name__)


async def current_services() -> Services:
    """The services of this process, with the newest settings in force."""
    services = current()
    await services.settings.catch_up()
    return services


Current = Annotated[Services, Depends(current_services)]

_bearer = HTTPBearer(auto_error=False, description="A key of the gateway.")
_api_key = APIKeyHeader(name="x-api-key", auto_error=False, description="A key of the gateway.")
_cookie = APIKeyCookie(name=SESSION_COOKIE, auto_error=False, description="The console's session.")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
"""A key that is shown as `Authorization: Bearer …`, unchecked."""
SessionCookie = Annotated[str | None, Security(_cookie)]
"""The console's cookie, unchecked."""

_SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")
_FOREIGN: Final = "This request comes from another site"
_OWN_SITE: Final = ("same-origin", "none")


async def require_api_key(
    services: Current, bearer: Bearer, api_key: Annotated[str | None, Security(_api_key)]
) -> None:
    """Let only callers in that show an API key, and not too often.

    Raises:
        AuthenticationError: They show none, or a wrong one.
        RateLimitedError: It was shown as often as it may in a minute.
    """
    shown = bearer.credentials if bearer else api_key
    trace = current_trace.get()
    if shown and trace:
        trace.key = key_hint(shown)
    services.access.check_api(shown)
    await services.callers.count(shown)
    if trace:
        trace.is_let_in = True


async def check_api_key(request: Request, services: Services) -> None:
    """See `require_api_key`; for whoever has no FastAPI to look into the request.

    Raises:
        AuthenticationError: No API key was shown, or a wrong one.
        RateLimitedError: It was shown as often as it may in a minute.
    """
    await require_api_key(services, await _bearer(request), await _api_key(request))


async def take_turn(request: Request, services: Services, held: ExitStack) -> None:
    """Let whoever shows this API key have one more answer under way until what is held is closed.

    Raises:
        RateLimitedError: They have as many as they may.
    """
    if services.settings.snapshot.app.key_parallel_streams:
        bearer = await _bearer(request)
        shown = bearer.credentials if bearer else await _api_key(request)
        held.enter_context(await services.callers.answering(shown))


async def take_room(services: Services, held: ExitStack) -> None:
    """Be one of those whom this process serves at once, until what is held is closed.

    Raises:
        OverloadedError: There is no room, not even after a little while.
    """
    await services.room.enter()
    held.callback(services.room.leave)


async def require_app_key(request: Request, services: Current, bearer: Bearer, cookie: SessionCookie) -> None:
    """Let only the operator in, by key or by the console's session; a key that is shown decides.

    Raises:
        AuthenticationError: It is someone else.
        PermissionDeniedError: Another site's page sent the session's cookie along.
        RateLimitedError: Too many wrong keys came from this address.
    """
    await _check_operator(request, services, bearer.credentials if bearer else None, cookie)


async def require_app_key_or_query(
    request: Request,
    services: Current,
    bearer: Bearer,
    cookie: SessionCookie,
    app_key: Annotated[
        str | None, Query(description="The operator's key, for clients that can't send headers.")
    ] = None,
) -> None:
    """Let only the operator in, as `require_app_key` does, or with the key in the query.

    Raises:
        AuthenticationError: It is someone else.
        PermissionDeniedError: Another site's page sent the session's cookie along.
        RateLimitedError: Too many wrong keys came from this address.
    """
    await _check_operator(request, services, bearer.credentials if bearer else app_key, cookie)


async def require_public_key(services: Current, bearer: Bearer) -> None:
    """Let only visitors of the studio in.

    Raises:
        AuthenticationError: They show no key, or a wrong one.
    """
    services.access.check_public(bearer.credentials if bearer else None)


async def require_open_studio(services: Current) -> None:
    """Let nobody in while the studio is closed, whatever they show: without a public key anyone could come.

    Raises:
        NotFoundError: It is.
    """
    if not services.settings.snapshot.app.public_enabled:
        raise NotFoundError("The public pages are switched off")


async def count_visit(connection: HTTPConnection, services: Current) -> None:
    """Count a request to the public surface by the address that it comes from.

    Raises:
        RateLimitedError: Too many came from there within a minute.
    """
    await services.visitors.count(address_of(connection, services))


async def refuse_other_sites(request: Request, services: Current) -> None:
    """Keep other sites' pages from changing anything in the name of whoever sits at the browser.

    `Sec-Fetch-Site` decides where the browser sends it, else `Origin` against `Host`, which a proxy may have changed;
    origins that the environment names are welcome. Source: https://pkg.go.dev/net/http#CrossOriginProtection.

    Raises:
        PermissionDeniedError: It is another site's page.
    """
    if request.method not in _SAFE_METHODS and _is_of_another_site(request, services):
        raise PermissionDeniedError(_FOREIGN, code="cross_site")


def refuse_foreign_pages(connection: HTTPConnection, services: Services) -> None:
    """Keep other sites' pages from beginning anything through a visitor's browser, where no method or cookie tells.

    `*` in `GROK_APP_CORS_ORIGINS` welcomes every site: safe, since a cookie doesn't count here.

    Raises:
        PermissionDeniedError: It is another site's page.
    """
    if "*" not in services.env.cors_origins and _is_of_another_site(connection, services):
        raise PermissionDeniedError(_FOREIGN, code="cross_site")


def _is_of_another_site(connection: HTTPConnection, services: Services) -> bool:
    """Whether a page asks that is neither ours nor welcome. See `refuse_other_sites`."""
    origin, site = connection.headers.get("origin"), connection.headers.get("sec-fetch-site")
    if origin and origin in services.env.cors_origins:
        return False
    if site:
        return site not in _OWN_SITE
    return origin is not None and _host_of(origin) != connection.headers.get("host", "").lower()


def own_url(request: Request, services: Services) -> str:
    """What links to our files begin with: the setting `app.app_url`, else the address that the caller used."""
    if app_url := services.settings.snapshot.app.app_url:
        return app_url
    scope = request.scope
    root_path = scope.get("app_root_path", scope.get("root_path", ""))
    server = scope.get("server")
    return _base_url(scope["scheme"], request.headers.get("host"), server and tuple(server), root_path)


@lru_cache(maxsize=32)
def _base_url(scheme: str, host: str | None, server: tuple[str, int | None] | None, root_path: str) -> str:
    """What Starlette makes of this part of a scope; remembered, since every chat asks and all callers ask alike."""
    headers = [] if host is None else [(b"host", host.encode("latin-1"))]
    asked = {"type": "http", "scheme": scheme, "server": server, "headers": headers, "root_path": root_path, "path": ""}
    return str(Request(asked).base_url).rstrip("/")


def address_of(connection: HTTPConnection, services: Services) -> str:
    """The address that the request was first sent from."""
    if "x-forwarded-for" in connection.headers and not services.env.trusted_proxies:
        _warn_of_proxy()
    return client_address(peer_of(connection), connection.headers.raw, services.env.trusted_proxies)


def peer_of(connection: HTTPConnection) -> str:
    """The other end of the connection; empty on a Unix socket."""
    return connection.client.host if connection.client else ""


async def _check_operator(request: Request, services: Services, shown: str | None, cookie: str | None) -> None:
    if shown or not cookie:
        await services.access.check_admin(shown, address_of(request, services))
        return
    await services.sessions.check(cookie)
    await refuse_other_sites(request, services)


@cache
def _warn_of_proxy() -> None:
    """Once: behind a proxy that isn't named, one guesser makes everybody wait."""
    log.warning("a proxy says who asks, but GROK_APP_TRUSTED_PROXIES doesn't name it: all its callers count as one")


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""  # no URL at all, so nobody's host
