"""The FastAPI app: routes, error answers, and the page that documents both."""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from fastapi_offline import FastAPIOffline
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import compile_path
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from grok_app import __version__
from grok_app.api.direct import Direct
from grok_app.api.errors import ERROR_RESPONSES, add_error_handlers
from grok_app.api.files import HotFiles
from grok_app.api.reference import REFERENCE, add_reference
from grok_app.api.refusal import refuse
from grok_app.api.request_scope import RequestScope
from grok_app.api.routes import DIRECT, ROUTERS
from grok_app.env import current_env
from grok_app.runtime import current, open_services
from grok_app.trace import Trace

_STATIC: Final = "/static/public"
_ASSETS: Final = Path(__file__).parents[2] / "assets"
"""The files of the public pages: style, mark, typeface. In the source tree, beside the package."""
_DESCRIPTION: Final = (
    "An OpenAI-compatible gateway to Grok. Show an API key as `Authorization: Bearer …` or `x-api-key`. "
    'Every error is JSON: `{"error": {"message", "type", "param", "code"}}`.'
)


def create_api() -> ASGIApp:
    """The API, and before it what is asked in crowds: files that are in memory, chats."""
    return HotFiles(Direct(create_routes(), DIRECT, _surround))


def create_refusal() -> ASGIApp:
    """What serves in place of the API while the server stops; not recorded, since the services may be closed."""
    return _surround(refuse, record=None)


def create_routes() -> FastAPI:
    """Everything that the API answers.

    Served on its own it opens the services itself, at its lifespan's start. Behind the pages, where Reflex has the
    lifespan, they are open already.
    """
    app = FastAPIOffline(
        title="grok_app",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        static_url=f"{REFERENCE}/assets",
        redirect_slashes=False,
        lifespan=_lifespan,
        responses=ERROR_RESPONSES,
        middleware=_surroundings(),
    )
    add_reference(app)
    app.state.methods = _methods(app.router, "")
    for router, prefixes in ROUTERS:
        for prefix in prefixes:
            app.include_router(router, prefix=prefix)
            app.state.methods += _methods(router, prefix)
    app.mount(_STATIC, StaticFiles(directory=_ASSETS) if _ASSETS.is_dir() else APIRouter())
    app.state.methods.append((re.compile(f"{_STATIC}/.*"), {"GET"}))
    add_error_handlers(app)
    return app


def _methods(router: APIRouter, prefix: str) -> list[tuple[re.Pattern[str], set[str]]]:
    """The methods of each route, by the form of its path; what a 405 names."""
    routes = iter_route_contexts(router.routes)  # those of routers within routers too
    return [
        (compile_path(prefix + route.path)[0], set(route.methods)) for route in routes if route.path and route.methods
    ]


def _record(trace: Trace) -> None:
    current().requests.finish(trace)


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncGenerator[None, None]:
    async with open_services():
        yield


def _surround(app: ASGIApp, record: Callable[[Trace], None] | None = _record) -> ASGIApp:
    for around in reversed(_surroundings(record)):
        app = around.cls(app, *around.args, **around.kwargs)
    return app


def _surroundings(record: Callable[[Trace], None] | None = _record) -> list[Middleware]:
    """What is around every request, the outermost first."""
    return [Middleware(RequestScope, record=record), *_cors()]


def _cors() -> list[Middleware]:
    env, _ = current_env()
    if not env.cors_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=env.cors_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["x-request-id", "traceparent", "retry-after"],
            allow_credentials="*" not in env.cors_origins,
        )
    ]
