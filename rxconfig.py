"""How Reflex builds and serves the pages. Read by `reflex …` and by `grok-app run`."""

import os
import re
from pathlib import Path
from typing import Any

from grok_app.env import current_env
from grok_app.page_build import set_environment

set_environment()  # before Reflex reads it: node from the wheel, npm instead of bun, nothing that phones home

import reflex as rx  # noqa: E402 - see the line above
from reflex.constants import StateManagerMode  # noqa: E402 - likewise

_SERVER_URL = re.compile(r"([`\"'])(ws|http)://[^/`\"']+([^`\"']*)\1")
_PAGE_URL = "var __page=globalThis.location??{protocol:`http:`,host:`localhost`};"


class SameOriginPlugin(rx.plugins.Plugin):
    """Let the built pages talk to the address they were loaded from: any host, port and scheme.

    Reflex bakes the port of the build into the bundle (seen with 0.10.1).
    """

    def post_build(self, *, static_dir: Path, **_: Any) -> None:
        """Rewrite the server's addresses in the built environment chunk."""
        chunks = list((static_dir / "assets").glob("reflex-env-*.js"))
        rewritten = [_SERVER_URL.subn(_from_location, chunk.read_text()) for chunk in chunks]
        if not sum(count for _, count in rewritten):
            raise RuntimeError("no server address found in reflex-env-*.js: has Reflex changed its bundle?")
        for chunk, (text, _count) in zip(chunks, rewritten, strict=True):
            chunk.write_text(_PAGE_URL + text)


def _from_location(match: re.Match[str]) -> str:
    _quote, scheme, path = match.groups()
    return f"(__page.protocol===`https:`?`{scheme}s:`:`{scheme}:`)+`//`+__page.host+`{path}`"


def _dev_origins() -> tuple[str, ...]:
    """The origins of the pages in `reflex run`, where they come from a port of their own."""
    if os.environ.get("REFLEX_ENV_MODE", "dev") != "dev":
        return ()
    port = os.environ.get("REFLEX_FRONTEND_PORT", "3000")
    return (f"http://localhost:{port}", f"http://127.0.0.1:{port}")


_dev = _dev_origins()
if _dev:
    os.environ.setdefault("GROK_APP_CORS_ORIGINS", ",".join(_dev))
_env, _ = current_env()

config = rx.Config(
    app_name="grok_app",
    backend_host=_env.host,
    backend_port=_env.port,
    redis_url=_env.redis_url or None,
    state_manager_mode=StateManagerMode.REDIS if _env.redis_url else StateManagerMode.MEMORY,
    cors_allowed_origins=_dev,
    telemetry_enabled=False,
    show_built_with_reflex=False,
    plugins=[
        SameOriginPlugin(),
        rx.plugins.RadixThemesPlugin(theme=rx.theme(accent_color="indigo", gray_color="slate", radius="large")),
    ],
    disable_plugins=[rx.plugins.SitemapPlugin],
)
