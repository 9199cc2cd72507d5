"""Long work is one thing for everybody: scripts, pages and tabs see the same task, and each of them may steer it."""

import re
from collections.abc import AsyncGenerator
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from .conftest import Demo, Profile, open_page
from .console import Traffic, signed_in_as

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser lives in one loop

REFRESH = "/tokens/refresh/async"
ACCOUNTS = 40


@pytest_asyncio.fixture(loop_scope="session")
async def script(demo: Demo) -> AsyncGenerator[httpx.AsyncClient, None]:
    """A script of the operator's, at a pool of accounts of which Grok answers none: one takes half a second."""
    headers = {"Authorization": f"Bearer {demo.operators_key}"}
    async with httpx.AsyncClient(base_url=f"{demo.url}/v1/admin", headers=headers, timeout=15) as client:
        await client.post("/config", json={"usage.timeout": 0.5, "usage.concurrent": 1})
        yield client
        await client.post("/config", json={"usage.timeout": 60, "usage.concurrent": 100})


@pytest_asyncio.fixture(loop_scope="session")
async def tokens(script: httpx.AsyncClient) -> AsyncGenerator[list[str], None]:
    """Accounts that only these tests know. Afterwards the pool is as it was."""
    before = (await script.get("/tokens")).json()
    fresh = [f"sandbox-basic-{uuid4().hex}-@limits-hang" for _ in range(ACCOUNTS)]
    (await script.post("/tokens/add", json={"tokens": fresh, "pool": "ssoBasic"})).raise_for_status()
    yield fresh
    (await script.post("/tokens", json=before)).raise_for_status()


async def start(script: httpx.AsyncClient, tokens: list[str]) -> str:
    """Begin to refresh; the task's id."""
    task_id: str = (await script.post(REFRESH, json={"tokens": tokens})).raise_for_status().json()["task_id"]
    return task_id


async def status_of(script: httpx.AsyncClient, task_id: str) -> str:
    """Where a task stands, as a script sees it."""
    async with script.stream("GET", f"/batch/{task_id}/stream") as stream:
        async for line in stream.aiter_lines():
            if '"status"' in line:
                return line
    raise AssertionError("the stream says nothing")


def card(page: Page) -> Locator:
    """The newest task, as a page shows it."""
    return page.locator("#tasks article").first


async def test_a_scripts_task_is_seen_and_steered_in_every_tab(
    console: Page, profile: Profile, script: httpx.AsyncClient, tokens: list[str]
) -> None:
    """Its progress is on every page, what one tab does the others see, and so does the script."""
    other = await profile.context.new_page()
    await open_page(other, "/admin/token")
    task_id = await start(script, tokens)
    for tab in (console, other):
        await expect(card(tab)).to_contain_text("Refreshing quotas")
        await expect(card(tab)).to_contain_text(f"of {ACCOUNTS}")

    await card(console).get_by_role("button", name="Pause").click()
    await expect(card(other)).to_contain_text("Paused")
    assert '"paused"' in await status_of(script, task_id)
    await card(other).get_by_role("button", name="Resume").click()
    await expect(card(console)).to_contain_text("Running")
    await (await script.post(f"/batch/{task_id}/cancel")).aread()
    for tab in (console, other):
        await expect(card(tab)).to_contain_text("Cancelled")

    await card(console).get_by_role("button", name="Dismiss").click()
    await expect(console.locator("#tasks")).to_have_count(0)
    await expect(card(other)).to_contain_text("Cancelled")


async def test_a_pages_task_is_a_scripts_too(
    profile: Profile, demo: Demo, script: httpx.AsyncClient, tokens: list[str]
) -> None:
    """What is begun for the chosen accounts in the console, a script watches and cancels."""
    await signed_in_as(profile.context, demo)
    traffic = Traffic()
    traffic.watch(profile.context)
    page = await profile.context.new_page()
    await open_page(page, "/admin/token")
    await page.locator("#search").fill("hang")
    await expect(page.locator("#accounts tbody tr")).to_have_count(ACCOUNTS)
    await page.locator("#select-page").click()
    await page.locator("#selected-refresh").click()
    await expect(card(page)).to_contain_text("Running")

    found = re.findall(r'"id":"([0-9a-f]{32})","kind":"refresh","status":"running"', "".join(traffic.frames))
    [task_id] = set(found)
    assert '"running"' in await status_of(script, task_id)
    (await script.post(f"/batch/{task_id}/cancel")).raise_for_status()
    await expect(card(page)).to_contain_text("Cancelled")
    assert len(tokens) == ACCOUNTS


async def test_who_comes_back_finds_the_task(console: Page, script: httpx.AsyncClient, tokens: list[str]) -> None:
    """On another page, on a page that is loaded anew, and after leaving the console."""
    task_id = await start(script, tokens)
    await expect(card(console)).to_contain_text("Running")
    await console.locator('nav a[href="/admin/config"]').click()
    await console.wait_for_url("**/admin/config")
    await expect(card(console)).to_contain_text("Running")
    await console.goto("about:blank")
    await open_page(console, "/admin")
    await expect(card(console)).to_contain_text("Running")
    await card(console).get_by_role("button", name="Cancel").click()
    await expect(card(console)).to_contain_text("Cancelled")
    assert '"cancelled"' in await status_of(script, task_id)


async def test_what_failed_is_listed_and_tried_again(
    console: Page, script: httpx.AsyncClient, tokens: list[str]
) -> None:
    """Each with its reason and a masked name; the second try is a task of the failed items alone."""
    await start(script, tokens[:2])
    await expect(card(console)).to_contain_text("2 failed")
    await card(console).get_by_text("What failed").click()
    await expect(card(console).get_by_role("listitem")).to_have_count(2)
    await expect(card(console).get_by_role("listitem").first).to_contain_text("within 0.5 s")
    assert tokens[0] not in await card(console).inner_text()

    await card(console).get_by_role("button", name="Retry failed").click()
    await expect(card(console)).to_contain_text("of 2")
    await expect(card(console)).to_contain_text("2 failed")
