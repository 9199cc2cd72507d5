"""The media cache: files by kind and name, and how much of them is kept."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

from grok_app.db import unbroken
from grok_app.errors import InvalidRequestError, NotFoundError, UpstreamFailedError
from grok_app.logs import get_logger
from grok_app.media.entry import MOST_BYTES, Entry, Key, Kind, Stats, clean_name
from grok_app.media.flights import Flights
from grok_app.media.folder import Part, entry_of, files_in, look, remove, scan
from grok_app.media.full import storing
from grok_app.media.hot import Hot, is_holdable, read_version
from grok_app.media.index import Index
from grok_app.settings import SettingsService

log = get_logger(__name__)
KEPT_SHARE: Final = 0.8
"""Cleaning stops at this share of the limit, so that it isn't due again with the next file."""
_BATCH: Final = 200
"""Files removed at a time; whoever has finished one waits that long."""
_WRITE_BYTES: Final = 256 << 10

Content = bytes | AsyncGenerator[bytes, None]


class MediaCache:
    """Pictures and videos as files of one folder, found by kind and name. Made by `open_media`.

    Whoever knows a name can read the file, so names must be hard to guess; the callers make them. A name that is
    given from outside is cleaned, see `clean_name`. Several processes may share the folder: each finds what the
    others have written when it is asked for it.

    Args:
        folder: Where the files are.
        index: What is there.
        settings: For the limit.
    """

    def __init__(self, folder: Path, index: Index, settings: SettingsService) -> None:
        self._folder = folder.absolute()
        self._index = index
        self.hot = Hot()
        self._settings = settings
        self._readers: Counter[Key] = Counter()
        self._flights = Flights[Key, Entry]()
        self._turn = asyncio.Lock()  # a file must not be removed as it gets its name
        self._leaving: frozenset[Key] = frozenset()
        self._has_grown = asyncio.Event()
        self._has_grown.set()
        self.lookups: Counter[bool] = Counter()  # how often a file was asked for, by whether it was there
        self.stats = index.stats

    def find(self, kind: Kind, name: str) -> Entry | None:
        """The file of this name, which counts as used now; None if there is none, or it can't be a name."""
        try:
            return self.find_key((kind, clean_name(kind, name)))
        except InvalidRequestError:
            return None

    def find_key(self, key: Key) -> Entry | None:
        """The file of this kind and clean name, which counts as used now; None if there is none."""
        if key in self._leaving:
            return None
        entry = look(self._folder, key)
        self.lookups[entry is not None] += 1
        if entry is not None:
            self._index.put(entry)
        else:
            self._index.forget(key)
        return entry

    def path(self, entry: Entry) -> Path:
        """Where the file is."""
        return self._folder / entry.kind / entry.name

    @contextmanager
    def reading(self, kind: Kind, name: str) -> Generator[Entry, None, None]:
        """A file that isn't cleaned away within the block.

        Raises:
            NotFoundError: There is none of this name.
        """
        entry = self.find(kind, name)
        if entry is None:
            raise NotFoundError(f"{kind.capitalize()} not found")
        self._readers[entry.key] += 1
        try:
            yield entry
        finally:
            self._readers[entry.key] -= 1
            if not self._readers[entry.key]:
                del self._readers[entry.key]

    def held(self, entry: Entry) -> bytes | None:
        """The content of a file just found, if it is in memory."""
        return self.hot.get(entry)

    async def hold(self, entry: Entry) -> bytes | None:
        """The content of a file just found, which is kept in memory for a while; None if it isn't one to keep there."""
        held = self.hot.get(entry)
        if held is None and is_holdable(entry):
            held = await asyncio.to_thread(read_version, self.path(entry), entry)
            if held is not None:
                self.hot.put(entry, held)
        return held

    async def read(self, kind: Kind, name: str) -> bytes:
        """All of a file's content; for what goes into an answer or a request as a whole.

        Raises:
            NotFoundError: There is none of this name.
        """
        with self.reading(kind, name) as entry:
            return await asyncio.to_thread(self.path(entry).read_bytes)

    async def put(self, kind: Kind, name: str, content: Content) -> Entry:
        """Keep this content under this name. It is there when it is complete, and not before.

        Args:
            kind: Says how large it may be.
            name: Is cleaned; the entry has the one in force.
            content: At once or as it comes. A generator is closed in any case; when it fails, nothing is left of it.

        Raises:
            InvalidRequestError: It can't be a name.
            UpstreamFailedError: It is empty or too large.
            OverloadedError: The disk is full.
        """
        key = kind, clean_name(kind, name)
        part = Part(self._folder / kind)
        try:
            with storing(kind):
                await _fill(part, content, kind)
                return await unbroken(self._finish(part, key))
        finally:
            await unbroken(asyncio.to_thread(part.discard))

    async def fetch(self, kind: Kind, name: str, download: Callable[[], AsyncGenerator[bytes, None]]) -> Entry:
        """The file of this name, downloaded if it isn't there; once, however many wait for it.

        A download goes on as long as one of them waits. When it fails, all of them are told, and the next one tries
        again.

        Raises:
            GatewayError: As `put` and the download say.
        """
        key = kind, clean_name(kind, name)
        if (entry := self.find(*key)) is not None:
            return entry
        return await self._flights.join(key, lambda: self.put(*key, download()))

    def newest(self, kind: Kind, first: int, count: int) -> list[Entry]:
        """A part of a kind's files, newest first: `count` of them after the `first` newest."""
        return self._index.newest(kind, first, count)

    def keeps(self, kind: Kind, name: str) -> bool:
        """Whether this process knows a file of this name; no use of it."""
        return (kind, name) in self._index

    async def delete(self, kind: Kind, name: str) -> bool:
        """Remove one file; whether there was one. Who reads it now reads to its end.

        Raises:
            InvalidRequestError: It can't be a name.
        """
        entry = self.find(kind, clean_name(kind, name))
        return entry is not None and bool((await self._remove_these([entry])).count)

    async def delete_named(self, kind: Kind, names: Iterable[str]) -> Stats:
        """Remove these files as `delete` does, and pass over names that no file has; how much that was."""
        entries = [entry for name in dict.fromkeys(names) if (entry := self.find(kind, name))]
        return await self._remove_all(iter(entries))

    async def clear(self, kind: Kind) -> Stats:
        """Remove all files of a kind, those that other processes have written too; how much that was."""
        return await self._remove_all(files_in(self._folder, kind))

    async def clean(self) -> None:
        """Remove the least recently used files, if there is more than the limit. What is read now stays."""
        limit = self._settings.snapshot.cache
        limit_bytes = limit.limit_mb << 20
        if not limit.enable_auto_clean or self._index.size_bytes <= limit_bytes:
            return
        before = self._index.size_bytes
        while (await self._remove(lambda: self._least_used(int(limit_bytes * KEPT_SHARE)))).count:
            pass
        log.info("media cleaned", bytes_before=before, bytes_after=self._index.size_bytes)

    async def keep_within_limit(self) -> None:
        """Clean whenever it is due, for ever."""
        while True:
            await self._has_grown.wait()
            self._has_grown.clear()
            try:
                await self.clean()
            except Exception:  # one bad round must not end all later ones
                log.exception("media could not be cleaned, trying again with the next file")

    async def abort(self) -> None:
        """Break all downloads off, and return when they have ended."""
        await self._flights.abort()

    async def _finish(self, part: Part, key: Key) -> Entry:
        async with self._turn:
            status = await asyncio.to_thread(part.finish, self._folder / key[0] / key[1])
            entry = entry_of(key, status)
            self._index.put(entry)
        self._has_grown.set()
        return entry

    async def _remove_all(self, entries: Iterator[Entry]) -> Stats:
        count = size_bytes = 0
        while batch := await asyncio.to_thread(lambda: list(islice(entries, _BATCH))):
            removed = await self._remove_these(batch)
            count, size_bytes = count + removed.count, size_bytes + removed.size_bytes
        return Stats(count, size_bytes)

    async def _remove_these(self, entries: list[Entry]) -> Stats:
        return await self._remove(lambda: entries)

    async def _remove(self, choose: Callable[[], list[Entry]]) -> Stats:
        return await unbroken(self._remove_in_turn(choose))

    async def _remove_in_turn(self, choose: Callable[[], list[Entry]]) -> Stats:
        async with self._turn:
            chosen = choose()
            self._leaving = frozenset(entry.key for entry in chosen)
            try:
                removed = await asyncio.to_thread(remove, self._folder, chosen)
            finally:
                self._leaving = frozenset()
            for entry in removed:
                self._index.forget(entry.key)
                self.hot.forget(entry.key)
        return Stats(len(removed), sum(entry.size_bytes for entry in removed))

    def _least_used(self, goal_bytes: int) -> list[Entry]:
        """The next files to go. Never the one used last: what is larger than the limit must be read once."""
        surplus = self._index.size_bytes - goal_bytes
        chosen: list[Entry] = []
        for entry in islice(self._index, max(0, len(self._index) - 1)):
            if surplus <= 0 or len(chosen) == _BATCH:
                break
            if entry.key not in self._readers:
                chosen.append(entry)
                surplus -= entry.size_bytes
        return chosen


