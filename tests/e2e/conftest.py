"""A real demo and a real browser. The demo is started once; every test has a browser profile of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

ROOT = Path(__file__).parents[2]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
BROWSER_ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
START_S = 300
"""The first start builds the pages."""


@dataclass(frozen=True)
class Demo:
    """Where a running demo is, and its keys."""

    url: str
    sandbox_url: str
    api_key: str
    public_key: str
    operator_key: str
    output: str
    """What it printed until it was ready."""

    def upstream_states(self) -> list[str]:
        """How far each chat is that Grok was asked for: open, finished, cancelled."""
        requests = httpx.get(f"{self.sandbox_url}/sandbox/requests").json()
        return [request["state"] for request in requests if request["path"].endswith("/conversations/new")]


def free_port() -> str:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@contextmanager
def running(*arguments: str, until: str, **environ: str) -> Iterator[str]:
    """Run `grok-app …` and give what it printed until a line with this text. Ends with Ctrl-C's signal."""
    command = [sys.executable, "-m", "grok_app.cli", *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GROK_APP_")}
    process = subprocess.Popen(command, cwd=ROOT, env=clean | environ, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    too_late = threading.Timer(START_S, process.kill)
    too_late.start()
    try:
        printed = []
        for line in process.stdout:
            printed.append(line)
            if until in line:
                break
        assert process.poll() is None, "".join(printed)
        yield "".join(printed)
    finally:
        too_late.cancel()
        process.send_signal(signal.SIGINT)
        process.stdout.close()
        process.wait(30)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo on a port of its own, with fresh data."""
    data = tmp_path_factory.mktemp("demo")
    with running("demo", "--port", free_port(), "--data-dir", str(data), until="Ctrl-C") as output:
        yield demo_of(output)


def demo_of(output: str) -> Demo:
    """The demo that has printed this."""
    names = ("Pages", "simulated at", "API key", "Public key", "Operator's key")
    values = [match[1] for name in names if (match := re.search(rf"{name} +([^,\s]+)", output))]
    assert len(values) == len(names), output
    url, sandbox_url, api_key, public_key, operator_key = values
    return Demo(url, sandbox_url, api_key, public_key, operator_key, output)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncGenerator[Browser, None]:
    """Chromium, once."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(demo: Demo, browser: Browser) -> AsyncGenerator[Page, None]:
    """A page that fails its test on an error in the console, its policy's included, or a request to another host."""
    complaints: list[str] = []
    context = await browser.new_context(base_url=demo.url, locale="en-US")
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = await context.new_page()
    page.on("console", lambda it: complaints.append(it.text) if it.type in {"error", "warning"} else None)
    page.on("pageerror", lambda it: complaints.append(str(it)))
    page.on("request", lambda it: None if is_ours(it.url, demo) else complaints.append(it.url))
    yield page
    await context.close()
    assert complaints == []


@pytest_asyncio.fixture(loop_scope="session")
async def chat(page: Page, demo: Demo) -> Page:
    """The chat page, signed in."""
    await open_page(page, "/login")
    await page.get_by_label("Access key").fill(demo.public_key)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/chat*")
    await expect(page.get_by_label("Message Grok")).to_be_visible()
    return page


@pytest_asyncio.fixture(loop_scope="session")
async def console(page: Page, demo: Demo) -> Page:
    """A page, signed in to the console."""
    await sign_in(page, demo.operator_key)
    return page


async def sign_in(page: Page, operator_key: str) -> None:
    """Open the console."""
    await open_page(page, "/admin/login")
    await page.get_by_label("Operator's key").fill(operator_key)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/admin")


def is_ours(url: str, demo: Demo) -> bool:
    """Whether a request stays on this site."""
    return url.startswith((demo.url, "data:", "blob:"))


async def open_page(page: Page, path: str) -> None:
    """Go there and wait until it is alive: a click before that is lost."""
    await page.goto(path)
    await page.wait_for_selector("#hydrated", state="attached")


async def send(page: Page, message: str) -> None:
    """Write a message and send it with Enter."""
    await page.get_by_label("Message Grok").fill(message)
    await page.keyboard.press("Enter")
