"""The cache page in a real browser: what is kept here and at Grok, followed live, and away with it."""

import re
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from .conftest import Demo, Profile, free_port, open_page, read_demo, running
from .console import Traffic, find_barriers, settle, signed_in_as

pytestmark = pytest.mark.asyncio(loop_scope="session")  # the browser lives in one loop
LIVE_MS: Final = 15_000
"""A change is there a second later, but not on a machine that does ten other things."""
HEIGHT: Final = 800
MAKING_S: Final = 30
"""The simulated Grok takes its time, for a video some 5 s."""
READY: Final = "it => it.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && it.videoWidth > 0"
LOADED: Final = "it => it.complete && it.naturalWidth > 0"
BROKEN: Final = "sandbox-basic-cache-@assets-500"


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the demo's files."""
    return tmp_path_factory.mktemp("cache") / "media"


@pytest.fixture(scope="module")
def demo(media: Path) -> Iterator[Demo]:
    """A demo whose files are these tests' own."""
    with running("demo", "--port", free_port(), "--data-dir", str(media.parent), until="Ctrl-C") as output:
        yield read_demo(output)


@pytest.fixture(scope="module")
def made(demo: Demo) -> dict[str, bytes]:
    """A picture and a video that Grok made for a client, by the ends of their names."""
    messages = [{"role": "user", "content": "A ball that jumps"}]
    wishes = {
        "jpg": ("/images/generations", {"prompt": "A red teapot", "response_format": "url"}),
        "mp4": ("/chat/completions", {"model": "grok-imagine-1.0-video", "messages": messages, "stream": False}),
    }
    headers = {"Authorization": f"Bearer {demo.api_key}"}
    with httpx.Client(base_url=f"{demo.url}/v1", headers=headers, timeout=MAKING_S) as client:
        answers = {end: client.post(path, json=wish).raise_for_status().text for end, (path, wish) in wishes.items()}
        links = {end: re.search(rf"{demo.url}/v1(/files/\w+/[\w-]+\.{end})", text) for end, text in answers.items()}
        return {end: client.get(link[1]).raise_for_status().content for end, link in links.items() if link}


@pytest_asyncio.fixture(loop_scope="session")
async def operator(demo: Demo) -> AsyncGenerator[httpx.AsyncClient, None]:
    """A script of the operator's. Each test begins with nothing kept, neither here nor at Grok."""
    headers = {"Authorization": f"Bearer {demo.operators_key}"}
    async with httpx.AsyncClient(base_url=f"{demo.url}/v1/admin", headers=headers, timeout=30) as client:
        for kind in ("image", "video"):
            (await client.post("/cache/clear", json={"type": kind})).raise_for_status()
        await client.post("/tokens/delete", json={"tokens": [BROKEN]})
        tokens = await all_tokens(client)
        (await client.post("/cache/online/clear", json={"tokens": tokens})).raise_for_status()
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def cache(profile: Profile, demo: Demo, operator: httpx.AsyncClient) -> Page:
    """The page of an operator who is signed in."""
    assert not operator.is_closed
    await signed_in_as(profile.context, demo)
    page = await profile.context.new_page()
    await open_cache(page)
    return page


async def open_cache(page: Page) -> None:
    """Open it and wait for its figures."""
    await open_page(page, "/admin/cache")
    await settle(page)


async def all_tokens(operator: httpx.AsyncClient) -> list[str]:
    """The tokens of all accounts."""
    pools = (await operator.get("/tokens")).raise_for_status().json()
    return [account["token"] for accounts in pools.values() if isinstance(accounts, list) for account in accounts]


async def ask(demo: Demo, path: str, body: dict[str, Any]) -> Any:
    """Send a request as a client does; the answer."""
    headers = {"Authorization": f"Bearer {demo.api_key}"}
    async with httpx.AsyncClient(base_url=f"{demo.url}/v1", headers=headers, timeout=MAKING_S) as client:
        return (await client.post(path, json=body)).raise_for_status().json()


