"""What the tests of the console share: its pages, what goes over the wire, and what axe finds."""

from dataclasses import dataclass, field
from typing import Final

import httpx
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import BrowserContext, Page, Response, WebSocket

from grok_app.ui import ROUTES

from .conftest import Demo

SIGN_IN: Final = "/admin/login"
PAGES: Final = tuple(path for path in ROUTES if path.startswith("/admin") and path != SIGN_IN)
"""Every page behind the door. A new one is tested as soon as it has a route."""
COOKIE: Final = "grok_app_session"
_AXE: Final = Axe()
_TEXTUAL: Final = ("text/", "application/json", "application/javascript")


@dataclass
class Traffic:
    """All that the pages of a profile were sent, over sockets and in answers, and what they say on sockets."""

    texts: list[str] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Take down what goes on in this profile from now on."""
        context.on("page", self._watch_page)
        context.on("response", self.responses.append)

    async def read(self) -> str:
        """Everything so far, as one text."""
        bodies = [await it.text() for it in self.responses if _is_text(it)]
        return "\n".join([*self.texts, *bodies])

    def _watch_page(self, page: Page) -> None:
        page.on("websocket", self._watch_socket)

    def _watch_socket(self, socket: WebSocket) -> None:
        for event in ("framereceived", "framesent"):
            socket.on(event, lambda frame: self.texts.append(frame if isinstance(frame, str) else frame.decode()))


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


async def revoke(context: BrowserContext, demo: Demo) -> None:
    """End the session of a profile on the server, behind its back."""
    httpx.delete(f"{demo.url}/v1/admin/session", cookies=await cookie_of(context)).raise_for_status()


async def cookie_of(context: BrowserContext) -> dict[str, str]:
    """The session that a profile holds."""
    return {it["name"]: it["value"] for it in await context.cookies() if it["name"] == COOKIE}


def signed_in(demo: Demo) -> httpx.Client:
    """A browser without scripts that has a session."""
    client = httpx.Client(base_url=demo.url)
    client.post("/v1/admin/session", json={"app_key": demo.operators_key}).raise_for_status()
    return client


def _is_text(response: Response) -> bool:
    kind = response.headers.get("content-type", "")
    return response.status == 200 and kind.startswith(_TEXTUAL)
