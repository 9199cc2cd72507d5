"""Pages served by several workers: their state is in Redis, so whichever worker a page talks to knows the tab."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from benchmarks.processes import tree
from grok_app.ui import ROUTES
from tests.conftest import APP_KEY, KEYS, PUBLIC_KEY
from tests.redis import redis_url
from tests.servers import RUNNING, Process, Sandbox

from .conftest import START_S, Demo, Profile, free_port, keep_key, open_page
from .console import settle, signed_in_as

__all__ = ["redis_url"]

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser lives in one loop

ACCOUNTS: Final = [f"sandbox-basic-kept-{number}" for number in range(1, 4)]
LIST: Final = "/admin/token"
AWAY_MS: Final = 120_000
"""Workers that load the pages anew take so long at most, on a busy machine."""

Start = Callable[[], Process]


@pytest.fixture(scope="module")
def start(sandbox: Sandbox, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts pages and API, served by two workers, again and again at one address; the last one ends with the tests."""
    folder = tmp_path_factory.mktemp("pages")
    port = free_port()
    settings = {**KEYS, "data_dir": str(folder), "app.public_enabled": "true", "token.auto_refresh": "false"}
    upstream = {f"upstream.{host}_url": sandbox.url for host in ("grok", "accounts", "assets")}
    given = {f"GROK_APP_{name.upper().replace('.', '__')}": value for name, value in {**settings, **upstream}.items()}
    command = [sys.executable, "-m", "grok_app.cli", "run", "--workers", "2", "--port", port]
    started: list[Process] = []

    def begin() -> Process:
        ready_url = f"http://127.0.0.1:{port}/readyz"
        env = {**given, "REDIS_URL": redis_url}
        started.append(Process(command, env, ready_url, folder / "pages.log", start_limit_s=START_S))
        return started[-1]

    yield begin
    assert [server.stop() for server in started[-1:]] == [0], started[-1].log()


@pytest.fixture(scope="module")
def demo(start: Start) -> Demo:
    """Where it is, and its keys."""
    server = start()
    url = server.log().partition("Pages: ")[2].split()[0]
    return Demo(url, "", KEYS["app.api_key"], PUBLIC_KEY, APP_KEY, server.log())


@pytest.fixture
def accounts(demo: Demo) -> Demo:
    """The same with these accounts."""
    with demo.operator() as operator:
        operator.post("/tokens", json={"ssoBasic": ACCOUNTS}).raise_for_status()
    return demo


@pytest.mark.parametrize("path", ROUTES)
async def test_every_page_lives_on_redis(page: Page, profile: Profile, demo: Demo, path: str) -> None:
    """What the pages keep of a tab can be stored there, and they say nothing of an error."""
    await signed_in_as(profile.context, demo)
    await keep_key(page, demo.public_key)
    await open_page(page, path)


@pytest_asyncio.fixture(loop_scope="session")
async def selected(page: Page, profile: Profile, accounts: Demo) -> Page:
    """The list with all accounts selected, which the server alone knows; the page is told how many."""
    await signed_in_as(profile.context, accounts)
    await open_page(page, LIST)
    await settle(page)
    await page.locator("#select-page").click()
    await expect(page.locator("#selected")).to_have_text(f"{len(ACCOUNTS)} selected")
    return page


@pytest.mark.timeout(300)  # the pages are loaded once more, by two processes
async def test_a_restart_costs_no_tab_its_state(selected: Page, profile: Profile, demo: Demo, start: Start) -> None:
    """The new workers find it in Redis as soon as the page has found them."""
    server = RUNNING[-1]
    assert await asyncio.to_thread(server.stop) == 0
    async with selected.expect_event("websocket", timeout=AWAY_MS):
        await asyncio.to_thread(start)
    await selected.locator("#selected-delete").click()
    await selected.locator("#confirm").click(timeout=AWAY_MS)
    await expect(selected.get_by_text("No accounts yet")).to_be_visible()
    with demo.operator() as operator:
        assert not any(operator.get("/tokens").json().values())
    profile.forgive("WebSocket")


@pytest.mark.timeout(300)  # likewise
async def test_a_tab_begins_anew_when_its_worker_is_killed(selected: Page, profile: Profile) -> None:
    """Reflex takes the dead worker's tab for another one that is open; it goes on, with nothing selected."""
    server = RUNNING[-1]
    for worker in tree(server.pid)[1:]:
        os.kill(worker, signal.SIGKILL)
    await expect(selected.locator(".selected-bar")).to_have_count(0, timeout=AWAY_MS)
    await selected.locator("#select-page").click(timeout=AWAY_MS)
    await expect(selected.locator("#selected")).to_have_text(f"{len(ACCOUNTS)} selected")
    profile.forgive("WebSocket")
