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
    await page.get_by_role("combobox", name="Model").click()
    await page.get_by_role("option", name="grok-4-thinking").click()
    await send(page, QUESTION)
    await expect(page.locator(".answer-actions")).to_be_visible(timeout=30_000)


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
