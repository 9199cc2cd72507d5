"""How long an operator waits for the console's pages, in a real browser, with many accounts.

Times are the browser's own: from the start of the navigation, or from the click, to the last change that it causes.
"""

import asyncio
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from benchmarks.admin import ACCOUNTS, Wait
from benchmarks.processes import APP_KEY, Served, memory, start_gateway, start_sandbox

NAME: Final = "pages"
SIGN_IN: Final = "/admin/login"
PAGES: Final = ("/admin", "/admin/token", "/admin/requests", "/admin/cache", "/admin/config")
COLD_BAR_MS: Final = 1500.0
WARM_BAR_MS: Final = 1000.0
EVENT_BAR_MS: Final = 200.0
STATE_BAR_BYTES: Final = 200_000
TABS: Final = 8
CHROMIUM: Final = os.environ.get("CHROMIUM", "/usr/bin/chromium")
BROWSER_ARGUMENTS: Final = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
_EVENTS: Final = {
    "filter": "#filter-active",
    "show all again": "#filter-all",
    "sort": "#accounts thead th:nth-child(2) button",
    "next page": 'button[aria-label="Next page"]',
    "select the page": "#select-page",
    "select all": "#select-all",
}
"""What is clicked on the page of accounts, in this order."""
_WAIT_UNTIL_READY: Final = """() => new Promise(tell => {
    const look = () => {
        const isReady = document.querySelector("#hydrated, #operator-key") && document.querySelector("h1")
            && !document.querySelector('[aria-busy="true"]');
        if (isReady) tell(performance.now()); else requestAnimationFrame(look);
    };
    look();
})"""
"""A page is ready when it listens and nothing on it is being loaded; the sign-in form needs no server to listen."""
_CLICK: Final = """selector => new Promise((tell, fail) => {
    const target = document.querySelector(selector);
    if (!target) return fail(new Error(`there is no ${selector}`));
    const began = performance.now();
    let last = 0, timer = 0;
    const seen = new MutationObserver(() => {
        last = performance.now() - began;
        clearTimeout(timer);
        timer = setTimeout(() => { seen.disconnect(); tell(last); }, 300);
    });
    seen.observe(document.querySelector("main"), {subtree: true, childList: true, attributes: true});
    target.click();
})"""


@dataclass(frozen=True, slots=True)
class Pages:
    """What a run has found."""

    opened: list[Wait]
    """The sign-in in a browser that was never here, the others with what it has kept."""
    events: list[Wait]
    """Clicks on the page of accounts."""
    state_bytes: dict[str, int]
    """What a page is told over its socket until it is ready."""
    tab_kib: dict[str, float]
    """What the gateway holds for one more open page of accounts, and with all of them selected."""

    @property
    def meets_bar(self) -> bool:
        """Whether nothing takes longer, or is more, than it may."""
        are_quick = all(wait.meets_bar for wait in (*self.opened, *self.events))
        return are_quick and max(self.state_bytes.values()) < STATE_BAR_BYTES


def measure_pages(accounts: int = ACCOUNTS, rounds: int = 5) -> Pages:
    """Measure at a gateway of its own. The pages must be built.

    Raises:
        RuntimeError: Something isn't on a page that should be.
    """
    with (
        tempfile.TemporaryDirectory(prefix="grok-app-bench-") as folder,
        start_sandbox() as sandbox,
        start_gateway(Path(folder), sandbox, accounts, with_pages=True) as gateway,
    ):
        return asyncio.run(_measure(gateway, accounts, rounds))


