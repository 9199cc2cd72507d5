"""A visitor draws: real browser, real server, real HTTP and sockets to a simulated Grok."""

import zipfile
from collections.abc import AsyncGenerator
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Download, Locator, Page, expect

from tests.servers import eventually

from .conftest import Demo, Profile, open_as_visitor, open_page
from .console import find_barriers

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser lives in one loop

PATIENCE_MS: Final = 40_000
"""The simulated Grok takes its time: some 7 s for six pictures."""
FINAL: Final = ".wall-tile[data-stage=final]"
PLACE: Final = "it => [it.offsetLeft, it.offsetTop, it.offsetWidth, it.offsetHeight]"
NO_SOCKET: Final = """
window.WebSocket = new Proxy(WebSocket, {
    construct: (Real, [url, ...others]) => String(url).includes("imagine/ws") ? {close() {}} : new Real(url, ...others),
});
"""
"""Its sockets for pictures never open, and never fail."""
COUNT_ADDRESSES: Final = """
const addresses = new Set();
const tell = () => { document.documentElement.dataset.addresses = addresses.size; };
const {createObjectURL, revokeObjectURL} = URL;
URL.createObjectURL = (it) => {
    const url = createObjectURL(it);
    addresses.add(url);
    tell();
    return url;
};
URL.revokeObjectURL = (url) => {
    addresses.delete(url);
    tell();
    revokeObjectURL(url);
};
"""
PRIVATE_FOLDER: Final = "window.showDirectoryPicker = () => navigator.storage.getDirectory();"
"""A real folder, of the browser's own: no test can choose one in its dialog."""
FILES_IN_FOLDER: Final = """async () => {
    const sizes = [];
    const folder = await navigator.storage.getDirectory();
    for await (const file of folder.values()) sizes.push((await file.getFile()).size);
    return sizes;
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def imagine(page: Page, demo: Demo) -> AsyncGenerator[Page, None]:
    """The page. What it has begun upstream has ended when the test has."""
    await open_as_visitor(page, demo, "/imagine")
    yield page
    await page.close()
    eventually(lambda: open_sockets(demo) == 0)


def open_sockets(demo: Demo) -> int:
    """How many sockets Grok is drawing on."""
    requests = httpx.get(f"{demo.sandbox_url}/sandbox/requests").json()
    return sum(it["state"] == "open" for it in requests if it["path"] == "/ws/imagine/listen")


async def draw(page: Page, prompt: str = "A red teapot") -> None:
    """Begin with the keyboard."""
    await page.get_by_label("What shall be drawn").fill(prompt)
    await page.keyboard.press("Control+Enter")


async def expect_state(page: Page, state: str, timeout_ms: int = 10_000) -> None:
    """Wait until the page says so."""
    await expect(page.locator("#state")).to_have_text(state, timeout=timeout_ms)


async def expect_finals(page: Page, count: int) -> None:
    """Wait for so many finished pictures."""
    await expect(page.locator(FINAL).nth(count - 1)).to_be_attached(timeout=PATIENCE_MS)


async def draw_some(page: Page, count: int = 3) -> None:
    """Draw so many, and stop."""
    await draw(page)
    await expect_finals(page, count)
    await page.get_by_role("button", name="Stop").click()
    await expect_state(page, "Stopped")


async def toggle(page: Page, name: str) -> None:
    """Switch one of the options."""
    await page.get_by_role("button", name="Options").click()
    await page.get_by_role("switch", name=name).click()
    await page.keyboard.press("Escape")


@pytest.mark.parametrize(("mode", "transport"), [("AUTO", "WS"), ("WS", "WS"), ("SSE", "SSE")])
async def test_pictures_come_until_they_are_stopped_and_leave_as_a_zip(
    imagine: Page, demo: Demo, mode: str, transport: str
) -> None:
    """In every mode: batch after batch onto the wall, then all into one archive of real pictures."""
    await imagine.get_by_role("radio", name=mode).click()
    await expect(imagine.get_by_role("radio", name=mode)).to_be_checked()
    await draw(imagine)
    await expect(imagine.locator("#transport")).to_have_text(transport)
    await expect_finals(imagine, 10)
    await expect_state(imagine, "Drawing")
    await imagine.get_by_role("button", name="Stop").click()
    await expect_state(imagine, "Stopped")
    eventually(lambda: open_sockets(demo) == 0)

    assert int(await imagine.locator("#images").inner_text()) >= 10
    assert 0 < float((await imagine.locator("#average").inner_text()).removesuffix(" s")) < 30
    hung = await imagine.locator(".wall-tile").count()
    await imagine.get_by_role("button", name="Select").click()
    await imagine.get_by_role("button", name="Select all").click()
    await expect(imagine.get_by_text(f"{hung} selected")).to_be_visible()
    async with imagine.expect_download() as saved:
        await imagine.get_by_role("button", name="Download ZIP").click()
    assert len(await check_archive(await saved.value)) == hung
    await expect(imagine.locator("[data-sonner-toast]", has_text=f"{hung} pictures saved")).to_be_visible()


async def check_archive(saved: Download) -> list[str]:
    """The names in an archive; each has a picture of the kind that it says."""
    assert saved.suggested_filename.startswith("grok-")
    with zipfile.ZipFile(await saved.path()) as archive:
        names = archive.namelist()
        for name in names:
            with archive.open(name) as file, Image.open(file) as picture:
                picture.load()
                assert picture.format == {"jpg": "JPEG", "png": "PNG"}[name.rpartition(".")[2]]
    assert len(set(names)) == len(names)
    return names


async def test_auto_goes_without_a_socket_where_none_opens(page: Page, demo: Demo) -> None:
    """After 1.5 s it says so, and the pictures come all the same."""
    await page.add_init_script(NO_SOCKET)
    await open_as_visitor(page, demo, "/imagine")
    await draw(page)
    await expect(page.locator("[data-sonner-toast]", has_text="come by SSE")).to_be_visible()
    await expect(page.locator("#transport")).to_have_text("SSE")
    await expect(page.locator(".wall-tile img").first).to_be_visible()


async def test_a_socket_that_must_be_and_does_not_open(page: Page, demo: Demo) -> None:
    """It is tried a few times, then the page says what to choose."""
    await page.add_init_script(NO_SOCKET)
    await open_as_visitor(page, demo, "/imagine")
    await page.get_by_role("radio", name="WS").click()
    await draw(page)
    await expect(page.locator("[data-sonner-toast]", has_text="Choose AUTO or SSE")).to_be_visible(timeout=PATIENCE_MS)
    await expect_state(page, "Failed")


async def test_the_wall_follows_the_newest_unless_scrolled_away(imagine: Page) -> None:
    """Who looks at the first pictures stays there when others come."""

    def picture(number: int) -> Locator:
        return imagine.get_by_role("img", name=f"Picture {number}:")

    await imagine.set_viewport_size({"width": 375, "height": 667})
    await draw(imagine)
    await expect(picture(6)).to_be_in_viewport(timeout=PATIENCE_MS)
    await imagine.locator(".wall-area").hover()
    await imagine.mouse.wheel(0, -5000)
    await expect(picture(1)).to_be_in_viewport()
    await expect(picture(8)).to_be_attached(timeout=PATIENCE_MS)
    await expect(picture(1)).to_be_in_viewport()


async def test_a_picture_sharpens_in_its_place(imagine: Page) -> None:
    """The same tile, in the picture's own shape from the start, from its preview to the end."""
    await draw(imagine)
    tile = imagine.locator("button.wall-tile").first
    await expect(tile).to_have_attribute("data-stage", "preview")
    before = await tile.evaluate(PLACE)
    name = await tile.get_attribute("id")
    await expect(tile).to_have_attribute("data-stage", "final", timeout=PATIENCE_MS)
    after = await tile.evaluate(PLACE)

    assert await tile.get_attribute("id") == name
    assert before == after
    assert before[3] / before[2] == pytest.approx(1.5, rel=0.01)
    await expect(tile.get_by_role("img", name="Picture 1: A red teapot")).to_have_js_property("naturalWidth", 768)