async def draw(demo: Demo, count: int) -> list[str]:
    """Let Grok draw pictures; their names."""
    wish = {"model": "grok-imagine-1.0", "prompt": "A red teapot", "n": count, "response_format": "url"}
    return [it["url"].rpartition("/")[2] for it in (await ask(demo, "/images/generations", wish))["data"]]


async def film(demo: Demo) -> None:
    """Let Grok make a video. Its poster is a picture."""
    messages = [{"role": "user", "content": "A ball that jumps"}]
    await ask(demo, "/chat/completions", {"model": "grok-imagine-1.0-video", "messages": messages, "stream": False})


class Keeper:
    """Puts files into the cache as another process of the gateway would, and lets ours meet them."""

    def __init__(self, demo: Demo, media: Path, made: dict[str, bytes]) -> None:
        self._demo, self._media, self._made = demo, media, made

    async def keep(self, count: int, end: str = "jpg") -> list[str]:
        """Keep so many files; their names."""
        names = [f"{uuid4()}.{end}" for _ in range(count)]
        kind = "video" if end == "mp4" else "image"
        async with httpx.AsyncClient(base_url=self._demo.url) as client:
            for name in names:
                (self._media / kind / name).write_bytes(self._made[end])
                (await client.head(f"/v1/files/{kind}/{name}")).raise_for_status()
        return names


@pytest.fixture
def keeper(demo: Demo, media: Path, made: dict[str, bytes], operator: httpx.AsyncClient) -> Keeper:
    """For tests that are about files, wherever they come from."""
    assert not operator.is_closed
    return Keeper(demo, media, made)


def card(page: Page, name: str) -> Locator:
    """The numbers of a card."""
    return page.locator(f"#card-{name} .number-value")


def tiles(page: Page) -> Locator:
    """The files in the list."""
    return page.locator(".tile")


async def confirm(page: Page, *words: str) -> None:
    """Read the question and say yes."""
    dialog = page.get_by_role("alertdialog")
    for word in words:
        await expect(dialog).to_contain_text(word)
    await dialog.get_by_role("button", name="Delete").click()
    await expect(dialog).to_have_count(0)


async def test_an_empty_cache_says_what_to_do(cache: Page) -> None:
    """In each list, with a way there."""
    await expect(card(cache, "image")).to_have_text("00 B")
    await expect(cache.get_by_role("heading", name="No pictures yet")).to_be_visible()
    await expect(cache.get_by_role("link", name="Open the chat")).to_have_attribute("href", "/chat")
    await cache.locator("#tab-video").click()
    await expect(cache.get_by_role("heading", name="No videos yet")).to_be_visible()
    await expect(cache.get_by_role("link", name="Open the API reference")).to_have_attribute("href", "/docs")
    for kind in ("image", "video"):
        await expect(cache.locator(f"#card-{kind} button")).to_be_disabled()


async def test_new_files_appear_by_themselves(cache: Page, demo: Demo) -> None:
    """Counted, with their pictures and first frames, and without a reload."""
    await cache.evaluate("window.isStillHere = true")
    await draw(demo, 2)
    await expect(tiles(cache)).to_have_count(2, timeout=LIVE_MS)
    await expect(card(cache, "image")).to_contain_text(re.compile(r"^2\d+\sKB$"))
    for picture in await tiles(cache).locator("img").all():
        await cache.wait_for_function(LOADED, arg=await picture.element_handle())
    await film(demo)
    await expect(card(cache, "video")).to_contain_text(re.compile(r"^1\d+\sKB$"), timeout=LIVE_MS)
    await cache.locator("#tab-video").click()
    frame = tiles(cache).locator("video")
    await cache.wait_for_function(READY, arg=await frame.element_handle())
    await expect(cache.locator("#card-image")).to_contain_text("Limit for both: 512 MB")
    assert await cache.evaluate("window.isStillHere")


