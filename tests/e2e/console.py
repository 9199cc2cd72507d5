"""What the tests of the console share: its pages, what goes over the wire, and what axe finds."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import httpx
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped] # no marker
from playwright.async_api import BrowserContext, Page, WebSocket, expect

from grok_app.ui import ROUTES

from .conftest import Demo

SIGN_IN: Final = "/admin/login"
PAGES: Final = tuple(path for path in ROUTES if path.startswith("/admin") and path != SIGN_IN)
"""Every page behind the door. A new one is tested as soon as it has a route."""
COOKIE: Final = "grok_app_session"
_AXE: Final = Axe()


@dataclass
class Traffic:
    """All that goes over the sockets of a profile's pages, in both directions."""

    frames: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Take down what the pages that are opened from now on hear and say."""
        context.on("page", self._watch_page)

    def _watch_page(self, page: Page) -> None:
        page.on("websocket", self._watch_socket)

    def _watch_socket(self, socket: WebSocket) -> None:
        for event in ("framereceived", "framesent"):
            socket.on(event, lambda frame: self.frames.append(frame if isinstance(frame, str) else frame.decode()))


async def find_barriers(page: Page) -> list[str]:
    """What axe calls serious or critical on the page as it stands, with the elements.

    axe-core comes from the Python package, and the browser's own debugger runs it: the page's policy, which forbids
    scripts from elsewhere, stays in force.
    """
    found = await _AXE.run(page, options={"resultTypes": ["violations"]})
    return [
        f"{violation['id']}: {violation['help']}: {node['target']}: {node['html']}"
        for violation in found.response["violations"]
        if violation["impact"] in {"serious", "critical"}
        for node in violation["nodes"]
    ]


async def signed_in_as(context: BrowserContext, demo: Demo) -> None:
    """Give a profile a session, without the form."""
    with signed_in(demo) as operator:
        await context.add_cookies([{"name": COOKIE, "value": operator.cookies[COOKIE], "url": demo.url}])


async def settle(page: Page) -> None:
    """Wait until the page has its data."""
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(page.locator(".skeleton")).to_have_count(0)


async def revoke(context: BrowserContext, demo: Demo) -> None:
    """End the session of a profile on the server, behind its back."""
    async with httpx.AsyncClient(base_url=demo.url, cookies=await cookie_of(context)) as client:
        (await client.delete("/v1/admin/session")).raise_for_status()


async def cookie_of(context: BrowserContext) -> dict[str, str]:
    """The session that a profile holds."""
    return {it["name"]: it["value"] for it in await context.cookies() if it["name"] == COOKIE}


@contextmanager
def signed_in(demo: Demo) -> Iterator[httpx.Client]:
    """A browser without scripts that has a session."""
    with httpx.Client(base_url=demo.url) as client:
        client.post("/v1/admin/session", json={"app_key": demo.operators_key}).raise_for_status()
        yield client
