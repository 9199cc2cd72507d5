"""The console's door and frame: who gets in, how one gets out, and what its pages say to whom."""

import re

import httpx
import pytest
from playwright.async_api import Page, expect

from .conftest import Demo, Profile, open_page, sign_in
from .console import COOKIE, PAGES, SIGN_IN, Traffic, cookie_of, revoke, settle, signed_in_as

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser lives in one loop

FREE_ATTEMPTS = 5
WRONG = "An operator's key that nobody has"


async def test_a_wrong_key_is_refused_in_place(page: Page, profile: Profile) -> None:
    """The server's sentence stands at the field, the page stays, and the right key still opens."""
    await profile.context.set_extra_http_headers({"X-Forwarded-For": "198.51.100.1"})
    await open_page(page, SIGN_IN)
    await sign_in(page, WRONG)
    await expect(page.get_by_role("alert")).to_have_text("Invalid authentication token")
    assert await page.get_by_label("Operator's key").input_value() == WRONG
    assert page.url.rstrip("/").endswith(SIGN_IN)
    profile.forgive("401")


async def test_who_guesses_must_wait(page: Page, profile: Profile, demo: Demo) -> None:
    """After five wrong keys the form counts the seconds and sends nothing; then the right key opens."""
    await profile.context.set_extra_http_headers({"X-Forwarded-For": "198.51.100.2"})
    await open_page(page, SIGN_IN)
    for _ in range(FREE_ATTEMPTS):
        await sign_in(page, WRONG)
        await expect(page.get_by_role("alert")).to_have_text("Invalid authentication token")
    await sign_in(page, demo.operators_key)
    await expect(page.get_by_role("alert")).to_contain_text("Too many attempts. Wait ")
    await expect(page.get_by_role("button", name="Sign in")).to_be_disabled()
    await expect(page.get_by_role("alert")).to_have_count(0)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/admin")
    profile.forgive("401")
    profile.forgive("429")


async def test_the_key_can_be_seen_while_it_is_typed(page: Page) -> None:
    """On request only."""
    await open_page(page, SIGN_IN)
    field = page.get_by_label("Operator's key")
    await field.fill("abc")
    assert await field.get_attribute("type") == "password"
    await page.get_by_role("button", name="Show the key").click()
    assert (await field.get_attribute("type"), await field.input_value()) == ("text", "abc")
    await page.get_by_role("button", name="Hide the key").click()
    assert await field.get_attribute("type") == "password"


async def test_the_session_is_beyond_the_reach_of_scripts(console: Page, profile: Profile, demo: Demo) -> None:
    """A cookie that no script can read and no other site sends, and no trace of the key in the browser's stores."""
    [cookie] = [it for it in await profile.context.cookies() if it["name"] == COOKIE]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert await console.evaluate("document.cookie") == ""
    assert demo.operators_key not in str(await console.evaluate("[{...localStorage}, {...sessionStorage}]"))


@pytest.mark.parametrize("path", [SIGN_IN, f"{SIGN_IN}/", f"{SIGN_IN}.html"])
async def test_the_door_is_there_for_everybody(page: Page, path: str) -> None:
    """Under grok2api's path too."""
    await open_page(page, path)
    await expect(page.get_by_label("Operator's key")).to_be_focused()


@pytest.mark.parametrize("path", [SIGN_IN, f"{SIGN_IN}.html"])
async def test_an_operator_skips_the_form(console: Page, path: str) -> None:
    """Who has a session goes on to the console."""
    await console.goto(path)
    await console.wait_for_url("**/admin")
    await expect(console.get_by_role("heading", name="Overview", level=1)).to_be_visible()


@pytest.mark.parametrize("path", PAGES)
async def test_the_navigation_leads_to_every_page(console: Page, path: str) -> None:
    """And says where one is."""
    await console.locator(f'nav a[href="{path}"]').click()
    await console.wait_for_url(f"**{path}")
    current = console.locator('nav a[aria-current="page"]')
    await expect(current).to_have_attribute("href", path)
    await expect(console.get_by_role("heading", level=1)).to_have_text(await current.inner_text())


async def sent_to_sign_in(page: Page) -> None:
    """Wait until a page is led there; a beat may lead it there once more, which breaks the first off."""
    await expect(page).to_have_url(re.compile(f"{SIGN_IN}$"))
    await page.wait_for_load_state()


async def test_the_way_back_after_signing_in(console: Page, demo: Demo, profile: Profile) -> None:
    """Whoever was sent away from a page finds it again."""
    await open_page(console, "/admin/cache")
    await revoke(profile.context, demo)
    await sent_to_sign_in(console)
    await sign_in(console, demo.operators_key)
    await console.wait_for_url("**/admin/cache")


async def test_signing_out_ends_the_session_in_every_tab(console: Page, profile: Profile, demo: Demo) -> None:
    """On the server too: the cookie opens nothing any more."""
    other = await profile.context.new_page()
    await open_page(other, "/admin/token")
    cookies = await cookie_of(profile.context)
    await console.get_by_role("button", name="Sign out").click()
    for tab in (console, other):
        await sent_to_sign_in(tab)
    async with httpx.AsyncClient(base_url=demo.url, cookies=cookies) as stranger:
        assert (await stranger.get("/v1/admin/verify")).status_code == 401
        assert (await stranger.get("/admin")).status_code == 307


@pytest.mark.parametrize("path", PAGES)
async def test_a_revoked_session_closes_the_open_page(console: Page, profile: Profile, demo: Demo, path: str) -> None:
    """By itself, without a click; and reloading doesn't bring it back."""
    await open_page(console, path)
    await revoke(profile.context, demo)
    await sent_to_sign_in(console)
    await open_page(console, path)
    assert console.url.endswith(SIGN_IN)


async def test_no_credential_reaches_the_browser(profile: Profile, demo: Demo) -> None:
    """Neither in what the pages are sent nor in what they show: no account's token, and none of the keys."""
    traffic = Traffic()
    traffic.watch(profile.context)
    await signed_in_as(profile.context, demo)
    page = await profile.context.new_page()
    shown = []
    for path in PAGES:
        await open_page(page, path)
        await settle(page)
        shown.append(await page.content())

    with demo.operator() as script:
        pools = script.get("/tokens").raise_for_status().json()
    tokens = [account["token"] for accounts in pools.values() for account in accounts]
    session = (await cookie_of(profile.context))[COOKIE]
    everything = "\n".join([*traffic.frames, *shown])
    assert tokens
    assert "is_hydrated" in everything, "what went over the sockets was read"
    secrets = [*tokens, demo.operators_key, demo.api_key, demo.public_key, session]
    assert [secret for secret in secrets if secret in everything] == []
