"""The requests page in a real browser: what happened, as it happens."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.async_api import Locator, Page, expect

from .conftest import Demo, Profile, free_port, open_page, read_demo, running
from .console import find_barriers, revoke

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser lives in one loop
PATH = "/admin/requests"
LIVE_MS = 15_000
"""A request is there a second later, but not on a machine that does ten other things."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo that only these tests ask, so that its requests are theirs."""
    data = tmp_path_factory.mktemp("requests")
    with running("demo", "--port", free_port(), "--data-dir", str(data), until="Ctrl-C") as output:
        yield read_demo(output)


async def ask(demo: Demo, prompt: str, model: str = "grok-4", **headers: str) -> str:
    """Send a chat as a client does; its id."""
    body = {"model": model, "stream": False, "messages": [{"role": "user", "content": prompt}]}
    shown = {"Authorization": f"Bearer {demo.api_key}", **headers}
    async with httpx.AsyncClient(base_url=demo.url, headers=shown, timeout=30) as client:
        answer = await client.post("/v1/chat/completions", json=body)
    return str(answer.headers["x-request-id"])


async def set_up(demo: Demo, **app: Any) -> None:
    """Change settings as a script does."""
    shown = {"Authorization": f"Bearer {demo.operators_key}"}
    async with httpx.AsyncClient(base_url=f"{demo.url}/v1/admin", headers=shown) as client:
        (await client.post("/config", json={"app": app})).raise_for_status()


def lines(page: Page) -> Locator:
    """The requests that are shown."""
    return page.locator("#requests tbody tr")


async def look_for(page: Page, words: str) -> Locator:
    """Open the page, search, and wait for the only request that is found."""
    await open_page(page, PATH)
    field = page.get_by_label("Search id, model, key, error or #account")
    await field.fill("no such words")  # so that what was shown before isn't taken for what is found
    await expect(page.get_by_role("heading", name="No request matches")).to_be_visible()
    await field.fill(words)
    await expect(lines(page)).to_have_count(1, timeout=LIVE_MS)
    return lines(page)


def fact(page: Page, name: str) -> Locator:
    """What the window says of a request."""
    row = page.locator("#request-facts > div").filter(has=page.get_by_text(name, exact=True))
    return row.locator("dd")


async def test_a_quiet_gateway_says_what_to_do(console: Page) -> None:
    """Until the first request there is no list, but a way to make one."""
    await open_page(console, PATH)
    await expect(console.get_by_role("heading", name="No requests yet")).to_be_visible()
    await expect(console.get_by_role("link", name="Open the chat")).to_have_attribute("href", "/chat")
    await expect(lines(console)).to_have_count(0)


async def test_new_requests_appear_without_a_reload(console: Page, demo: Demo) -> None:
    """The newest first, with what is known of each."""
    await open_page(console, PATH)
    await console.evaluate("window.isStillHere = true")
    for model in ("grok-3", "grok-4"):
        await ask(demo, "hello", model)
        await expect(lines(console).first).to_contain_text(model, timeout=LIVE_MS)
    newest = lines(console).first
    for said in (re.compile(r"\d\d:\d\d:\d\d"), "200", f"…{demo.api_key[-4:]}", re.compile(r"#\d+"), "→"):
        await expect(newest).to_contain_text(said)
    assert demo.api_key not in await console.content()
    assert await console.evaluate("window.isStillHere")


async def test_a_failure_opens_with_its_attempts(console: Page, demo: Demo) -> None:
    """By keyboard: each account that was asked, masked, with what Grok said; Escape leads back."""
    request_id = await ask(demo, "@429")
    line = await look_for(console, request_id)
    await expect(line).to_contain_text("Too many requests")
    await line.get_by_role("button").focus()
    await console.keyboard.press("Enter")
    await expect(fact(console, "Request id")).to_contain_text(request_id)
    await expect(fact(console, "Status")).to_contain_text("429")
    await expect(fact(console, "Status")).to_contain_text("No available tokens")
    attempts = console.locator("#request-attempts li")
    await expect(attempts).to_have_count(3)
    await expect(attempts.first).to_contain_text(re.compile(r"#\d+\s*\S+…\S+\s*Rate limited"))
    await console.keyboard.press("Escape")
    await expect(console.locator("#request-facts")).to_have_count(0)
    await expect(line.get_by_role("button")).to_be_focused()


async def test_a_refused_caller_is_recorded(console: Page, demo: Demo) -> None:
    """With the last characters of the key that was shown, and no account."""
    request_id = await ask(demo, "hello", Authorization="Bearer not-a-key-of-this-gateway")
    line = await look_for(console, request_id)
    await expect(line).to_contain_text(re.compile("401.*Wrong or missing key", re.DOTALL))
    await expect(line).to_contain_text("…eway")
    await line.click()
    await expect(console.get_by_text("Grok was not asked.")).to_be_visible()


async def test_filters_and_search(console: Page, demo: Demo) -> None:
    """By outcome, by model, by words; what matches nothing says so, and all can be shown again."""
    await ask(demo, "hello", "grok-4.1-mini")
    await ask(demo, "@429", "grok-4.1-mini")
    await open_page(console, PATH)
    await console.locator("#model").select_option("grok-4.1-mini")
    await expect(lines(console)).to_have_count(2, timeout=LIVE_MS)
    await console.get_by_role("button", name="Errors").click()
    await expect(lines(console)).to_have_count(1)
    await expect(lines(console)).to_contain_text("429")
    await console.get_by_role("button", name="OK").click()
    await expect(lines(console)).to_contain_text("200")
    await console.get_by_label("Search id, model, key, error or #account").fill("no such words")
    await expect(console.get_by_role("heading", name="No request matches")).to_be_visible()
    await console.get_by_role("button", name="Show all requests").click()
    await expect(console.get_by_label("Search id, model, key, error or #account")).to_have_value("")
    await expect(console.get_by_role("button", name="All", exact=True)).to_have_attribute("aria-pressed", "true")
    assert await lines(console).count() > 2