async def test_a_file_opens_in_a_new_tab(cache: Page, profile: Profile, demo: Demo, keeper: Keeper) -> None:
    """Its size and time stand below it."""
    [name] = await keeper.keep(1)
    tile = tiles(cache)
    await expect(tile).to_contain_text(re.compile(r"\d+\sKB"), timeout=LIVE_MS)
    await expect(tile.locator("time")).to_have_attribute("datetime", re.compile(r"^20\d\d-"))
    async with cache.context.expect_page() as opened:
        await cache.get_by_role("link", name=f"Open {name} in a new tab").click()
    shown = await opened.value
    assert shown.url == f"{demo.url}/v1/files/image/{name}"
    await expect(shown.locator("img")).to_be_visible()
    profile.forgive("404")  # the browser asks for an icon of its own accord


async def test_a_file_is_deleted_with_the_keyboard(cache: Page, demo: Demo, keeper: Keeper) -> None:
    """Asked first: Escape keeps it, Enter on the button deletes it."""
    names = await keeper.keep(2)
    await expect(tiles(cache)).to_have_count(2, timeout=LIVE_MS)
    button = cache.get_by_role("button", name=f"Delete {names[0]}")
    dialog = cache.get_by_role("alertdialog")
    await button.focus()
    await cache.keyboard.press("Enter")
    await expect(dialog).to_contain_text("Files to be deleted: 1 (")
    await cache.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(tiles(cache)).to_have_count(2)
    await expect(button).to_be_focused()
    await cache.keyboard.press("Enter")
    await expect(dialog).to_be_visible()
    await dialog.get_by_role("button", name="Delete").focus()
    await cache.keyboard.press("Enter")
    await expect(cache.locator("[data-sonner-toast]")).to_contain_text("Files deleted: 1 (")
    await expect(tiles(cache)).to_have_count(1)
    async with httpx.AsyncClient(base_url=demo.url) as client:
        assert [(await client.head(f"/v1/files/image/{name}")).status_code for name in names] == [404, 200]


async def test_selected_files_are_deleted(cache: Page, keeper: Keeper) -> None:
    """One by one, or the page; the selection stays over pages, and nothing is left of it afterwards."""
    await keeper.keep(30)
    await expect(cache.locator(".pager-total")).to_have_text("30 in total", timeout=LIVE_MS)  # or late ones move these
    await cache.get_by_role("checkbox", name="Select this page").click()
    await expect(cache.locator("#selected")).to_have_text("24 selected")
    await cache.get_by_role("button", name="Next page").click()
    await expect(tiles(cache)).to_have_count(6)
    await tiles(cache).get_by_role("checkbox").first.click()
    await expect(cache.locator("#selected")).to_have_text("25 selected")
    await cache.locator("#delete-selected").click()
    await confirm(cache, "Delete these pictures?", "Files to be deleted: 25 (")
    await expect(cache.locator("[data-sonner-toast]")).to_contain_text("Files deleted: 25 (")
    await expect(cache.locator(".pager-place")).to_have_text("1 of 1")
    await expect(tiles(cache)).to_have_count(5)
    await expect(cache.locator("#selected")).to_have_count(0)
    await cache.get_by_role("checkbox", name="Select this page").click()
    await cache.locator("#select-none").click()
    await expect(cache.locator("#selected")).to_have_count(0)


async def test_a_kind_is_cleared(cache: Page, keeper: Keeper) -> None:
    """All of it after a question that says how many; the other kind stays."""
    await keeper.keep(1, "mp4")
    await keeper.keep(3)
    await expect(tiles(cache)).to_have_count(3, timeout=LIVE_MS)
    await cache.get_by_role("button", name="Clear all pictures").click()
    await confirm(cache, "Delete all pictures?", "Files to be deleted: 3 (")
    await expect(cache.get_by_role("heading", name="No pictures yet")).to_be_visible()
    await expect(card(cache, "video")).to_contain_text(re.compile(r"^1\d+\sKB$"))


