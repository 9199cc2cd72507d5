"""Routes that are asked in crowds, found by their path before all that FastAPI does for a request.

It would take as long as the gateway's own work (2026-11-29). FastAPI still has them, for the document that describes
the API and for methods that they don't take; what they do is in their endpoints and in `grok_app.api.deps` either way.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from typing import Final

from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from grok_app.api.deps import check_api_key, current_services
from grok_app.api.errors import error_response
from grok_app.errors import GatewayError
from grok_app.runtime import Services

_METHOD: Final = "POST"

Endpoint = Callable[[Request, Services, ExitStack], Awaitable[Response]]
"""Answers those who show an API key. What is put on the stack is closed once the answer has been sent."""


class Direct:
    """Sends each request to one of these endpoints, or on.

    Args:
        app: What serves everything else.
        endpoints: By path, without a trailing slash.
        surround: Puts around an endpoint what surrounds the others.
    """

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, Endpoint], surround: Callable[[ASGIApp], ASGIApp]) -> None:
        self._app = app
        self._endpoints = {path: surround(_Answering(endpoint)) for path, endpoint in endpoints.items()}

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request, socket or lifespan.

        What is to be awaited is given on: each token of a stream wakes all coroutines that wait in each other.
        """
        app = self._app
        if scope["type"] == "http" and scope["method"] == _METHOD:
            app = self._endpoints.get(scope["path"].rstrip("/"), app)
        return app(scope, receive, send)


class _Answering:
    """One endpoint as an ASGI app."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        with ExitStack() as held:
            try:
                services = await current_services()
                await check_api_key(request, services)
                response = await self._endpoint(request, services, held)
            except GatewayError as error:
                response = error_response(error)
            await response(scope, receive, send)
