"""The video page: from a prompt, and perhaps a picture, to a video that plays in place."""

import base64
import re
from io import BytesIO
from typing import Any, Final
from unittest.mock import ANY

import httpx
import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import JSHandle, Page, expect

from grok_app.ui.i18n import texts
from tests.servers import eventually

from .conftest import Demo, Profile, open_as_visitor, open_page
from .console import find_barriers
from .test_console_looks import SAID
from .test_video_plays import check_playing

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser lives in one loop

PROMPT: Final = "A paper boat in the rain"
MAKING_MS: Final = 20_000
"""The simulated Grok takes its time, some 5 s."""
WATCH: Final = """() => {
    window.seen = [];
    new MutationObserver(() => {
        const bar = document.querySelector("progress");
        if (bar && seen.at(-1) !== bar.getAttribute("value")) seen.push(bar.getAttribute("value"));
    }).observe(document.body, {subtree: true, childList: true, attributes: true});
}"""
"""Takes down each value of the bar; null while it has none."""
OWN_STREAM: Final = """() => {
    const said = new ReadableStream({start: stream => {
        window.say = text => stream.enqueue(new TextEncoder().encode(text));
        window.fall_silent = () => stream.close();
    }});
    const ask = fetch;
    window.fetch = (address, options) =>
        String(address).includes("video/sse") ? Promise.resolve(new Response(said)) : ask(address, options);
}"""
"""Lets a test be the stream of a video, with `say` and `fall_silent`."""
FOREIGN: Final = 'data: {"choices": [{"delta": {"content": "https://example.com/boat.mp4"}}]}\n\n'
CARRY: Final = """([content, name, type]) => {
    const carried = new DataTransfer();
    carried.items.add(new File([Uint8Array.from(atob(content), it => it.charCodeAt(0))], name, {type}));
    return carried;
}"""
PASTE: Final = """(field, clipboardData) => field.dispatchEvent(
    new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true})
)"""


@pytest_asyncio.fixture(loop_scope="session")
async def studio(page: Page, demo: Demo) -> Page:
    """The page, with the key in the browser."""
    await open_as_visitor(page, demo, "/video")
    return page


@pytest.fixture
def picture() -> bytes:
    """A small picture, different for each test."""
    content = BytesIO()
    Image.effect_noise((64, 48), 90).save(content, "PNG")
    return content.getvalue()


async def start(page: Page, prompt: str = PROMPT) -> None:
    """Ask for a video, as the keyboard does."""
    await page.get_by_label("Describe the video").fill(prompt)
    await page.keyboard.press("Control+Enter")


async def carry(page: Page, content: bytes, name: str, mime_type: str) -> JSHandle:
    """A file on its way to the page."""
    return await page.evaluate_handle(CARRY, [base64.b64encode(content).decode(), name, mime_type])


async def expect_toast(page: Page, text: str) -> None:
    """The page says so."""
    await expect(page.locator("[data-sonner-toast]", has_text=text).first).to_be_visible()


def uploads(demo: Demo) -> list[Any]:
    """What Grok was sent as files, in base64."""
    requests = httpx.get(f"{demo.sandbox_url}/sandbox/requests").json()
    return [request["body"]["content"] for request in requests if request["path"].endswith("/upload-file")]


async def test_a_video_plays_where_it_was_asked_for(studio: Page) -> None:
    """The bar has no end before the first number, then counts; the stream can be read, the video had as a file."""
    await studio.evaluate(WATCH)
    await start(studio)
    film = studio.get_by_role("article")
    await expect(film.get_by_role("listitem")).to_have_text(["3:2", "6 s", "480p", "Normal"])
    await expect(film.locator(".film-percent")).to_have_text(re.compile(r"^[1-9]\d?%$"))
    await expect(film.get_by_role("timer")).to_have_text(re.compile(r"^0:(0[2-9]|[1-5]\d)$"))
    await expect(studio.locator("video")).to_be_visible(timeout=MAKING_MS)
    await expect_toast(studio, "Your video is ready.")
    first, *numbers = await studio.evaluate("seen")
    counted = [int(number) for number in numbers if number is not None]
    assert first is None
    assert len(counted) > 2
    assert counted == sorted(counted)

    await check_playing(studio, studio.locator("video"))
    await studio.get_by_text("Raw stream").click()
    raw = studio.get_by_role("region", name="Raw stream").locator("visible=true")
    await expect(raw).to_contain_text("Generating video: 50%")
    await expect(raw).to_contain_text("/v1/files/video/")
    await studio.locator(".raw-stream").get_by_role("button", name="Copy").click()
    assert await studio.evaluate("navigator.clipboard.readText()") == await raw.text_content()

    async with studio.expect_download() as downloading:
        await film.get_by_role("link", name="Download").click()
    download = await downloading.value
    assert download.suggested_filename.endswith(".mp4")
    assert (await download.path()).read_bytes()[4:8] == b"ftyp"
    src = await studio.locator("video").get_attribute("src")
    await expect(film.get_by_role("link", name="Open")).to_have_attribute("href", src or "")


