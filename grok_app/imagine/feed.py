"""Pictures on their way to a listener who may be slow: previews make way, finished pictures wait for their turn."""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from grok_app.imagine.selection import Chosen
from grok_app.imagine.types import Setback, Stage

ROOM_BYTES: Final = 1 << 20
"""Of what waits for one listener: some seven finished pictures of 100 KB in base64, or one of any size."""
_SETBACK: Final = "setback"


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of a run."""

    batch: int
    chosen: Chosen
    elapsed_ms: int
    """Since its batch was asked for."""

    @property
    def size_bytes(self) -> int:
        """What it takes in memory."""
        return len(self.chosen.blob) + len(self.chosen.content)

    @property
    def is_final(self) -> bool:
        """Whether it must arrive."""
        return self.chosen.stage is Stage.FINAL


class Feed:
    """One writer, one reader. What waits is in the order of its coming, one stage of each picture, bounded in size."""

    def __init__(self, room_bytes: int = ROOM_BYTES) -> None:
        self._room_bytes = room_bytes
        self._waiting: OrderedDict[Hashable, Shown | Setback] = OrderedDict()
        self._size_bytes = 0
        self._has_ended = False
        self._arrived = asyncio.Event()
        self._taken = asyncio.Event()

    async def put(self, shown: Shown) -> None:
        """Add a picture in the place of an earlier stage that still waits.

        One that isn't finished is dropped when there is no room; a finished one waits for it, others make way.
        """
        key = (shown.batch, shown.chosen.id)
        if shown.is_final:
            self._remove(key)
            await self._make_room(shown.size_bytes)
        elif self._size_bytes - self._size_of(key) + shown.size_bytes > self._room_bytes:
            return
        self._store(key, shown)

    def put_setback(self, setback: Setback) -> None:
        """Say why nothing comes; the newest reason counts."""
        self._remove(_SETBACK)
        self._store(_SETBACK, setback)

    async def take(self) -> Shown | Setback | None:
        """What comes next; None at the end."""
        while not self._waiting:
            if self._has_ended:
                return None
            self._arrived.clear()
            await self._arrived.wait()
        return self._remove(next(iter(self._waiting)))

    def end(self) -> None:
        """Let the reader read what waits, and then the end."""
        self._has_ended = True
        self._arrived.set()

    async def _make_room(self, size_bytes: int) -> None:
        while self._waiting and self._size_bytes + size_bytes > self._room_bytes:
            unfinished = (key for key, news in self._waiting.items() if isinstance(news, Shown) and not news.is_final)
            if (key := next(unfinished, None)) is not None:
                self._remove(key)
            else:
                self._taken.clear()
                await self._taken.wait()

    def _store(self, key: Hashable, news: Shown | Setback) -> None:
        self._size_bytes += _size_of(news) - self._size_of(key)
        self._waiting[key] = news
        self._arrived.set()

    def _remove(self, key: Hashable) -> Shown | Setback | None:
        news = self._waiting.pop(key, None)
        if news is not None:
            self._size_bytes -= _size_of(news)
            self._taken.set()
        return news

    def _size_of(self, key: Hashable) -> int:
        return _size_of(self._waiting[key]) if key in self._waiting else 0


def _size_of(news: Shown | Setback) -> int:
    return news.size_bytes if isinstance(news, Shown) else 0