async def test_the_lightbox_goes_by_the_keyboard(imagine: Page) -> None:
    """Through the pictures in their order and around, and back to the tile of the one that was shown last."""
    await draw_some(imagine)
    total = await imagine.locator(".wall-tile").count()
    place = imagine.locator(".lightbox-place")
    await imagine.locator("button.wall-tile").first.focus()
    await imagine.keyboard.press("Enter")
    for key, number in (
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
        ("ArrowLeft", total),
        ("ArrowRight", 1),
        ("End", total),
        ("Home", 1),
        ("ArrowRight", 2),
    ):
        await imagine.keyboard.press(key)
        await expect(place).to_have_text(f"{number} of {total}")
    shown = imagine.get_by_role("dialog").get_by_role("img")
    await expect(shown).to_have_js_property("complete", True)
    async with imagine.expect_download() as saved:
        await imagine.get_by_role("button", name="Download").click()
    assert (await saved.value).suggested_filename.endswith("-0002.jpg")
    second = await shown.get_attribute("alt")
    await imagine.keyboard.press("Escape")
    await expect(imagine.get_by_role("dialog")).to_have_count(0)
    await expect(imagine.locator("button.wall-tile:focus img")).to_have_attribute("alt", str(second))


async def test_another_choice_begins_anew(imagine: Page, demo: Demo) -> None:
    """While it runs: the next pictures have the new shape, then two runs draw at once. Looks change nothing."""
    await draw(imagine)
    await expect(imagine.locator(".wall-tile img[width='2'][height='3']").first).to_be_visible()
    await imagine.get_by_label("Aspect ratio").select_option("16:9")
    await expect(imagine.locator(".wall-tile img[width='16'][height='9']").first).to_be_attached(timeout=PATIENCE_MS)
    await imagine.get_by_label("Parallel runs").select_option("2")
    await expect(imagine.locator("#active-runs")).to_have_text("2")
    eventually(lambda: open_sockets(demo) == 2)

    asked = await imagine.evaluate("performance.getEntriesByName(location.origin + '/v1/public/imagine/start').length")
    await imagine.locator("#color-mode").click()
    await imagine.locator("#language").click()
    await expect_state(imagine, "正在生成")
    await imagine.locator("#language").click()
    await expect_state(imagine, "Drawing")
    await expect(imagine.locator("#active-runs")).to_have_text("2")
    again = await imagine.evaluate("performance.getEntriesByName(location.origin + '/v1/public/imagine/start').length")
    assert again == asked


