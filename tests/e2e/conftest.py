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
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

ROOT = Path(__file__).parents[2]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
WINDOWLESS = os.environ.get("HEADLESS_CHROMIUM", "/usr/bin/chromium-headless-shell")
"""The same engine without a window, sound or microphone: a page costs it a third less processor time."""
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
    operators_key: str
    output: str
    """What it printed until it was ready."""

    def operator(self) -> httpx.Client:
        """A script of the operator's, which shows the key."""
        headers = {"Authorization": f"Bearer {self.operators_key}"}
        return httpx.Client(base_url=f"{self.url}/v1/admin", headers=headers, timeout=15)

    def upstream_states(self) -> list[str]:
        """How far each chat is that Grok was asked for: open, finished, cancelled."""
        requests = httpx.get(f"{self.sandbox_url}/sandbox/requests").json()
        return [request["state"] for request in requests if request["path"].endswith("/conversations/new")]


@dataclass(frozen=True)
class NewGateway:
    """A gateway at its first start, which would ask Grok itself."""

    url: str
    keys: dict[str, str]
    """By name."""


@dataclass
class Profile:
    """A browser profile of its own, and what its pages complained about."""

    context: BrowserContext
    complaints: list[str] = field(default_factory=list)

    def forgive(self, words: str) -> None:
        """Drop the complaints with these words, which the test has provoked."""
        self.complaints[:] = [complaint for complaint in self.complaints if words not in complaint]


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
        too_late.cancel()
        assert process.poll() is None, "".join(printed)
        yield "".join(printed)
    finally:
        too_late.cancel()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)  # reads to the end: what is said on a closed pipe is an error


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo on a port of its own, with fresh data. A test may say from which address its browser comes."""
    data = tmp_path_factory.mktemp("demo")
    arguments = ("--port", free_port(), "--data-dir", str(data))
    with running("demo", *arguments, until="Ctrl-C", GROK_APP_TRUSTED_PROXIES="127.0.0.1") as output:
        demo = read_demo(output)
        with demo.operator() as operator:  # many tests of one address may ask more than a visitor does in a minute
            operator.post("/config", json={"public.requests_per_minute": 10_000}).raise_for_status()
        yield demo


@pytest.fixture
def new_gateway(tmp_path: Path) -> Iterator[NewGateway]:
    """It has no account yet, and nobody has asked it for anything."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running("run", "--port", port, "--data-dir", str(tmp_path), until="Pages: ") as output:
        with httpx.Client(base_url=url, transport=httpx.HTTPTransport(retries=8)) as client:
            client.get("/healthz")  # waits for the server
        keys = dict(re.findall(r"^ +(Operator's key|API key) +(\S+)$", output, re.MULTILINE))
        assert len(keys) == 2, output
        yield NewGateway(url, keys)


def read_demo(output: str) -> Demo:
    """What a demo says of itself."""
    names = {
        "url": "Pages",
        "sandbox_url": "simulated at",
        "api_key": "API key",
        "public_key": "Public key",
        "operators_key": "Operator's key",
    }
    found = {field: re.search(rf"{name} +([^,\s]+)", output) for field, name in names.items()}
    assert all(found.values()), output
    return Demo(**{field: match[1] for field, match in found.items() if match}, output=output)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncGenerator[Browser, None]:
    """Chromium, once."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=WINDOWLESS, args=BROWSER_ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def profile(demo: Demo, browser: Browser) -> AsyncGenerator[Profile, None]:
    """A profile that fails its test on an error in a page's console, its policy's included, or a foreign request."""
    context = await browser.new_context(base_url=demo.url, locale="en-US", reduced_motion="reduce")
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    profile = Profile(context)
    complain = profile.complaints.append
    context.on("console", lambda it: complain(it.text) if it.type in {"error", "warning"} else None)
    context.on("weberror", lambda it: complain(str(it.error)))
    context.on("request", lambda it: None if is_ours(it.url, demo) else complain(it.url))
    yield profile
    complaints = list(profile.complaints)  # what is cut off by closing complains too
    await context.close()
    assert complaints == []


@pytest_asyncio.fixture(loop_scope="session")
async def page(profile: Profile) -> Page:
    """A page of that profile."""
    return await profile.context.new_page()


@pytest_asyncio.fixture(loop_scope="session")
async def console(page: Page, demo: Demo) -> Page:
    """The console's first page, signed in."""
    await open_page(page, "/admin/login")
    await sign_in(page, demo.operators_key)
    await page.wait_for_url("**/admin")
    await page.wait_for_selector("#hydrated", state="attached")
    return page


@pytest_asyncio.fixture(loop_scope="session")
async def chat(page: Page, demo: Demo) -> Page:
    """The chat page, signed in."""
    await open_as_visitor(page, demo, "/chat")
    await expect(page.get_by_label("Message Grok")).to_be_visible()
    return page


def is_ours(url: str, demo: Demo) -> bool:
    """Whether a request stays on this site."""
    return url.startswith((demo.url, "data:", "blob:"))


async def open_page(page: Page, path: str) -> None:
    """Go there and wait until it is alive: a click before that is lost."""
    await page.goto(path)
    await page.wait_for_selector("#hydrated", state="attached")


async def open_as_visitor(page: Page, demo: Demo, path: str) -> None:
    """Open a page of the studio with the key in the browser already."""
    await keep_key(page, demo.public_key)
    await open_page(page, path)


async def keep_key(page: Page, key: str) -> None:
    """Put a visitor's key where the studio's sign-in keeps it."""
    await page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    await page.goto("/healthz")  # any answer of this site: that is whom the browser keeps it for
    await page.evaluate("key => localStorage.setItem('grok_app_public_key', key)", key)


async def sign_in(page: Page, key: str) -> None:
    """Show a key at the console's door."""
    await page.get_by_label("Operator's key").fill(key)
    await page.get_by_role("button", name="Sign in").click()


async def send(page: Page, message: str) -> None:
    """Write a message and send it with Enter."""
    await page.get_by_label("Message Grok").fill(message)
    await page.keyboard.press("Enter")