async def test_the_bar_has_no_end_while_the_video_is_made_larger(page: Page, demo: Demo) -> None:
    """All is filmed, and nobody knows how long the rest takes. A file of another site is no video."""
    await page.add_init_script(f"({OWN_STREAM})()")
    await open_as_visitor(page, demo, "/video")
    await start(page)
    bar, state = page.get_by_role("progressbar"), page.get_by_role("article").get_by_role("status")
    await expect(state).to_have_text("Waiting for Grok…")
    await page.evaluate("""say('event: progress\\ndata: {"progress": 42}\\n\\n')""")
    await expect(page.locator(".film-percent")).to_have_text("42%")
    await expect(bar).to_have_attribute("value", "42")
    await page.evaluate("""say('event: progress\\ndata: {"progress": 100}\\n\\n')""")
    await expect(state).to_have_text("Finishing…")
    await expect(page.locator("progress:indeterminate")).to_be_visible()
    await page.evaluate("""say('data: {"choices": [{"delta": {"content": "Upscaling video\\\\n"}}]}\\n\\n')""")
    await expect(state).to_have_text("Upscaling…")
    await expect(page.locator("progress:indeterminate")).to_be_visible()
    await page.evaluate(f"say({FOREIGN!r}); fall_silent()")
    await expect_toast(page, "The answer ended without a video.")
    await expect(page.locator("video")).to_have_count(0)


async def test_a_file_begins_the_video(studio: Page, demo: Demo, picture: bytes) -> None:
    """Chosen, seen, taken away, dropped and sent as it is."""
    preview = studio.get_by_alt_text("The reference picture")
    async with studio.expect_file_chooser() as choosing:
        await studio.get_by_role("button", name="Reference picture").click()
    await (await choosing.value).set_files({"name": "boat.png", "mimeType": "image/png", "buffer": picture})
    await expect(preview).to_have_js_property("naturalWidth", 64)
    await studio.get_by_role("button", name="Remove the picture").click()
    await expect(preview).to_have_count(0)
    await expect(studio.get_by_role("button", name="Reference picture")).to_be_focused()

    dropped = await carry(studio, picture, "boat.png", "image/png")
    await studio.dispatch_event(".prompt", "drop", {"dataTransfer": dropped})
    await expect(preview).to_have_js_property("naturalWidth", 64)
    await start(studio)
    await expect(studio.get_by_role("listitem").last).to_have_text("With picture")
    await expect(studio.locator(".film-percent")).to_have_text(re.compile(r"^[1-9]\d?%$"))
    assert base64.b64encode(picture).decode() in uploads(demo)
    await studio.get_by_role("button", name="Stop").click()


async def test_a_file_and_an_address_exclude_each_other(studio: Page, picture: bytes) -> None:
    """The one that comes last is meant. What is no picture is refused before it is sent."""
    choose = studio.get_by_role("button", name="Reference picture")
    address = studio.get_by_label("Address of a reference picture")
    await address.fill("https://example.com/boat.png")
    await expect(choose).to_be_disabled()
    await expect(studio.get_by_alt_text("The reference picture")).to_have_count(0)
    await studio.get_by_role("button", name="Remove the picture").click()
    await expect(choose).to_be_focused()

    await address.fill(f"data:image/png;base64,{base64.b64encode(picture).decode()}")
    await expect(studio.get_by_alt_text("The reference picture")).to_have_js_property("naturalWidth", 64)
    pasted = await carry(studio, picture, "pasted.png", "image/png")
    await studio.get_by_label("Describe the video").evaluate(PASTE, pasted)
    await expect(studio.get_by_text("pasted.png")).to_be_visible()
    await expect(address).to_have_count(0)

    text = await carry(studio, b"Hello", "hello.txt", "text/plain")
    await studio.dispatch_event(".prompt", "drop", {"dataTransfer": text})
    await expect_toast(studio, "This file is not a PNG, JPEG, WebP or GIF picture.")
    await expect(studio.get_by_text("pasted.png")).to_be_visible()