async def test_leaving_the_page_stops_the_drawing(imagine: Page, demo: Demo) -> None:
    """By a link of the studio; on the way back the pictures are still there."""
    await draw(imagine)
    await expect_finals(imagine, 1)
    await imagine.get_by_role("link", name="Chat").click()
    await expect(imagine.get_by_label("Message Grok")).to_be_visible()
    eventually(lambda: open_sockets(demo) == 0)
    await imagine.get_by_role("link", name="Imagine").click()
    await expect(imagine.locator(FINAL).first).to_be_visible()
    await expect_state(imagine, "Ready")


async def test_choices_and_options_stay_in_the_browser(imagine: Page) -> None:
    """All of them, over a reload."""
    await imagine.get_by_label("Aspect ratio").select_option("9:16")
    await imagine.get_by_label("Parallel runs").select_option("3")
    await imagine.get_by_role("radio", name="SSE").click()
    await imagine.get_by_role("switch", name="NSFW").click()
    for name in ("Follow new pictures", "Download each picture", "Hide small pictures", "Newest first"):
        await toggle(imagine, name)
    await expect(imagine.locator("#newest_first")).to_be_checked()
    await open_page(imagine, "/imagine")
    await expect(imagine.get_by_label("Aspect ratio")).to_have_value("9:16")
    await expect(imagine.get_by_label("Parallel runs")).to_have_value("3")
    await expect(imagine.get_by_role("radio", name="SSE")).to_be_checked()
    await expect(imagine.get_by_role("switch", name="NSFW")).to_be_checked()
    await expect(imagine.locator("#auto_scroll")).not_to_be_checked()
    for name in ("auto_download", "auto_filter", "newest_first"):
        await expect(imagine.locator(f"#{name}")).to_be_checked()


async def test_small_pictures_are_hidden_not_lost(imagine: Page, demo: Demo) -> None:
    """Those below the final size of the settings, once they won't grow; and back when the filter is off."""
    with demo.operator() as operator:
        operator.post("/config", json={"image": {"final_min_bytes": 1_000_000}}).raise_for_status()
        try:
            await open_page(imagine, "/imagine")
            await draw_some(imagine, 2)
            hung = await imagine.locator(".wall-tile").count()
            await toggle(imagine, "Hide small pictures")
            await expect(imagine.locator("#hidden-images")).to_have_text(str(hung))
            await expect(imagine.locator(".wall-tile")).to_have_count(0)
            await toggle(imagine, "Hide small pictures")
            await expect(imagine.locator(".wall-tile")).to_have_count(hung)
        finally:
            operator.post("/config", json={"image": {"final_min_bytes": 100_000}}).raise_for_status()