async def test_a_file_that_a_script_deletes_goes_from_the_page(
    cache: Page, keeper: Keeper, operator: httpx.AsyncClient
) -> None:
    """By itself; and whoever was about to delete it is told that nothing was left."""
    [name] = await keeper.keep(1)
    await expect(tiles(cache)).to_have_count(1, timeout=LIVE_MS)
    await cache.get_by_role("button", name=f"Delete {name}").click()
    await operator.post("/cache/item/delete", json={"type": "image", "name": name})
    await confirm(cache)
    await expect(cache.locator("[data-sonner-toast]")).to_contain_text("There was nothing left to delete")
    await expect(tiles(cache)).to_have_count(0)


async def test_files_at_grok_are_counted_and_deleted(cache: Page, demo: Demo) -> None:
    """All accounts at first, with the task in sight; then one of them is cleared, and its last clearing is now."""
    await draw(demo, 1)
    await cache.locator("#tab-online").click()
    await cache.get_by_role("button", name="Count the files of all accounts").click()
    await expect(cache.locator("[data-sonner-toast]")).to_contain_text("Counting files at Grok, accounts: ")
    task = cache.locator("#tasks article").filter(has_text="Counting files at Grok").last
    await expect(task).to_contain_text("Done", timeout=LIVE_MS)
    await expect(card(cache, "online")).to_have_text(re.compile(r"^1\d+\sKB$"), timeout=LIVE_MS)
    await cache.get_by_role("combobox").select_option("50")  # the account stays in sight when it has no files any more
    for _ in range(2):  # the most files first
        await cache.get_by_role("button", name="Files", exact=True).click()
    fullest = cache.locator("#online tbody tr").first
    await expect(fullest.locator("td.number").first).to_have_text("Files1")
    before = await fullest.locator("time").last.get_attribute("datetime")
    await fullest.get_by_role("checkbox").click()
    await cache.locator("#clear-selected").click()
    await confirm(cache, "Accounts: 1. Files counted: 1.")
    await expect(card(cache, "online")).to_have_text("00 B", timeout=LIVE_MS)
    assert before, "each test begins with a clearing"
    cleared_at = cache.locator("#online tr.selected time").last
    await expect(cleared_at).not_to_have_attribute("datetime", before)


async def test_a_count_that_fails_says_why(cache: Page, operator: httpx.AsyncClient) -> None:
    """At the account and in the task, whose failures can be tried again."""
    await operator.post("/tokens/add", json={"tokens": [BROKEN]})
    await cache.locator("#tab-online").click()
    await cache.get_by_role("searchbox").fill("-500")
    await expect(cache.locator("#online tbody tr")).to_have_count(1, timeout=LIVE_MS)
    await cache.locator("#select-page").click()
    await cache.locator("#count-selected").click()
    badge = cache.locator("#online .badge", has_text="Failed")
    await expect(badge).to_be_visible(timeout=LIVE_MS)
    await badge.hover()
    await expect(cache.get_by_role("tooltip")).to_contain_text("500")
    tasks = cache.locator("#tasks article").filter(has_text="1 failed")
    retry = tasks.get_by_role("button", name="Retry failed")
    await expect(retry).to_be_visible()
    await retry.click()
    await expect(tasks).to_have_count(1)
    await expect(retry).to_be_visible(timeout=LIVE_MS)


async def test_a_script_s_count_shows(cache: Page, demo: Demo, operator: httpx.AsyncClient) -> None:
    """Its task and its numbers, as if the page had asked."""
    await draw(demo, 1)
    (await operator.post("/cache/online/load/async", json={"scope": "all"})).raise_for_status()
    await expect(card(cache, "online")).to_have_text(re.compile(r"^1\d+\sKB$"), timeout=LIVE_MS)
    await expect(cache.locator("#tasks article").filter(has_text="Counting files at Grok").last).to_be_visible()


