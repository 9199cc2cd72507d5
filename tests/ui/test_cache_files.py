"""The files of this server, as a tab of the cache page sees them."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from grok_app.media import Kind, Stats
from grok_app.ui.console import guard
from grok_app.ui.pages.cache import FilesState, files_state
from tests.ui.keeping import Keeping, keeping
from tests.ui.tabs import Background, fresh, send


@pytest.fixture
async def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Keeping, None]:
    """Behind the page."""
    async with keeping(tmp_path) as made:
        for module in (guard, files_state):
            monkeypatch.setattr(module, "current", lambda: made)
        yield made


@pytest.fixture
def tab(services: Keeping) -> Any:
    """A tab that was just opened."""
    assert services.tasks.running() == []
    return fresh(FilesState)


def shown(tab: Any) -> list[str]:
    """The names of the files in the list."""
    return [tile.name for tile in tab.tiles]


async def test_what_there_is_is_shown(services: Keeping, tab: Any) -> None:
    """How many and how large, against the limit; pictures first, the newest first."""
    await services.settings.store({"cache.limit_mb": 2})
    await services.put("a.png", "b.png", "c.mp4")
    await send(tab, "go_to", page=1)
    assert (tab.images.count, tab.images.size, tab.videos.count) == (2, "4\u00a0B", 1)
    assert (tab.limit_mb, tab.limit, tab.is_cleaned, tab.is_loaded) == (2, "2.0\u00a0MB", True, True)
    assert shown(tab) == ["b.png", "a.png"]
    [tile, _] = tab.tiles
    assert (tile.url, tile.size) == ("/v1/files/image/b.png", "2\u00a0B")
    assert tile.written_at_ms > 0
    await send(tab, "choose", kind="video")
    assert (tab.tab, shown(tab)) == ("video", ["c.mp4"])


async def test_the_list_is_paged(services: Keeping, tab: Any) -> None:
    """A page that isn't there is the nearest one, also when files go; sizes stay within reason."""
    await services.put(*(f"{number:02}.png" for number in range(50)))
    await send(tab, "go_to", page=3)
    assert (tab.page, tab.pages, shown(tab)) == (3, 3, ["01.png", "00.png"])
    await send(tab, "go_to", page=99)
    assert tab.page == 3
    await services.media.delete_named(Kind.IMAGE, [f"{number:02}.png" for number in range(10)])
    await send(tab, "go_to", page=3)
    assert (tab.page, tab.pages, tab.total) == (2, 2, 40)
    await send(tab, "go_to", page=-1)
    assert tab.page == 1
    sizes = []
    for size in ("48", "1", "1000000"):
        await send(tab, "resize", size=size)
        sizes.append(tab.size)
    assert sizes == [48, 24, 96]


async def test_files_are_selected_one_by_one_and_by_the_page(services: Keeping, tab: Any) -> None:
    """Over pages; another list, or a wish, leaves all off."""
    await services.put(*(f"{number:02}.png" for number in range(30)))
    await send(tab, "toggle_page")
    assert tab.selected == 0, "nothing was shown yet"
    await send(tab, "toggle_page")
    assert (tab.selected, tab.is_page_selected) == (24, True)
    await send(tab, "go_to", page=2)
    await send(tab, "toggle", name="00.png")
    assert (tab.selected, tab.is_page_selected) == (25, False)
    await send(tab, "go_to", page=1)
    await send(tab, "toggle_page")
    assert (tab.selected, tab.is_page_selected) == (1, False)
    await send(tab, "select_none")
    assert tab.selected == 0
    await send(tab, "toggle", name="00.png")
    await send(tab, "toggle", name="00.png")
    assert tab.selected == 0
    await send(tab, "toggle", name="00.png")
    await send(tab, "choose", kind="video")
    await send(tab, "choose", kind="image")
    assert tab.selected == 0


async def test_one_file_is_deleted_when_that_is_confirmed(services: Keeping, tab: Any) -> None:
    """It alone, and the operator reads how much went."""
    await services.put("a.png", "b.png")
    await send(tab, "toggle", name="b.png")
    await send(tab, "ask_to_delete", name="a.png")
    assert (tab.question.about, tab.question.count, tab.question.size) == ("delete_image", 1, "2\u00a0B")
    assert services.names() == ["a.png", "b.png"]
    await send(tab, "confirm")
    assert (services.names(), shown(tab), tab.question.about) == (["b.png"], ["b.png"], "")
    assert (tab.notice.kind, tab.notice.text) == ("success", "Files deleted: 1 (2\u00a0B)")
    assert not tab.is_busy