def print_pages(pages: Pages) -> None:
    """Print the tables."""
    print(f"\nThe console in a browser, {pages.events[0].items} accounts, ms")
    for wait in (*pages.opened, *pages.events):
        verdict = "met" if wait.meets_bar else "MISSED"
        print(
            f"  {wait.name:<28}{wait.median_ms:>8.0f}{min(wait.times_ms):>8.0f}{max(wait.times_ms):>8.0f}"
            f"   under {wait.bar_ms:.0f}: {verdict}"
        )
    print("  told over the socket, bytes:", ", ".join(f"{path} {size:,}" for path, size in pages.state_bytes.items()))
    print(
        f"  bar: under {STATE_BAR_BYTES:,}: {'met' if max(pages.state_bytes.values()) < STATE_BAR_BYTES else 'MISSED'}"
    )
    for name, kib in pages.tab_kib.items():
        print(f"  memory of the gateway for one more tab{name}: {kib:.0f} KiB")


async def _measure(gateway: Served, accounts: int, rounds: int) -> Pages:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_ARGUMENTS)
        cold = [await _open_cold(browser, gateway) for _ in range(rounds)]
        context = await _signed_in(browser, gateway)
        page = await context.new_page()
        opened = [Wait(f"{SIGN_IN}, cold", accounts, cold, COLD_BAR_MS)]
        sizes = {}
        for path in PAGES:
            sizes[path] = await _told(page, path)
            warm = [await _open(page, path) for _ in range(rounds)]
            opened.append(Wait(path, accounts, warm, WARM_BAR_MS))
        events = await _click_through(page, accounts, rounds)
        await page.close()
        tab_kib = {
            "": await _weigh_tab(context, gateway),
            ", all selected": await _weigh_tab(context, gateway, "select the page", "select all"),
        }
        await browser.close()
    return Pages(opened, events, sizes, tab_kib)


async def _signed_in(browser: Browser, gateway: Served) -> BrowserContext:
    context = await _new_context(browser, gateway)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{gateway.port}") as client:
        (await client.post("/v1/admin/session", json={"app_key": APP_KEY})).raise_for_status()
        [cookie] = client.cookies.jar
    await context.add_cookies([{"name": cookie.name, "value": cookie.value or "", "domain": "127.0.0.1", "path": "/"}])
    return context


async def _new_context(browser: Browser, gateway: Served) -> BrowserContext:
    return await browser.new_context(base_url=f"http://127.0.0.1:{gateway.port}", locale="en-US")


async def _open_cold(browser: Browser, gateway: Served) -> float:
    context = await _new_context(browser, gateway)
    time_ms = await _open(await context.new_page(), SIGN_IN)
    await context.close()
    return time_ms


async def _open(page: Page, path: str) -> float:
    await page.goto(path, wait_until="commit")
    time_ms: float = await page.evaluate(_WAIT_UNTIL_READY)
    if not page.url.endswith(path):
        raise RuntimeError(f"{path} led to {page.url}")
    return time_ms


async def _told(page: Page, path: str) -> int:
    """How many bytes a page is told until it is ready; it is in the browser's cache afterwards."""
    sizes: list[int] = []

    def count(frame: Any) -> None:
        sizes.append(len(frame))

    page.on("websocket", lambda socket: socket.on("framereceived", count))
    await _open(page, path)
    return sum(sizes)


async def _click_through(page: Page, accounts: int, rounds: int) -> list[Wait]:
    times_ms: dict[str, list[float]] = {name: [] for name in _EVENTS}
    for _ in range(rounds):
        await _open(page, "/admin/token")
        for name, selector in _EVENTS.items():
            times_ms[name].append(await page.evaluate(_CLICK, selector))
    return [Wait(f"accounts: {name}", accounts, times, EVENT_BAR_MS) for name, times in times_ms.items()]


async def _weigh_tab(context: BrowserContext, gateway: Served, *clicks: str) -> float:
    """The first tabs fill what is shared, the others are weighed; all stay open, since the gateway forgets slowly."""
    weights = []
    for _ in range(2):
        for _ in range(TABS):
            page = await context.new_page()
            await _open(page, "/admin/token")
            for name in clicks:
                await page.evaluate(_CLICK, _EVENTS[name])
        weights.append(memory(gateway.pid).pss_mib)
    return (weights[1] - weights[0]) * 1024 / TABS