async def test_stop_ends_the_video_everywhere(studio: Page, demo: Demo) -> None:
    """Grok is not kept at work for a video that nobody wants."""
    await start(studio)
    await expect(studio.locator(".film-percent")).to_have_text(re.compile(r"^[1-9]\d?%$"))
    async with studio.expect_request("**/v1/public/video/stop") as stopping:
        await studio.get_by_role("button", name="Stop").click()
    assert (await stopping.value).post_data_json == {"task_ids": [ANY]}
    await expect_toast(studio, "Stopped.")
    await expect(studio.get_by_role("article")).to_have_count(0)
    await expect(studio.get_by_role("button", name="Start")).to_be_enabled()
    eventually(lambda: demo.upstream_states()[-1] == "cancelled")


async def test_leaving_the_page_stops_the_video(studio: Page, demo: Demo) -> None:
    """Also by a link to another page of the studio."""
    await start(studio)
    await expect(studio.locator(".film-percent")).to_have_text(re.compile(r"^[1-9]\d?%$"))
    await studio.get_by_role("link", name="Chat").click()
    await expect(studio.get_by_label("Message Grok")).to_be_visible()
    eventually(lambda: demo.upstream_states()[-1] == "cancelled")


async def test_why_there_is_no_video_is_said_in_the_servers_words(studio: Page, profile: Profile) -> None:
    """Be it refused, or given up under way. The prompt stays, to try again."""
    await studio.get_by_label("Address of a reference picture").fill("ftp://example.com/boat.png")
    await start(studio)
    refusal = "image_url must be a URL or data URI"
    await expect_toast(studio, refusal)
    await expect(studio.locator(".film-failure")).to_contain_text(refusal)
    await expect(studio.get_by_label("Describe the video")).to_have_value(PROMPT)
    profile.forgive("status of 400")

    await studio.get_by_role("button", name="Remove the picture").click()
    async with studio.expect_response("**/v1/public/video/sse*") as streaming:
        await start(studio, f"@403-safety {PROMPT}")
    body = await (await streaming.value).text()
    said = await studio.locator(".film-failure p").inner_text()
    assert f'"message":"{said}"' in body
    await expect_toast(studio, said)
    await expect(studio.get_by_role("button", name="Start")).to_be_enabled()


async def test_what_was_chosen_stays(studio: Page) -> None:
    """Over a reload, and it is what is asked for. What the browser kept of another version is forgotten."""
    for choice in ("9:16", "10 s", "720p"):
        await studio.get_by_role("radio", name=choice).click()
        await expect(studio.get_by_role("radio", name=choice)).to_be_checked()
    await studio.get_by_label("Style").select_option("Fun")
    await expect(studio.get_by_label("Style")).to_have_value("fun")
    await studio.evaluate("localStorage.setItem('grok_app_video_resolution', '8k')")
    await open_page(studio, "/video")
    for choice in ("9:16", "10 s", "480p"):
        await expect(studio.get_by_role("radio", name=choice)).to_be_checked()

    async with studio.expect_request("**/v1/public/video/start") as starting:
        await start(studio)
    assert (await starting.value).post_data_json == {
        "prompt": PROMPT,
        "aspect_ratio": "9:16",
        "video_length": 10,
        "resolution_name": "480p",
        "preset": "fun",
        "image_url": "",
    }
    await studio.get_by_role("button", name="Stop").click()


async def test_everybody_can_use_the_page(studio: Page) -> None:
    """With a video, on a phone and a desktop, in light and dark: axe finds no barrier, nothing scrolls sideways."""
    await start(studio)
    await expect(studio.locator("video")).to_be_visible(timeout=MAKING_MS)
    await studio.get_by_text("Raw stream").click()
    await studio.get_by_label("Address of a reference picture").fill("https://example.com/boat.png")
    for width in (375, 1440):
        await studio.set_viewport_size({"width": width, "height": 800})
        assert await studio.evaluate("document.querySelector('main').scrollWidth") <= width
        for mode in ("light", "dark"):
            await expect(studio.locator("html")).to_have_class(mode)
            assert await find_barriers(studio) == []
            await studio.locator("#color-mode").click()

    foreign = {text for key, text in texts("en").items() if text != texts("zh")[key]}
    await studio.locator("#language").click()
    await expect(studio.locator(".frame")).to_have_attribute("lang", "zh-CN")
    assert foreign & set(await studio.locator(".filming").evaluate(SAID)) == set()
    await expect(studio.get_by_role("listitem")).to_have_text(["3:2", "6 秒", "480p", "标准"])
