"""The overview in a real browser: it follows what goes on while it is open."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.async_api import Browser, Locator, Page, expect

from .conftest import Demo, NewGateway, free_port, open_page, read_demo, running, sign_in

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser lives in one loop
LIVE_MS = 15_000
"""A figure is there two seconds later, but not on a machine that does ten other things."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo that only these tests ask, so that its numbers are theirs."""
    data = tmp_path_factory.mktemp("overview")
    with running("demo", "--port", free_port(), "--data-dir", str(data), until="Ctrl-C") as output:
        yield read_demo(output)


async def ask(demo: Demo, prompt: str, model: str = "grok-4") -> int:
    """Send a chat as a client does; its status."""
    body = {"model": model, "stream": False, "messages": [{"role": "user", "content": prompt}]}
    async with httpx.AsyncClient(base_url=demo.url, headers={"Authorization": f"Bearer {demo.api_key}"}) as client:
        return (await client.post("/v1/chat/completions", json=body)).status_code


async def number(page: Page, name: str) -> int:
    """What a card shows."""
    return int((await card(page, name).inner_text()).replace(",", ""))


def card(page: Page, name: str) -> Locator:
    """The number of a card."""
    return page.locator(f"#number-{name} .number-value")


async def overview(page: Page) -> None:
    """Open it and wait for its figures."""
    await open_page(page, "/admin")
    await expect(page.locator("#overview")).to_be_visible(timeout=LIVE_MS)


async def test_numbers_follow_requests_without_a_reload(console: Page, demo: Demo) -> None:
    """Requests, quota, models and both charts."""
    await overview(console)
    requests, quota = await number(console, "requests"), await number(console, "quota")
    await console.evaluate("window.isStillHere = true")
    assert [await ask(demo, "hello") for _ in range(3)] == [200, 200, 200]
    await expect(card(console, "requests")).to_have_text(str(requests + 3), timeout=LIVE_MS)
    await expect(card(console, "quota")).to_have_text(f"{quota - 3:,}", timeout=LIVE_MS)
    await expect(console.locator("#panel-models")).to_contain_text("grok-4")
    await expect(card(console, "first-token")).to_have_text(re.compile(r"\d\sm?s$"))
    for chart in ("Requests per minute", "Time to first token"):
        await expect(console.get_by_role("application", name=chart)).to_be_visible()
    assert await console.evaluate("window.isStillHere")


async def test_a_charts_minutes_can_be_walked_through(console: Page, demo: Demo) -> None:
    """With the keyboard; its gist is its name."""
    await ask(demo, "hello")
    await overview(console)
    chart = console.get_by_role("application", name=re.compile(r"Last hour: \d+ requests, \d+ failed"))
    await expect(chart).to_be_visible(timeout=LIVE_MS)
    await chart.focus()
    await console.keyboard.press("ArrowRight")
    await expect(console.locator("#panel-per-minute .recharts-default-tooltip")).to_contain_text(
        re.compile(r"\d\d:\d\d.*Answered.*Failed", re.DOTALL)
    )


async def test_failures_of_grok_are_named(console: Page, demo: Demo) -> None:
    """By kind, and the failed request is counted."""
    await overview(console)
    assert await ask(demo, "@429") == 429
    errors = console.locator("#panel-errors")
    await expect(errors).to_contain_text("Rate limited", timeout=LIVE_MS)
    await expect(console.locator("#number-requests")).to_contain_text(re.compile(r"[1-9]\d* failed"))
    await expect(errors.get_by_role("link", name="See the requests")).to_have_attribute("href", "/admin/requests")
    await expect(console.locator("#number-accounts")).to_contain_text(re.compile(r"[1-9]\d* cooling"))


async def test_a_task_of_a_script_shows_while_it_runs(console: Page, demo: Demo) -> None:
    """It was started through the API, and the page was open before."""
    await overview(console)
    await expect(card(console, "tasks")).to_have_text("0")
    token = "sandbox-basic-overview-@limits-hang"
    operator = {"Authorization": f"Bearer {demo.operators_key}"}
    async with httpx.AsyncClient(base_url=f"{demo.url}/v1/admin", headers=operator) as client:
        await client.post("/tokens/add", json={"tokens": [token]})
        task = (await client.post("/tokens/refresh/async", json={"tokens": [token]})).raise_for_status().json()
        await expect(card(console, "tasks")).to_have_text("1", timeout=LIVE_MS)
        await expect(console.locator("#number-tasks")).to_contain_text("0 of 1 items done")
        await client.post(f"/batch/{task['task_id']}/cancel")


async def test_what_runs_here_is_told(console: Page, demo: Demo) -> None:
    """Version, storage and where requests go."""
    await overview(console)
    await expect(console.locator("#fact-database dd")).to_have_text("SQLite")
    await expect(console.locator("#fact-page-state dd")).to_have_text("Memory, without Redis")
    await expect(console.locator("#fact-version dd")).to_have_text(re.compile(r"^\d+\.\d+\.\d+$"))
    upstream = console.locator("#fact-upstream")
    await expect(upstream).to_contain_text(demo.sandbox_url.removeprefix("http://"))
    await expect(upstream).to_contain_text("Sandbox or another address")


async def test_two_tabs_agree(console: Page, demo: Demo) -> None:
    """They are shown the same, whatever happens."""
    await overview(console)
    other = await console.context.new_page()
    await overview(other)
    requests = await number(console, "requests")
    await ask(demo, "hello")
    for page in (console, other):
        await expect(card(page, "requests")).to_have_text(str(requests + 1), timeout=LIVE_MS)


async def test_it_speaks_chinese(console: Page, demo: Demo) -> None:
    """At once, failures and storage too."""
    await ask(demo, "@429")
    await overview(console)
    await console.get_by_role("button", name="切换到简体中文").click()
    await expect(console.locator("#panel-errors")).to_contain_text("触发限流", timeout=LIVE_MS)
    await expect(console.locator("#fact-page-state dd")).to_have_text("存于内存，未使用 Redis")
    await expect(console.get_by_role("application", name="每分钟请求数")).to_be_visible()
    await expect(console.locator("#panel-accounts")).to_contain_text("普通")


async def test_a_new_gateway_says_what_to_do(browser: Browser, new_gateway: NewGateway) -> None:
    """Add an account, send a request: the line to paste has our address and no key. Requests would go to Grok."""
    context = await browser.new_context(base_url=new_gateway.url, locale="en-US")
    page = await context.new_page()
    await open_page(page, "/admin/login")
    await sign_in(page, new_gateway.keys["Operator's key"])
    await page.wait_for_url("**/admin")
    await overview(page)
    await expect(page.get_by_role("link", name="Add accounts")).to_have_attribute("href", "/admin/token")
    line = await page.locator("#first-request code").inner_text()
    assert line.startswith(f"curl {new_gateway.url}/v1/chat/completions")
    assert "Bearer $API_KEY" in line
    shown = await page.content()
    assert not any(key in shown for key in new_gateway.keys.values())
    await expect(page.locator("#fact-upstream dd")).to_have_text("grok.com")
    await expect(page.locator("#panel-errors")).to_contain_text("None in the last hour")
    await context.close()
