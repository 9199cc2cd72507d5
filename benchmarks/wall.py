"""How pictures reach the wall of the imagine page, in a real browser: when, what they hold, how long a frame takes.

Grok is `benchmarks/painting.py`, which notes when each finished picture left. The browser notes when each was in its
document, on the clock that all processes of the machine share, and how long the longest frame was.
"""

import asyncio
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson
from playwright.async_api import Browser, CDPSession, Page, async_playwright

from benchmarks.listening import PUBLIC_KEY
from benchmarks.pages import BROWSER_ARGUMENTS, CHROMIUM
from benchmarks.painting import PAINTED
from benchmarks.processes import Served, start_gateway, start_painting
from benchmarks.runs import SETTINGS

NAME: Final = "wall"
BAR_LATE: Final = 0.10
"""Most that the last picture may be late, as a share of the time that the painter took."""
BAR_HEAP_MB: Final = 60.0
BAR_FRAME_MS: Final = 100.0
GROK_BATCH_S: Final = 6.0
"""What Grok takes for six pictures, as far as we know."""
_LOOK_S: Final = 0.25
_PATIENCE_MS: Final = 120_000
_WATCH: Final = """count => {
    const watch = window.watch = {longest_ms: 0, began_ms: 0, ended_ms: 0, shown: 0};
    let last = 0;
    const look = now => {
        if (last) watch.longest_ms = Math.max(watch.longest_ms, now - last);
        last = now;
        watch.shown = document.querySelectorAll('.wall [data-stage="final"]').length;
        if (watch.shown >= count) watch.ended_ms = performance.timeOrigin + performance.now();
        else requestAnimationFrame(look);
    };
    document.querySelector("#start").addEventListener("click", () => {
        watch.began_ms = performance.timeOrigin + performance.now();
        requestAnimationFrame(look);
    }, {once: true});
}"""


@dataclass(frozen=True, slots=True)
class Filling:
    """How the wall is filled."""

    name: str
    way: str
    """The page's own name of it: `ws` or `sse`."""
    pictures: int
    runs: int
    """At the same time."""
    batch_s: float
    """What the painter takes for six pictures."""

    @property
    def is_real(self) -> bool:
        """Whether Grok is as fast. Else browser, gateway and painter fight for the same cores, and frames are late."""
        return self.batch_s >= GROK_BATCH_S


FILLINGS: Final = (
    Filling("at Grok's pace, three runs", "ws", 100, 3, GROK_BATCH_S),
    Filling("20 pictures/s", "ws", 100, 1, 0.3),
    Filling("20 pictures/s", "sse", 100, 1, 0.3),
    Filling("three times as many", "ws", 300, 3, 0.9),
)


@dataclass(frozen=True, slots=True)
class Filled:
    """How it went."""

    filling: Filling
    painter_s: float
    """From the click to the moment when the painter had sent the last one."""
    wall_s: float
    """From the click to the last one on the wall."""
    heap_mb: float
    """The most that JavaScript held."""
    longest_frame_ms: float

    @property
    def late(self) -> float:
        """What the wall took more than the painter, as a share."""
        return self.wall_s / self.painter_s - 1

    @property
    def meets_bar(self) -> bool:
        """Whether it was quick and small, and at Grok's pace smooth."""
        is_smooth = self.longest_frame_ms < BAR_FRAME_MS or not self.filling.is_real
        return self.late <= BAR_LATE and self.heap_mb < BAR_HEAP_MB and is_smooth


def measure_wall(fillings: tuple[Filling, ...] = FILLINGS) -> list[Filled]:
    """Measure at a gateway of its own. The pages must be built."""
    settings = SETTINGS | {"app.public_enabled": "true"}
    with (
        tempfile.TemporaryDirectory(prefix="grok-app-bench-") as folder,
        start_painting() as painter,
        start_gateway(Path(folder), painter, accounts=50, settings=settings, with_pages=True) as gateway,
    ):
        return asyncio.run(_measure(painter, gateway, fillings))


def print_wall(rows: list[Filled]) -> None:
    """Print the table."""
    print("\nPictures of 100 KB on the wall of the imagine page")
    for row in rows:
        filling = row.filling
        print(
            f"  {filling.pictures} by {filling.way}, {filling.name:<28} painter {row.painter_s:6.2f} s"
            f"  wall {row.wall_s:6.2f} s ({row.late:+.1%})  heap {row.heap_mb:5.1f} MB"
            f"  longest frame {row.longest_frame_ms:5.0f} ms  {'met' if row.meets_bar else 'MISSED'}"
        )
    print(
        f"  bar: at most {BAR_LATE:.0%} late, under {BAR_HEAP_MB:.0f} MB,"
        f" at Grok's pace no frame over {BAR_FRAME_MS:.0f} ms"
    )


async def _measure(painter: Served, gateway: Served, fillings: tuple[Filling, ...]) -> list[Filled]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_ARGUMENTS)
        rows = [await _fill(browser, painter, gateway, filling) for filling in fillings]
        await browser.close()
    return rows


async def _fill(browser: Browser, painter: Served, gateway: Served, filling: Filling) -> Filled:
    context = await browser.new_context(base_url=f"http://127.0.0.1:{gateway.port}", locale="en-US")
    page = await context.new_page()
    await _open(page)
    await _choose(page, f"#mode-{filling.way}")
    await page.select_option("#runs", str(filling.runs))
    await page.wait_for_function("runs => document.querySelector('#runs').value === runs", arg=str(filling.runs))
    await page.fill("#prompt", f"A wall batch_s={filling.batch_s}")
    await asyncio.to_thread(_sent_s, painter)  # what was sent before is forgotten
    await page.evaluate(_WATCH, filling.pictures)
    heap_mb: list[float] = []
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(_watch_heap(await context.new_cdp_session(page), heap_mb))
        await page.click("#start")
        await page.wait_for_function("() => window.watch.ended_ms", timeout=_PATIENCE_MS)
        watching.cancel()
    watch = await page.evaluate("window.watch")
    sent_s = await asyncio.to_thread(_sent_s, painter)
    await context.close()
    began_s = watch["began_ms"] / 1000
    return Filled(
        filling,
        painter_s=sent_s[filling.pictures - 1] - began_s,
        wall_s=watch["ended_ms"] / 1000 - began_s,
        heap_mb=max(heap_mb),
        longest_frame_ms=watch["longest_ms"],
    )


async def _open(page: Page) -> None:
    """The page, with the visitors' key in the browser already."""
    await page.goto("/healthz")
    await page.evaluate("key => localStorage.setItem('grok_app_public_key', key)", PUBLIC_KEY)
    await page.goto("/imagine")
    await page.wait_for_selector("#hydrated", state="attached")


async def _choose(page: Page, option: str) -> None:
    """Choose, and wait until the server has said so."""
    await page.click(option, force=True)
    await page.wait_for_selector(f"{option}:checked", state="attached")


async def _watch_heap(session: CDPSession, heap_mb: list[float]) -> None:
    while True:
        usage = await session.send("Runtime.getHeapUsage")
        heap_mb.append(usage["usedSize"] / 1e6)
        await asyncio.sleep(_LOOK_S)


def _sent_s(painter: Served) -> list[float]:
    """When each finished picture left since this was last asked, in Unix seconds."""
    with urllib.request.urlopen(f"http://127.0.0.1:{painter.port}{PAINTED}") as answer:
        sent_ns = orjson.loads(answer.read())["sent_ns"].values()
    since_boot_s = time.time() - time.monotonic()
    return sorted(since_boot_s + moment_ns / 1e9 for moment_ns in sent_ns)
