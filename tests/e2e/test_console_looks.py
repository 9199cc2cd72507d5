"""How the console looks: on every screen, in both languages and both colours, and to those who don't see it."""

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from grok_app.ui.i18n import texts

from .conftest import Demo, Profile, open_page
from .console import PAGES, SIGN_IN, find_barriers, settle, signed_in_as

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser lives in one loop

WIDTHS = (375, 768, 1440)
SAID = """() => [...document.body.querySelectorAll("*")].flatMap(element => [
    ...[...element.childNodes].filter(node => node.nodeType === Node.TEXT_NODE).map(node => node.data),
    ...["aria-label", "title", "placeholder", "alt", "aria-description"].map(name => element.getAttribute(name)),
]).filter(Boolean).map(text => text.trim())"""
"""Every text of the page, those for screen readers too."""


@pytest_asyncio.fixture(loop_scope="session", params=[SIGN_IN, *PAGES])
async def opened(page: Page, profile: Profile, demo: Demo, request: pytest.FixtureRequest) -> Page:
    """A page of the console with all that it shows: the sign-in as strangers see it, the others signed in."""
    if request.param != SIGN_IN:
        await signed_in_as(profile.context, demo)
    await open_page(page, request.param)
    await settle(page)
    return page


async def test_no_page_scrolls_sideways(opened: Page) -> None:
    """From a phone to a desktop."""
    for width in WIDTHS:
        await opened.set_viewport_size({"width": width, "height": 800})
        assert await opened.evaluate("document.documentElement.scrollWidth") <= width


async def test_every_text_is_in_the_language_that_is_chosen(opened: Page) -> None:
    """Switched at once, remembered, and nothing of the other language is left."""
    foreign = {text for key, text in texts("en").items() if text != texts("zh")[key]}
    await opened.locator("#language").click()
    await expect(opened.locator(".frame")).to_have_attribute("lang", "zh-CN")
    assert foreign & set(await opened.evaluate(SAID)) == set()

    await opened.reload()
    await opened.wait_for_selector("#hydrated", state="attached")
    await settle(opened)
    await expect(opened.locator(".frame")).to_have_attribute("lang", "zh-CN")
    assert foreign & set(await opened.evaluate(SAID)) == set()


async def test_the_browsers_tab_is_named_in_the_language_that_is_chosen(opened: Page) -> None:
    """Before the switch, after it, and on the way to another page; the document says which language it is in."""
    heading = opened.get_by_role("heading", level=1)
    await expect(opened).to_have_title(f"{await heading.inner_text()} · Grok App")
    await opened.locator("#language").click()
    await expect(opened.locator("html")).to_have_attribute("lang", "zh-CN")
    await expect(opened).to_have_title(f"{await heading.inner_text()} · Grok App")
    for link in (await opened.locator(".nav-link").all())[:2]:
        await link.click()
        await expect(opened).to_have_title(f"{await link.inner_text()} · Grok App")


async def test_everything_lies_in_a_landmark(opened: Page) -> None:
    """Also the link that skips the navigation."""
    found = await opened.evaluate("""() => [...document.querySelectorAll("a, button, h1, h2, input")]
        .filter(it => !it.closest("header, nav, main, section[aria-label]")).map(it => it.outerHTML)""")
    assert found == []


@pytest.mark.parametrize("width", [375, 1440])
async def test_nobody_is_kept_out(opened: Page, width: int) -> None:
    """Axe finds nothing serious or critical, neither in light nor in dark."""
    await opened.set_viewport_size({"width": width, "height": 800})
    for mode in ("light", "dark"):
        await expect(opened.locator("html")).to_have_class(mode)
        assert await find_barriers(opened) == []
        await opened.locator("#color-mode").click()