async def test_the_table_is_sorted_searched_and_paged(cache: Page) -> None:
    """On the server; what matches nothing says so."""
    await cache.locator("#tab-online").click()
    await expect(cache.locator("#online tbody tr")).to_have_count(20)
    await cache.get_by_role("button", name="Next page").click()
    await expect(cache.locator(".pager-place")).to_have_text(re.compile("^2 of 2$"))
    await cache.get_by_role("combobox").select_option("50")
    await expect(cache.locator(".pager-place")).to_have_text("1 of 1")
    head = cache.locator("#online th").filter(has_text="Last cleared")
    await head.get_by_role("button").click()
    await expect(head).to_have_attribute("aria-sort", "ascending")
    await head.get_by_role("button").click()
    await expect(head).to_have_attribute("aria-sort", "descending")
    await cache.get_by_role("searchbox").fill("no such account")
    await expect(cache.get_by_role("heading", name="No account matches")).to_be_visible()


async def test_nobody_is_kept_out_of_its_lists(cache: Page, keeper: Keeper) -> None:
    """Axe finds nothing serious or critical in tiles, question and table, and the window never scrolls."""
    await keeper.keep(2)
    await expect(tiles(cache)).to_have_count(2, timeout=LIVE_MS)
    await cache.locator("#select-page").click()
    await expect(cache.locator("#selected")).to_be_visible()
    for mode in ("light", "dark"):
        await expect(cache.locator("html")).to_have_class(mode)
        assert await find_barriers(cache) == []
        await cache.locator("#color-mode").click()
    await cache.locator("#delete-selected").click()
    await expect(cache.get_by_role("alertdialog")).to_be_visible()
    assert await find_barriers(cache) == []
    await cache.keyboard.press("Escape")
    await cache.locator("#tab-online").click()
    await cache.locator("#online #select-page").click()
    for width in (1440, 375):
        await cache.set_viewport_size({"width": width, "height": HEIGHT})
        await expect(cache.locator("#selected")).to_be_visible()
        assert await find_barriers(cache) == []
        assert await cache.evaluate("document.documentElement.scrollWidth") <= width
        assert await cache.evaluate("document.documentElement.scrollHeight") <= HEIGHT


async def test_it_speaks_chinese(cache: Page, keeper: Keeper) -> None:
    """Its lists, its question and its toast."""
    await keeper.keep(1)
    await expect(tiles(cache)).to_have_count(1, timeout=LIVE_MS)
    await cache.locator("#language").click()
    await expect(cache.locator("#card-image")).to_contain_text("本地图片")
    await tiles(cache).get_by_role("button").click()
    dialog = cache.get_by_role("alertdialog")
    await expect(dialog).to_contain_text("将删除 1 个文件")
    await dialog.get_by_role("button", name="删除").click()
    await expect(cache.locator("[data-sonner-toast]")).to_contain_text("已删除 1 个文件")
    await cache.locator("#tab-online").click()
    await expect(cache.locator("#online th").filter(has_text="上次清空")).to_be_visible()


async def test_a_page_that_is_left_open_is_quiet(profile: Profile, demo: Demo, keeper: Keeper) -> None:
    """While nothing changes nothing is sent; when something does, that alone is."""
    traffic = Traffic()
    traffic.watch(profile.context)
    await signed_in_as(profile.context, demo)
    page = await profile.context.new_page()
    await open_cache(page)
    await expect(page.locator("#card-image")).to_contain_text("Limit")
    before = len(traffic.frames)
    await keeper.keep(1)
    await expect(tiles(page)).to_have_count(1, timeout=LIVE_MS)
    changes = [frame for frame in traffic.frames[before:] if "delta" in frame]
    assert 1 <= len(changes) <= 3
    assert all("limit" not in frame for frame in changes)
