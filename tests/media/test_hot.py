"""Contents in memory: of the version on disk or of none, and never more than the limit."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from grok_app.media import Entry, Kind, MediaCache
from grok_app.media.hot import MOST_HELD_BYTES, Hot

OLD_S = 1_000_000_000
BYTES = b"\x89PNG and so on"


def entry(name: str, size_bytes: int = 4, mtime_ns: int = 1) -> Entry:
    """A file of this name."""
    return Entry(Kind.IMAGE, f"{name}.png", size_bytes, mtime_ns)


def write(folder: Path, name: str, content: bytes, written_at_s: float = OLD_S) -> None:
    """Give a name this content, as another process would."""
    part = folder / "image" / ".new"
    part.write_bytes(content)
    os.utime(part, (written_at_s, written_at_s))
    part.replace(folder / "image" / name)


async def hold(cache: MediaCache, name: str) -> bytes | None:
    """Ask for a file as a caller does, so that it is held then."""
    found = cache.find(Kind.IMAGE, name)
    assert found is not None
    return await cache.hold(found)


def held(cache: MediaCache, name: str) -> bytes | None:
    """What is in memory of a file that was found just now."""
    found = cache.find(Kind.IMAGE, name)
    return cache.held(found) if found else None


def test_no_more_is_held_than_the_limit() -> None:
    """The one asked for least recently is dropped first, and what is replaced counts once."""
    hot = Hot(limit_bytes=10)
    for name in ("a", "b", "a"):
        hot.put(entry(name), b"1234")
    hot.get(entry("b"))
    hot.put(entry("c"), b"1234")
    assert [hot.get(entry(name)) for name in "abc"] == [None, b"1234", b"1234"]
    assert hot.size_bytes == 8


@pytest.mark.parametrize("other", [entry("a", mtime_ns=2), entry("a", size_bytes=5)], ids=["newer", "longer"])
def test_another_version_is_not_held(other: Entry) -> None:
    """It isn't given, and what was held of the former one is dropped."""
    hot = Hot()
    hot.put(entry("a"), b"1234")
    assert hot.get(other) is None
    assert hot.size_bytes == 0


async def test_what_was_asked_for_is_in_memory(cache: MediaCache, folder: Path) -> None:
    """From the first time on."""
    write(folder, "a.png", BYTES)
    assert held(cache, "a.png") is None
    assert await hold(cache, "a.png") == BYTES
    assert held(cache, "a.png") == BYTES


async def test_a_replaced_file_is_read_anew(cache: MediaCache, folder: Path) -> None:
    """By another process or by this one."""
    write(folder, "a.png", BYTES)
    await hold(cache, "a.png")
    write(folder, "a.png", BYTES[::-1], OLD_S + 1)
    assert held(cache, "a.png") is None
    assert await hold(cache, "a.png") == BYTES[::-1]
    await cache.put(Kind.IMAGE, "a.png", b"third")
    assert held(cache, "a.png") is None


async def test_a_removed_file_is_not_held(cache: MediaCache, folder: Path) -> None:
    """Whoever removes it; by ourselves its memory is given back."""
    for name in ("a.png", "b.png"):
        write(folder, name, BYTES)
        await hold(cache, name)
    (folder / "image" / "a.png").unlink()
    assert held(cache, "a.png") is None
    await cache.clear(Kind.IMAGE)
    assert held(cache, "b.png") is None
    assert cache.hot.get(Entry(Kind.IMAGE, "b.png", len(BYTES), OLD_S * 10**9)) is None


@pytest.mark.parametrize(
    ("content", "age_s"), [(b"x" * (MOST_HELD_BYTES + 1), 100), (BYTES, 0)], ids=["too large", "just written"]
)
async def test_some_files_are_not_held(cache: MediaCache, folder: Path, content: bytes, age_s: float) -> None:
    """Large ones, and those so new that the clock of the disk might not tell the next version from them."""
    write(folder, "a.png", content, time.time() - age_s)
    assert await hold(cache, "a.png") is None
    assert held(cache, "a.png") is None


async def test_a_file_that_changes_while_it_is_read_is_not_held(cache: MediaCache, folder: Path) -> None:
    """Replaced or removed after it was found: what is found next decides."""
    write(folder, "a.png", BYTES)
    found = cache.find(Kind.IMAGE, "a.png")
    assert found is not None
    write(folder, "a.png", BYTES, OLD_S + 1)
    assert await cache.hold(found) is None
    (folder / "image" / "a.png").unlink()
    assert await cache.hold(found) is None


async def test_many_at_once_get_the_same(cache: MediaCache, folder: Path) -> None:
    """Those who ask while it is read for the first time too; it is held once."""
    write(folder, "a.png", BYTES)
    assert set(await asyncio.gather(*(hold(cache, "a.png") for _ in range(50)))) == {BYTES}
    assert cache.hot.size_bytes == len(BYTES)