async def test_pages(console: Page, demo: Demo) -> None:
    """Older requests are on later pages, and stay there while new ones come."""
    for _ in range(25):
        await ask(demo, "hello", "unheard-of")
    await open_page(console, PATH)
    await console.get_by_label("Per page").select_option("20")
    await expect(lines(console)).to_have_count(20, timeout=LIVE_MS)
    await console.get_by_role("button", name="Next page").click()
    await expect(console.locator(".pager-place")).to_have_text(re.compile("^2 of"))
    first = await lines(console).first.inner_text()
    await ask(demo, "hello", "unheard-of")
    other = await console.context.new_page()
    await open_page(other, PATH)
    await expect(lines(other).first).to_contain_text("Unknown model", timeout=LIVE_MS)
    assert await lines(console).first.inner_text() == first


async def test_content_is_shown_only_where_it_was_kept(console: Page, demo: Demo) -> None:
    """Requests from before the setting was switched on have none, and say how to get some; off again, none has."""
    before = await ask(demo, "a secret from before")
    await set_up(demo, log_content=True)
    after = await ask(demo, "what is kept from now on")
    await (await look_for(console, before)).click()
    await expect(console.get_by_role("dialog")).to_contain_text("app.log_content")
    await expect(console.get_by_role("dialog")).not_to_contain_text("a secret from before")
    await console.get_by_role("button", name="Close").click()
    await (await look_for(console, after)).click()
    await console.get_by_role("dialog").get_by_text("Prompt", exact=True).click()
    await expect(console.get_by_role("dialog").locator("pre").first).to_have_text("what is kept from now on")
    await console.get_by_role("dialog").get_by_text("Answer", exact=True).click()
    await expect(console.get_by_role("dialog").locator("pre").last).to_contain_text("what is kept from now on")
    await console.get_by_role("button", name="Close").click()
    await set_up(demo, log_content=False)
    await (await look_for(console, after)).click()
    await expect(console.get_by_role("dialog")).to_contain_text("app.log_content")
    await expect(console.get_by_role("dialog")).not_to_contain_text("what is kept from now on")


async def test_a_request_that_another_account_saved(console: Page, demo: Demo) -> None:
    """Both accounts are in its window, the one that failed with its reason; each finds it by its number."""
    token = "sandbox-basic-always-limited-@429"
    shown = {"Authorization": f"Bearer {demo.operators_key}"}
    async with httpx.AsyncClient(base_url=f"{demo.url}/v1/admin", headers=shown) as client:
        (await client.post("/tokens/add", json={"tokens": [token]})).raise_for_status()
        (await client.patch("/tokens", json={"token": token, "quota": 1_000})).raise_for_status()
    request_id = await ask(demo, "hello", "grok-3")
    line = await look_for(console, request_id)
    await expect(line).to_contain_text("200")
    await line.click()
    attempts = console.locator("#request-attempts li")
    await expect(attempts).to_have_count(2)
    await expect(attempts.first).to_contain_text(re.compile("Rate limited.*rate_limited", re.DOTALL))
    await expect(attempts.last).to_contain_text("Answered")
    number = str(await attempts.first.locator("strong").inner_text())
    await console.get_by_role("button", name="Close").click()
    await expect(await look_for(console, number)).to_contain_text("grok-3")


@pytest.mark.parametrize("width", [375, 1440])
async def test_it_is_for_everybody_on_every_screen(console: Page, demo: Demo, width: int) -> None:
    """List and window: nothing scrolls the page sideways, axe finds nothing, in light, in dark and in Chinese."""
    request_id = await ask(demo, "@429", **{"x-request-id": f"{'long-' * 20}{width}"})
    await console.set_viewport_size({"width": width, "height": 800})
    await look_for(console, request_id)
    await console.locator("#language").click()
    for mode in ("light", "dark"):
        await expect(console.locator("html")).to_have_class(mode)
        assert await find_barriers(console) == []
        await lines(console).first.click()
        await expect(fact(console, "请求 ID")).to_contain_text(request_id)
        await expect(console.locator("#request-attempts")).to_contain_text("触发限流")
        assert await console.evaluate("document.documentElement.scrollWidth") <= width
        assert await find_barriers(console) == []
        await console.keyboard.press("Escape")
        await expect(console.get_by_role("dialog")).to_have_count(0)
        await console.locator("#color-mode").click()


async def test_labels_stand_in_line_on_a_phone(console: Page, demo: Demo) -> None:
    """What is a column of numbers on a desktop begins at the left like everything else."""
    request_id = await ask(demo, "hello")
    await console.set_viewport_size({"width": 375, "height": 800})
    line = await look_for(console, request_id)
    shown = await line.locator("td").evaluate_all(
        "cells => cells.map(it => [getComputedStyle(it).textAlign, getComputedStyle(it).justifyContent])"
    )
    assert {tuple(how) for how in shown} == {("left", "normal")}


async def test_a_session_that_is_over_shows_nothing_more(console: Page, profile: Profile, demo: Demo) -> None:
    """The next event leads to the sign-in."""
    await ask(demo, "hello")
    await open_page(console, PATH)
    await expect(lines(console).first).to_be_visible(timeout=LIVE_MS)
    await revoke(profile.context, demo)
    await console.wait_for_url("**/admin/login*", timeout=LIVE_MS)
