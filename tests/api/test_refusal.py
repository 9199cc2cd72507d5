"""What whoever comes while the server stops is told, as far as a request through the gateway doesn't show it."""

import httpx
import pytest

from grok_app.api import app, create_refusal
from grok_app.env import read_env

SITE = "https://chat.example.com"


@pytest.fixture
async def browser(monkeypatch: pytest.MonkeyPatch) -> httpx.AsyncClient:
    """Shows a page of another site, which may call."""
    monkeypatch.setattr(app, "current_env", lambda: read_env({"GROK_APP_CORS_ORIGINS": SITE}))
    transport = httpx.ASGITransport(create_refusal())
    return httpx.AsyncClient(transport=transport, base_url="http://gateway", headers={"Origin": SITE})


async def test_a_page_of_an_allowed_site_may_read_the_refusal(browser: httpx.AsyncClient) -> None:
    """With the time after which to try again; without the headers of CORS it would see a broken network."""
    answer = await browser.post("/v1/chat/completions")
    assert (answer.status_code, answer.headers["retry-after"], answer.headers["connection"]) == (503, "5", "close")
    assert answer.headers["access-control-allow-origin"] == SITE
    assert "retry-after" in answer.headers["access-control-expose-headers"]


async def test_a_page_of_an_allowed_site_may_ask(browser: httpx.AsyncClient) -> None:
    """A browser that is refused its preflight wouldn't ask at all."""
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    answer = await browser.options("/v1/chat/completions", headers=asks)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, SITE)
