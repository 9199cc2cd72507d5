"""The pictures and videos that are kept here: how much there is, the list, and away with them."""

import dataclasses
from typing import Final

import reflex as rx

from grok_app.media import Entry, Kind, Stats, path_of
from grok_app.runtime import current
from grok_app.ui.console import operator_event, size_text
from grok_app.ui.pages.cache.state import CacheState

PAGE_SIZES: Final = (24, 48, 96)
"""Full rows of tiles, whether two, three, four or six stand side by side."""


@dataclasses.dataclass
class Local:
    """How much there is of a kind."""

    count: int = 0
    size: str = ""
    size_mb: float = 0.0
    """For a bar that is drawn against the limit."""


@dataclasses.dataclass
class Tile:
    """A file as the list shows it."""

    name: str
    url: str
    size: str
    written_at_ms: int
    is_selected: bool


@dataclasses.dataclass
class Question:
    """What the operator is asked before files go."""

    about: str = ""
    """`delete_image` or `delete_video` for chosen files, `clear_…` for all; empty: nothing is asked."""
    count: int = 0
    size: str = ""


class FilesState(CacheState):
    """The files of this server in one tab of the browser."""

    images: Local = Local()
    videos: Local = Local()
    limit_mb: int = 0
    limit: str = ""
    is_cleaned: bool = True
    """Whether the oldest files go when the limit is reached."""
    tiles: list[Tile] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    total: int = 0
    """How many files there are of the kind that is shown."""
    page: int = 1
    pages: int = 1
    size: int = PAGE_SIZES[0]
    is_loaded: bool = False
    is_busy: bool = False
    """Whether files are being deleted."""
    selected: int = 0
    """How many files are, on whatever page."""
    question: Question = Question()
    _selected: set[str] = set()  # noqa: RUF012 - likewise
    _asked: list[str] = []  # noqa: RUF012 - likewise

    @rx.var
    def is_page_selected(self) -> bool:
        """Whether every file of the page is."""
        return bool(self.tiles) and all(tile.is_selected for tile in self.tiles)

    @operator_event(background=True)
    async def watch(self) -> None:
        """Show what is there, and what comes and goes, for as long as the tab shows this page."""
        async with self:
            self.question = Question()  # asked before the page was left
        async for _ in self._beats():
            async with self:
                self._look()

    @operator_event
    async def choose(self, kind: str) -> None:
        """Show the pictures or the videos."""
        self.tab, self.page = Kind(kind).value, 1
        self._selected = set()
        self._look()

    @operator_event
    async def go_to(self, page: int) -> None:
        """Show another page."""
        self.page = page
        self._look()

    @operator_event
    async def resize(self, size: str) -> None:
        """Show so many files a page."""
        self.size = max(PAGE_SIZES[0], min(int(size), PAGE_SIZES[-1]))
        self._look()

    @operator_event
    async def toggle(self, name: str) -> None:
        """Select a file, or not any more."""
        self._selected = self._selected ^ {name}
        self._look()

    @operator_event
    async def toggle_page(self) -> None:
        """Select every file of this page, or none of them any more."""
        names = {tile.name for tile in self.tiles}
        self._selected = self._selected - names if self.is_page_selected else self._selected | names
        self._look()

    @operator_event
    async def select_none(self) -> None:
        """Select nothing any more."""
        self._selected = set()
        self._look()

    @operator_event
    async def ask_to_delete(self, name: str) -> None:
        """Ask whether this file is to go."""
        self._ask([name])

    @operator_event
    async def ask_to_delete_selected(self) -> None:
        """Ask whether the selected files are to go."""
        self._ask(sorted(self._selected))

    @operator_event
    async def ask_to_clear(self, kind: str) -> None:
        """Ask whether all files of a kind are to go."""
        stats = current().media.stats(Kind(kind))
        self.question = Question(f"clear_{kind}", stats.count, size_text(stats.size_bytes))

    @operator_event
    async def close(self) -> None:
        """Delete nothing."""
        self.question = Question()

    @operator_event(background=True)
    async def confirm(self) -> None:
        """Delete what was asked about. That may take its time, and the tab goes on meanwhile."""
        async with self:
            about, names, self.question = self.question.about, list(self._asked), Question()
            if not about or self.is_busy:
                return
            self.is_busy = True
        try:
            removed = await _delete(about, names)
        finally:
            async with self:
                self.is_busy = False
        async with self:
            self._report(removed)
            self._look()

    def _ask(self, names: list[str]) -> None:
        """Ask about those of these files that are still there."""
        kind, media = Kind(self.tab), current().media
        entries = [entry for name in names if (entry := media.find(kind, name))]
        if not entries:
            self._report(Stats(0, 0))
            return
        self._asked = [entry.name for entry in entries]
        size = size_text(sum(entry.size_bytes for entry in entries))
        self.question = Question(f"delete_{kind}", len(entries), size)

    def _report(self, removed: Stats) -> None:
        if removed.count:
            size = size_text(removed.size_bytes)
            self._notify("success", self._say("cache.deleted", count=removed.count, size=size))
        else:
            self._notify("warning", self._say("cache.deleted_none"))

    def _look(self) -> None:
        media, limit = current().media, current().settings.snapshot.cache
        self._show(
            images=_local(media.stats(Kind.IMAGE)),
            videos=_local(media.stats(Kind.VIDEO)),
            limit_mb=limit.limit_mb,
            limit=size_text(limit.limit_mb << 20),
            is_cleaned=limit.enable_auto_clean,
            is_loaded=True,
        )
        if self.tab in list(Kind):
            self._look_at(Kind(self.tab))

    def _look_at(self, kind: Kind) -> None:
        media = current().media
        total = media.stats(kind).count
        pages = max(1, -(-total // self.size))
        page = max(1, min(self.page, pages))
        entries = media.newest(kind, (page - 1) * self.size, self.size)
        selected = {name for name in self._selected if media.keeps(kind, name)}
        self._show(
            _selected=selected,
            total=total,
            pages=pages,
            page=page,
            tiles=[_tile(entry, is_selected=entry.name in selected) for entry in entries],
            selected=len(selected),
        )


async def _delete(about: str, names: list[str]) -> Stats:
    action, _, kind = about.partition("_")
    media = current().media
    return await (media.clear(Kind(kind)) if action == "clear" else media.delete_named(Kind(kind), names))


def _local(stats: Stats) -> Local:
    return Local(stats.count, size_text(stats.size_bytes), round(stats.size_bytes / (1 << 20), 3))


def _tile(entry: Entry, *, is_selected: bool) -> Tile:
    url = path_of(entry.kind, entry.name)
    return Tile(entry.name, url, size_text(entry.size_bytes), entry.mtime_ns // 1_000_000, is_selected)
