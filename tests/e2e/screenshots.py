"""`python -m tests.e2e.screenshots`: take the pictures in `docs/screenshots` anew, from a demo that looks used.

Sizes are always the same, and no picture is larger than `MOST_BYTES`, since all of them are in git.
"""

import asyncio
import io
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from .believable import fill, seed_requests
from .conftest import (
    BROWSER_ARGUMENTS,
    CHROMIUM,
    ROOT,
    Demo,
    free_port,
    open_as_visitor,
    open_page,
    read_demo,
    running,
    send,
)
from .console import settle, signed_in_as

FOLDER: Final = ROOT / "docs" / "screenshots"
MOST_BYTES: Final = 150_000
DESKTOP: Final = (1200, 780)
WIDE: Final = (1440, 900)
PHONE: Final = (390, 780)
QUESTION: Final = "How do I greet someone in Python?"
COLOURS: Final = (256, 128, 64, 32)

Prepare = Callable[[Page, Demo], Awaitable[None]]


@dataclass(frozen=True)
class Shot:
    """A picture: of what, and how it is looked at."""

    name: str
    path: str
    prepare: Prepare | None = None
    """What is done on the page before."""
    size: tuple[int, int] = WIDE
    is_dark: bool = False
    is_chinese: bool = False


async def begin_batch(page: Page, _: Demo) -> None:
    """Choose all accounts, and refresh them."""
    await page.locator("#select-page").click()
    await page.locator("#select-all").click()
    await page.locator("#selected-refresh").click()
    await expect(page.locator("#tasks article").first).to_contain_text("1 failed")


async def open_request(page: Page, _: Demo) -> None:
    """Show one that several accounts could not serve."""
    await page.locator("tbody tr", has_text="429").first.locator("td").nth(2).click()
    await expect(page.get_by_role("dialog")).to_contain_text("Too many requests")


async def converse(page: Page, _: Demo) -> None:
    """Have one answer, with thoughts."""
    model = page.get_by_role("combobox", name="Model")
    await model.select_option("grok-4-thinking")
    await expect(model).to_have_value("grok-4-thinking")
    await send(page, QUESTION)
    await expect(page.locator(".answer-actions")).to_be_visible(timeout=30_000)


async def draw(page: Page, _: Demo) -> None:
    """Have a dozen pictures of two runs."""
    await page.locator("#runs").select_option("2")
    await expect(page.locator("#runs")).to_have_value("2")
    await page.locator("#prompt").fill("A lighthouse in a storm, oil painting")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("[data-stage=final]").nth(11)).to_be_attached(timeout=40_000)
    await page.locator("#stop").click()
    await expect(page.locator("#start")).to_be_visible()
    await page.locator(".wall-area").evaluate("wall => wall.scrollTo(0, 0)")
    await forget_toasts(page)


async def look_closer(page: Page, demo: Demo) -> None:
    """Open one of them."""
    await draw(page, demo)
    await page.locator("[data-stage=final]").nth(1).click()
    await expect(page.get_by_role("dialog").get_by_role("img")).to_be_visible()


async def film(page: Page, _: Demo) -> None:
    """Have a video."""
    await page.locator("#prompt").fill("A paper boat on a mountain lake at dawn")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("video")).to_be_visible(timeout=40_000)
    await forget_toasts(page)


async def forget_toasts(page: Page) -> None:
    """Wait until what was said is gone."""
    await expect(page.locator("[data-sonner-toast]")).to_have_count(0, timeout=15_000)


SHOTS: Final = (
    Shot("overview", "/admin"),
    Shot("overview-dark", "/admin", is_dark=True),
    Shot("overview-phone", "/admin", size=PHONE),
    Shot("accounts", "/admin/token"),
    Shot("accounts-phone-dark", "/admin/token", size=PHONE, is_dark=True),
    Shot("accounts-chinese", "/admin/token", is_chinese=True),
    Shot("requests", "/admin/requests"),
    Shot("request", "/admin/requests", open_request),
    Shot("cache", "/admin/cache"),
    Shot("settings", "/admin/config"),
    Shot("settings-chinese-dark", "/admin/config", is_chinese=True, is_dark=True),
    Shot("imagine", "/imagine", draw, size=DESKTOP),
    Shot("imagine-lightbox-dark", "/imagine", look_closer, size=DESKTOP, is_dark=True),
    Shot("imagine-phone", "/imagine", draw, size=PHONE),
    Shot("video", "/video", film, size=DESKTOP),
    Shot("video-chinese-dark", "/video", film, size=DESKTOP, is_dark=True, is_chinese=True),
    Shot("voice", "/voice", size=DESKTOP),
    Shot("chat-light", "/chat", converse, size=DESKTOP),
    Shot("chat-dark", "/chat", converse, size=DESKTOP, is_dark=True),
    Shot("chat-phone", "/chat", converse, size=PHONE),
    Shot("accounts-batch", "/admin/token", begin_batch),  # last: every page of the console shows what runs
)


async def take(browser: Browser, demo: Demo, shot: Shot) -> bytes:
    """Take one picture, in a browser profile of its own."""
    context = await browser.new_context(
        base_url=demo.url,
        viewport=ViewportSize(width=shot.size[0], height=shot.size[1]),
        locale="zh-CN" if shot.is_chinese else "en-US",
        color_scheme="dark" if shot.is_dark else "light",
        reduced_motion="reduce",
    )
    page = await context.new_page()
    if shot.path.startswith("/admin"):
        await signed_in_as(context, demo)
        await open_page(page, shot.path)
        await settle(page)
    else:
        await open_as_visitor(page, demo, shot.path)
    await page.wait_for_load_state("networkidle")
    if shot.prepare:
        await shot.prepare(page, demo)
    await page.evaluate("document.activeElement.blur()")
    picture = await page.screenshot(animations="disabled", caret="hide")
    await context.close()
    return picture


def shrink(picture: bytes) -> bytes:
    """The same picture with as many colours as fit into `MOST_BYTES`; pages have few, photographs lose some."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for colours in COLOURS:
        small = io.BytesIO()
        image.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
            small, "PNG", optimize=True
        )
        if len(small.getvalue()) <= MOST_BYTES:
            return small.getvalue()
    raise ValueError(f"a picture has {len(small.getvalue())} bytes with {colours} colours")


async def take_all(demo: Demo, wanted: str) -> None:
    """Take every picture with this in its name."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_ARGUMENTS)
        for shot in SHOTS:
            if wanted in shot.name:
                picture = shrink(await take(browser, demo, shot))
                (FOLDER / f"{shot.name}.png").write_bytes(picture)
                sys.stdout.write(f"{shot.name}.png, {len(picture):,} bytes\n")
        await browser.close()


def main(wanted: str = "") -> None:
    """Take the pictures, of a demo in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="grok-app-screenshots-") as folder:
        seed_requests(Path(folder))
        with running("demo", "--port", free_port(), "--data-dir", folder, until="Ctrl-C") as output:
            demo = read_demo(output)
            fill(demo)
            asyncio.run(take_all(demo, wanted))


if __name__ == "__main__":
    main(*sys.argv[1:])
