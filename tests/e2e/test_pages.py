"""Doors, looks and languages of the pages."""

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from .conftest import Demo, NewGateway, Profile, keep_key, open_as_visitor, open_page

STUDIO = ("/imagine", "/video", "/voice", "/chat")
pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser lives in one loop


async def test_a_wrong_key_is_refused_in_place(page: Page, profile: Profile) -> None:
    """The sign-in says so and stays."""
    await open_page(page, "/")
    await page.get_by_label("Access key").fill("wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("Invalid authentication token")
    assert "/login" in page.url
    profile.forgive("401 (Unauthorized)")


async def test_who_has_no_key_signs_in_and_goes_on(page: Page, demo: Demo) -> None:
    """A page of the studio leads to the sign-in, and the sign-in back to it; the key is in no address."""
    await page.goto("/chat")
    await page.wait_for_url("**/login*")
    await page.wait_for_selector("#hydrated", state="attached")
    await page.get_by_label("Access key").fill(demo.public_key)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/chat*")
    assert demo.public_key not in page.url


async def test_a_signed_in_visitor_skips_the_form(page: Page, demo: Demo) -> None:
    """The key is kept in the browser; signing out forgets it, in all tabs."""
    await open_as_visitor(page, demo, "/login")
    await page.wait_for_url("**/imagine*")
    await page.wait_for_selector("#hydrated", state="attached")
    other = await page.context.new_page()
    await open_page(other, "/chat")
    await page.get_by_role("button", name="Sign out").click()
    for tab in (page, other):
        await tab.wait_for_url("**/login*")
    assert not await page.evaluate("localStorage.getItem('grok_app_public_key')")


async def test_a_key_that_counts_no_longer_leads_to_the_sign_in(page: Page, profile: Profile) -> None:
    """Whoever has a former one sees the form again."""
    await keep_key(page, "former")
    await page.goto("/chat")
    await page.wait_for_url("**/login*")
    await expect(page.get_by_label("Access key")).to_be_visible()
    profile.forgive("401 (Unauthorized)")


async def test_without_a_key_there_is_no_sign_in(page: Page, demo: Demo) -> None:
    """Whoever comes goes on, and has nothing to sign out of."""
    with demo.operator() as operator:
        operator.post("/config", json={"app.public_key": ""}).raise_for_status()
        try:
            await page.goto("/login")
            await page.wait_for_url("**/imagine*")
            await expect(page.locator("#prompt")).to_be_visible()
            await expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
        finally:
            operator.post("/config", json={"app.public_key": demo.public_key}).raise_for_status()


async def test_a_link_leads_into_no_closed_studio(browser: Browser, new_gateway: NewGateway) -> None:
    """The server answers for the page, though the link of an open one asks for its script alone."""
    headers = {"Authorization": "Bearer " + new_gateway.keys["Operator's key"]}
    async with httpx.AsyncClient(base_url=new_gateway.url, headers=headers) as operator:
        await operator.post("/v1/admin/config", json={"app.public_enabled": True})
        page = await browser.new_page(base_url=new_gateway.url)
        await open_page(page, "/login")
        await operator.post("/v1/admin/config", json={"app.public_enabled": False})
        await page.get_by_role("link", name="Grok App").click()
        await expect(page.locator("body")).to_have_text("Not Found")
        await page.close()


async def test_every_page_of_the_studio_leads_to_the_others(page: Page, demo: Demo) -> None:
    """By links at the top, on a phone at the bottom; the one where one is says so, and so does the tab."""
    await open_as_visitor(page, demo, "/imagine")
    navigation = page.get_by_role("navigation", name="Studio")
    for width in (1440, 375):
        await page.set_viewport_size({"width": width, "height": 800})
        for name in ("Video", "Voice", "Chat", "Imagine"):
            await navigation.get_by_role("link", name=name).click()
            await expect(navigation.locator('[aria-current="page"]')).to_have_text(name)
            await expect(page).to_have_title(f"{name} · Grok App")
        box = await navigation.bounding_box()
        assert box
        assert (box["y"] < 100) is (width == 1440)


async def test_what_a_visitor_chose_is_recalled(page: Page, demo: Demo) -> None:
    """What the browser kept counts as long as it is offered; a value that nobody offers is forgotten."""
    await keep_key(page, demo.public_key)
    await page.evaluate("localStorage.setItem('grok_app_chat_effort', 'as hard as you can')")
    await page.evaluate("localStorage.setItem('grok_app_chat_model', 'grok-4.1-fast')")
    await open_page(page, "/chat")
    await page.wait_for_function("localStorage.getItem('grok_app_chat_effort') === 'auto'")
    assert await page.evaluate("localStorage.getItem('grok_app_chat_model')") == "grok-4.1-fast"


async def test_the_language_can_be_switched(chat: Page) -> None:
    """At once, for every text, and it is remembered."""
    await chat.get_by_role("button", name="切换到简体中文").click()
    await expect(chat.get_by_role("heading", name="想了解什么？")).to_be_visible()
    await open_page(chat, "/chat")
    await expect(chat.get_by_label("给 Grok 发消息")).to_be_visible()


async def test_the_colours_can_be_switched(chat: Page) -> None:
    """Between light and dark."""
    before = await chat.evaluate("document.documentElement.className")
    await chat.get_by_role("button", name="Switch between light and dark").click()
    await chat.wait_for_function("before => document.documentElement.className !== before", arg=before)


@pytest.mark.parametrize("width", [375, 768, 1440])
async def test_no_page_scrolls_sideways(chat: Page, width: int) -> None:
    """From a phone to a desktop."""
    await chat.set_viewport_size({"width": width, "height": 800})
    for path in (*STUDIO, "/admin/login", "/login"):
        if path == "/login":  # which leads on whoever has a key
            await chat.evaluate("localStorage.clear()")
        await open_page(chat, path)
        assert await chat.evaluate("document.documentElement.scrollWidth") <= width


async def test_console_pages_lead_to_the_operators_sign_in(page: Page) -> None:
    """Which says what there is, until the console comes."""
    await page.goto("/admin/token")
    await page.wait_for_url("**/admin/login*")
    await expect(page.get_by_role("heading", name="Console")).to_be_visible()