async def test_nothing_is_deleted_when_the_question_is_closed(services: Keeping, tab: Any) -> None:
    """Escape, a click beside it, or Cancel."""
    await services.put("a.png")
    await send(tab, "ask_to_clear", kind="image")
    assert (tab.question.about, tab.question.count) == ("clear_image", 1)
    await send(tab, "close")
    await send(tab, "confirm")
    assert services.names() == ["a.png"]


async def test_selected_files_are_deleted_together(services: Keeping, tab: Any) -> None:
    """The question counts those that are still there; what was deleted is selected no longer."""
    await services.put("a.png", "b.png", "c.png")
    for name in ("a.png", "b.png"):
        await send(tab, "toggle", name=name)
    await services.media.delete(Kind.IMAGE, "a.png")
    await send(tab, "ask_to_delete_selected")
    assert (tab.question.about, tab.question.count) == ("delete_image", 1)
    await send(tab, "confirm")
    assert (services.names(), tab.selected) == (["c.png"], 0)


async def test_what_is_gone_is_not_asked_about(services: Keeping, tab: Any) -> None:
    """A script or another tab was faster; a name that can't be one is no file either."""
    await services.put("a.png")
    for name in ("gone.png", "../grok_app.db"):
        await send(tab, "ask_to_delete", name=name)
        assert (tab.question.about, tab.notice.kind) == ("", "warning")


@pytest.mark.parametrize("kind", list(Kind))
async def test_all_files_of_a_kind_are_cleared(services: Keeping, tab: Any, kind: Kind) -> None:
    """Whichever list is shown; the other kind stays."""
    await services.put("a.png", "b.mp4")
    await send(tab, "ask_to_clear", kind=kind.value)
    await send(tab, "confirm")
    assert [services.names(it) == [] for it in Kind] == [it is kind for it in Kind]
    await send(tab, "confirm")
    assert sum(len(services.names(it)) for it in Kind) == 1


class Tab(Background):
    """A tab whose other events wait while this one holds its lock."""

    lock = asyncio.Lock()

    async def __aenter__(self) -> "Tab":
        await self.lock.acquire()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.lock.release()


async def test_the_tab_goes_on_while_files_are_deleted(
    services: Keeping, tab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that it is busy, deletes nothing twice, and shows what else goes on."""
    await services.put("a.png")
    await send(tab, "ask_to_clear", kind="image")
    clear, seen = services.media.clear, []

    async def look_on(kind: Kind) -> Stats:
        seen.append((Tab.lock.locked(), tab.is_busy))
        await send(tab, "ask_to_clear", kind="image")
        await send(tab, "confirm")
        return await clear(kind)

    monkeypatch.setattr(services.media, "clear", look_on)
    assert FilesState.confirm.is_background
    assert [answer async for answer in FilesState.confirm.fn(Tab(tab))] == []
    assert seen == [(False, True)]
    assert (services.names(), tab.is_busy, tab.notice.kind) == ([], False, "success")


async def test_a_list_that_is_not_shown_costs_nothing(
    services: Keeping, tab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The figures above it are followed all the same."""
    await services.put("a.png")
    tab.tab = "online"
    monkeypatch.delattr(type(services.media), "newest")
    tab._look()
    assert (tab.images.count, tab.tiles) == (1, [])


async def test_a_look_that_finds_nothing_new_sends_nothing(services: Keeping, tab: Any) -> None:
    """A page that is left open costs no traffic."""
    await services.put("a.png")
    await send(tab, "choose", kind="image")
    tab._clean()
    tab._look()
    assert tab.get_delta() == {}
    await services.put("b.png")
    tab._look()
    [changes] = tab.get_delta().values()
    assert {name.removesuffix("_rx_state_") for name in changes} >= {"images", "tiles", "total"}
    assert {name.removesuffix("_rx_state_") for name in changes}.isdisjoint({"videos", "limit", "page"})