async def test_the_newest_can_be_first(imagine: Page) -> None:
    """On the wall and in the lightbox alike."""
    await draw_some(imagine, 1)
    total = await imagine.locator(".wall-tile").count()
    await toggle(imagine, "Newest first")
    last = imagine.get_by_role("img", name=f"Picture {total}: A red teapot")
    await last.click()
    await expect(imagine.locator(".lightbox-place")).to_have_text(f"1 of {total}")


async def test_finished_pictures_are_saved_as_they_come(page: Page, demo: Demo) -> None:
    """As downloads, and into a folder once one is chosen."""
    saved: list[Download] = []
    page.on("download", lambda it: saved.append(it))  # noqa: PLW0108 - Playwright marks the function
    await page.add_init_script(PRIVATE_FOLDER)
    await open_as_visitor(page, demo, "/imagine")
    await toggle(page, "Download each picture")
    await expect(page.locator("#auto_download")).to_be_checked()
    await draw(page)
    await expect_finals(page, 2)
    await page.get_by_role("button", name="Options").click()
    await page.get_by_role("button", name="Save to folder").click()
    await expect(page.locator("[data-sonner-toast]", has_text="from now on")).to_be_visible()
    await expect_finals(page, 5)
    await page.get_by_role("button", name="Stop", exact=True).click()
    await expect_state(page, "Stopped")
    written = await settled(page, saved)

    assert len(saved) >= 2
    assert len(saved) + len(written) == await page.locator(FINAL).count()
    assert all(it.suggested_filename.endswith(".jpg") for it in saved)


async def settled(page: Page, saved: list[Download]) -> list[int]:
    """The sizes of the files in the folder, once every finished picture is there or downloaded, and none is empty."""
    for _ in range(50):
        written: list[int] = await page.evaluate(FILES_IN_FOLDER)
        is_whole = min(written, default=0) > 100_000
        if is_whole and len(saved) + len(written) == await page.locator(FINAL).count():
            break
        await page.wait_for_timeout(100)
    return written


async def test_a_folder_that_is_gone_says_what_to_do(page: Page, demo: Demo) -> None:
    """And what comes after is not tried again there."""
    await page.add_init_script(
        "window.showDirectoryPicker = async () => ({name: 'Pictures', getFileHandle: async () => { throw Error(); }});"
    )
    await open_as_visitor(page, demo, "/imagine")
    await page.get_by_role("button", name="Options").click()
    await page.get_by_role("button", name="Save to folder").click()
    await expect(page.get_by_role("button", name="Stop saving to Pictures")).to_be_visible()
    await draw(page)
    await expect(page.locator("[data-sonner-toast]", has_text="choose it again")).to_be_visible(timeout=PATIENCE_MS)
    await expect(page.get_by_role("button", name="Save to folder")).to_be_visible()


async def test_clear_asks_and_gives_the_memory_back(page: Page, demo: Demo) -> None:
    """No address of a picture is left: without one the browser can drop its bytes."""
    await page.add_init_script(COUNT_ADDRESSES)
    await open_as_visitor(page, demo, "/imagine")
    await draw_some(page, 2)
    await page.get_by_role("button", name="Clear").click()
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator(".wall-tile").first).to_be_visible()
    await page.get_by_role("button", name="Clear").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Clear").click()
    await expect(page.get_by_text("What would you like to see?")).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("data-addresses", "0")


async def test_tiles_are_selected_by_mouse_and_keyboard(imagine: Page) -> None:
    """A second time takes it back; unselected ones stay out of the archive."""
    await draw_some(imagine, 2)
    await imagine.get_by_role("button", name="Select").click()
    tiles = imagine.locator("button.wall-tile")
    await tiles.nth(0).click()
    await tiles.nth(1).focus()
    await imagine.keyboard.press("Space")
    await tiles.nth(2).focus()
    await imagine.keyboard.press("Enter")
    await expect(imagine.get_by_text("3 selected")).to_be_visible()
    await imagine.keyboard.press("Enter")
    await expect(tiles.nth(1)).to_have_attribute("aria-pressed", "true")
    await expect(tiles.nth(2)).to_have_attribute("aria-pressed", "false")
    async with imagine.expect_download() as saved:
        await imagine.get_by_role("button", name="Download ZIP").click()
    assert len(await check_archive(await saved.value)) == 2
    await expect(imagine.get_by_role("button", name="Select")).to_be_visible()


