"""The composition root: Reflex's app behind the front, one ordered lifespan, the pages. Nothing else."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any, Final

import click
import reflex as rx
from reflex.utils.prerequisites import get_web_dir

from grok_app.access import session_cookie
from grok_app.api import create_api
from grok_app.env import current_env
from grok_app.errors import GatewayError
from grok_app.front import Front, page_policies
from grok_app.logs import configure_logging, get_logger
from grok_app.runtime import current, open_services, prepare_storage
from grok_app.stopping import Scope
from grok_app.ui import ROUTES, Arrival, add_pages, connection_note

log = get_logger(__name__)
_ONE_ADDRESS: Final = (
    "if(location.pathname.endsWith('.html'))"
    "history.replaceState(null,'',location.pathname.slice(0,-5)+location.search+location.hash)"
)
"""Before anything else, since a page's code goes by its address: `/admin/login.html` becomes `/admin/login`."""


_STYLES: Final = ("theme", "studio", "imagine", "video", "voice", "chat", "console")
"""Each a file in `assets`; later ones win."""


class GrokApp(rx.App):
    """Reflex's app with the front before it. Reflex calls it once for the ASGI app to serve."""

    def __call__(self) -> Any:
        """Make the ASGI app."""
        return Front(
            pages=super().__call__(),
            api=create_api(),
            routes=ROUTES,
            is_studio_open=_is_studio_open,
            is_operator=_is_operator,
            policies=page_policies(get_web_dir() / "build" / "client"),
            voice_server=lambda: current().settings.snapshot.voice.livekit_url,
        )


async def _is_studio_open() -> bool:
    settings = current().settings
    await settings.catch_up()
    return settings.snapshot.app.public_enabled


async def _is_operator(scope: Scope) -> bool:
    cookies = [value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"]
    try:
        await current().sessions.check(session_cookie("; ".join(cookies)))
    except GatewayError:  # no session, or nobody can say
        return False
    return True


@asynccontextmanager
async def _services() -> AsyncGenerator[None, None]:
    """Services open before the first request and close after the last. Reflex would not run FastAPI's own lifespan."""
    if "_GROK_APP_PREPARED" not in os.environ:  # set by grok_app.server
        await asyncio.to_thread(_prepare)
    async with open_services():
        yield


def _prepare() -> None:
    """What `grok-app run` does before it starts, for plain `reflex run`."""
    env, _ = current_env()
    configure_logging(env.log_level, as_json=env.log_json)
    for name, key in asdict(prepare_storage()).items():
        if key:
            click.echo(f"{name}, made just now and shown only once: {key}")


def _log_failure(exception: Exception) -> None:
    """Log a bug in an event of the pages. Reflex's own handler would also say so through eval (ADR 8)."""
    log.error("page event failed", exc_info=exception)


def _build() -> GrokApp:
    app = GrokApp(
        stylesheets=[f"/{name}.css" for name in _STYLES],
        head_components=[
            rx.el.link(rel="icon", href="/mark.svg", type="image/svg+xml"),
            rx.el.script(custom_attrs={"dangerouslySetInnerHTML": {"__html": _ONE_ADDRESS}}),
        ],
        toaster=rx.toast.provider(position="top-center", offset="68px"),
        html_lang="en",
        backend_exception_handler=_log_failure,
    )
    app.app_wraps[5, "Overlay"] = lambda is_stateful: connection_note() if is_stateful else None
    if app.sio is not None and not rx.config.get_config().cors_allowed_origins:
        app.sio.eio.cors_allowed_origins = None  # the page's own origin only; an empty list would let everybody in
    app.add_middleware(Arrival())
    app.register_lifespan_task(_services)
    add_pages(app)
    return app


app = _build()