@asynccontextmanager
async def open_media(folder: Path, settings: SettingsService) -> AsyncGenerator[MediaCache, None]:
    """The cache in this folder, which is made if need be. What a crash has left half-written is removed.

    Raises:
        OSError: The folder can't be read or made.
    """
    index = await asyncio.to_thread(lambda: Index(scan(folder)))
    cache = MediaCache(folder, index, settings)
    cleaning = asyncio.create_task(cache.keep_within_limit())
    try:
        yield cache
    finally:
        cleaning.cancel()
        await asyncio.gather(cleaning, return_exceptions=True)
        await cache.abort()


async def _fill(part: Part, content: Content, kind: Kind) -> None:
    """Write in larger pieces than a network gives: each costs a thread's turn."""
    size = held = 0
    pieces: list[bytes] = []
    async with aclosing(_once(content) if isinstance(content, bytes) else content) as chunks:
        async for chunk in chunks:
            size, held = size + len(chunk), held + len(chunk)
            if size > MOST_BYTES[kind]:
                raise UpstreamFailedError(f"The {kind} is larger than {MOST_BYTES[kind]:,} bytes")
            pieces.append(chunk)
            if held >= _WRITE_BYTES:
                await _write(part, pieces)
                held = 0
    if not size:
        raise UpstreamFailedError(f"The {kind} is empty")
    await _write(part, pieces)


async def _write(part: Part, pieces: list[bytes]) -> None:
    content = b"".join(pieces)
    pieces.clear()
    await unbroken(asyncio.to_thread(part.write, content))


async def _once(content: bytes) -> AsyncGenerator[bytes, None]:
    yield content