async def test_a_refused_start_says_why(imagine: Page, profile: Profile) -> None:
    """In the server's words, and nothing is tried again."""
    tried: list[str] = []
    refusal = {"error": {"message": "Too many requests. Please try again in 9 seconds.", "code": "rate_limit_exceeded"}}

    async def refuse(route: Any) -> None:
        tried.append(route.request.url)
        await route.fulfill(status=429, json=refusal)

    await imagine.route("**/imagine/start", refuse)
    await draw(imagine)
    await expect(imagine.locator("[data-sonner-toast]", has_text="try again in 9 seconds")).to_be_visible()
    await expect_state(imagine, "Failed")
    await expect(imagine.get_by_role("button", name="Draw")).to_be_enabled()
    assert len(tried) == 1
    profile.forgive("429")


async def test_a_run_goes_on_after_a_setback(imagine: Page) -> None:
    """Its reason is said once, in the server's words."""
    await draw(imagine, "@moderated A red teapot")
    await expect(imagine.locator("[data-sonner-toast][data-type=error]")).to_have_count(1, timeout=PATIENCE_MS)
    await expect_state(imagine, "Drawing")


async def test_a_broken_stream_is_opened_again(imagine: Page, demo: Demo) -> None:
    """With a task of its own, when the old one is gone."""
    async with imagine.expect_response("**/imagine/start") as first:
        await draw(imagine)
    await expect_state(imagine, "Drawing")
    task = (await (await first.value).json())["task_id"]
    async with imagine.expect_response("**/imagine/start") as second:
        stop_behind_its_back(demo, task)
    assert (await (await second.value).json())["task_id"] != task
    await expect_state(imagine, "Drawing")


def stop_behind_its_back(demo: Demo, task: str) -> None:
    """End a task as another client would."""
    headers = {"Authorization": f"Bearer {demo.public_key}"}
    httpx.post(f"{demo.url}/v1/public/imagine/stop", json={"task_ids": [task]}, headers=headers).raise_for_status()


@pytest.mark.parametrize("width", [375, 1440])
async def test_anyone_can_use_it(imagine: Page, width: int) -> None:
    """No barrier that axe knows, in light and dark and both languages, and nothing is wider than the screen."""
    await imagine.set_viewport_size({"width": width, "height": 812})
    assert await find_barriers(imagine) == []
    await draw_some(imagine, 1)
    await expect(imagine.locator("[data-sonner-toast]")).to_have_count(0)
    for switch in ("color-mode", "language", "color-mode"):
        await imagine.locator("#select").click()
        await imagine.locator("button.wall-tile").first.click()
        assert await find_barriers(imagine) == []
        assert await imagine.evaluate("document.documentElement.scrollWidth") == width
        await imagine.locator("#select-end").click()
        await imagine.locator("#options").click()
        await expect(imagine.locator("#options-panel")).to_be_visible()
        assert await find_barriers(imagine) == []
        await imagine.keyboard.press("Escape")
        await imagine.locator(f"#{switch}").click()
    await imagine.locator("button.wall-tile").first.click()
    await expect(imagine.locator("dialog.lightbox")).to_be_visible()
    assert await find_barriers(imagine) == []


async def test_a_double_click_starts_and_does_not_stop_again(imagine: Page) -> None:
    """The button to stop is where the one to start was; a key that is held down begins once."""
    begun: list[str] = []
    imagine.on("request", lambda it: begun.append(it.url) if it.url.endswith("/imagine/start") else None)
    await imagine.locator("#prompt").fill("A red teapot")
    await imagine.locator("#start").dblclick()
    await expect_state(imagine, "Drawing")
    await imagine.locator("#prompt").press("Control+a")  # the page has heard whatever the second click did
    await expect_state(imagine, "Drawing")
    await imagine.locator("#prompt").dispatch_event("keydown", {"key": "Enter", "ctrlKey": True, "repeat": True})
    await expect(imagine.locator(FINAL).first).to_be_attached(timeout=PATIENCE_MS)
    assert len(begun) == 1
