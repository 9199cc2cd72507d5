"""Files that are written whole, downloaded once, and cleaned up."""

import asyncio
import errno
import fcntl
import os
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from grok_app.errors import InvalidRequestError, NotFoundError, OverloadedError, UpstreamFailedError
from grok_app.media import Entry, Kind, MediaCache, Stats, open_media
from grok_app.media import cache as cache_module
from grok_app.settings import SettingsService

BYTES = b"\x89PNG and so on"
QUARTER = b"q" * (256 << 10)


async def chunks(*parts: bytes) -> AsyncGenerator[bytes, None]:
    """What a download gives."""
    for part in parts:
        yield part


def files(folder: Path) -> set[str]:
    """Everything there is on disk, hidden files too."""
    return {path.name for path in folder.rglob("*") if path.is_file()}


class Download:
    """A download that waits until it is told to go on, and counts how often it began and ended."""

    def __init__(self) -> None:
        self.began = self.ended = 0
        self.may_go_on = asyncio.Event()
        self.has_begun = asyncio.Event()

    async def __call__(self) -> AsyncGenerator[bytes, None]:
        """Half of it, a wait, the other half."""
        self.began += 1
        try:
            yield BYTES[:5]
            self.has_begun.set()
            await self.may_go_on.wait()
            yield BYTES[5:]
        finally:
            self.ended += 1


@pytest.mark.parametrize("is_whole", [True, False], ids=["bytes", "chunks"])
async def test_what_is_put_can_be_read(cache: MediaCache, is_whole: bool) -> None:
    """At once or in chunks: the same file, under its clean name."""
    content = BYTES if is_whole else chunks(BYTES[:3], b"", BYTES[3:])
    entry = await cache.put(Kind.IMAGE, "users/1.png", content)
    assert (entry.name, entry.size_bytes) == ("users-1.png", len(BYTES))
    assert await cache.read(Kind.IMAGE, "users/1.png") == BYTES
    assert cache.stats(Kind.IMAGE) == Stats(1, len(BYTES))
    assert cache.stats(Kind.VIDEO) == Stats(0, 0)


async def test_nothing_is_there_before_it_is_complete(cache: MediaCache, folder: Path) -> None:
    """While it is written, a file can't be found; when its source fails or nobody waits, nothing is left."""
    download = Download()
    fetching = asyncio.create_task(cache.fetch(Kind.IMAGE, "a.png", download))
    await download.has_begun.wait()
    assert cache.find(Kind.IMAGE, "a.png") is None
    fetching.cancel()
    await asyncio.gather(fetching, return_exceptions=True)
    await cache.abort()
    assert (download.ended, files(folder)) == (1, set())


async def test_a_source_that_fails_leaves_nothing(cache: MediaCache, folder: Path) -> None:
    """Its error reaches the caller; a file that was there before stays."""

    async def failing() -> AsyncGenerator[bytes, None]:
        yield QUARTER
        yield BYTES
        raise UpstreamFailedError("cut")

    await cache.put(Kind.IMAGE, "b.png", BYTES)
    for name in ("a.png", "b.png"):
        with pytest.raises(UpstreamFailedError, match="cut"):
            await cache.put(Kind.IMAGE, name, failing())
    assert files(folder) == {"b.png"}
    assert await cache.read(Kind.IMAGE, "b.png") == BYTES


async def test_many_wait_for_one_download(cache: MediaCache) -> None:
    """A hundred ask at once, one download runs; later ones find the file."""
    download = Download()
    waiters = [asyncio.create_task(cache.fetch(Kind.IMAGE, "a.png", download)) for _ in range(100)]
    await download.has_begun.wait()
    waiters[0].cancel()
    download.may_go_on.set()
    cancelled, *entries = await asyncio.gather(*waiters, return_exceptions=True)
    assert isinstance(cancelled, asyncio.CancelledError)
    assert {type(entry) for entry in entries} == {Entry}
    await cache.fetch(Kind.IMAGE, "a.png", download)
    assert (download.began, download.ended) == (1, 1)


async def test_who_comes_after_the_last_has_left_begins_anew(cache: MediaCache) -> None:
    """Nobody waits for a download that is being broken off."""
    first, second = Download(), Download()
    leaving = asyncio.create_task(cache.fetch(Kind.IMAGE, "a.png", first))
    await first.has_begun.wait()
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    second.may_go_on.set()
    assert (await cache.fetch(Kind.IMAGE, "a.png", second)).size_bytes == len(BYTES)
    assert second.began == 1


async def test_a_failed_download_fails_all_and_is_tried_again(cache: MediaCache) -> None:
    """All who waited are told; the next one downloads."""

    async def failing() -> AsyncGenerator[bytes, None]:
        yield BYTES
        raise UpstreamFailedError("cut")

    waiters = [cache.fetch(Kind.IMAGE, "a.png", failing) for _ in range(3)]
    errors = await asyncio.gather(*waiters, return_exceptions=True)
    assert [str(error) for error in errors] == ["cut"] * 3
    assert (await cache.fetch(Kind.IMAGE, "a.png", lambda: chunks(BYTES))).name == "a.png"


async def test_a_full_disk_is_said_and_leaves_nothing(
    cache: MediaCache, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller is told why, and what could be written is removed."""
    write = os.write

    def fill_up(file: int, content: bytes) -> int:
        if b"q" in bytes(content[:1]):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, content)

    monkeypatch.setattr(os, "write", fill_up)
    with pytest.raises(OverloadedError, match="The disk is full: the image could not be stored"):
        await cache.put(Kind.IMAGE, "a.png", chunks(b"p" * (256 << 10), QUARTER))
    assert files(folder) == set()


@pytest.mark.parametrize("parts", [(), (b"",), (b"123", b"4567")], ids=["nothing", "empty", "too large"])
async def test_sizes_are_checked(
    cache: MediaCache, folder: Path, monkeypatch: pytest.MonkeyPatch, parts: tuple[bytes, ...]
) -> None:
    """Neither an empty file nor one over the limit is kept."""
    monkeypatch.setattr(cache_module, "MOST_BYTES", {Kind.IMAGE: 6})
    with pytest.raises(UpstreamFailedError):
        await cache.put(Kind.IMAGE, "a.png", chunks(*parts))
    assert files(folder) == set()


@pytest.mark.parametrize("name", ["../../x.png", "a.svg", ".a.png"])
async def test_bad_names_are_found_nowhere(cache: MediaCache, name: str) -> None:
    """They can't be written, and reading them is like reading what isn't there."""
    with pytest.raises(InvalidRequestError):
        await cache.put(Kind.IMAGE, name, BYTES)
    assert cache.find(Kind.IMAGE, name) is None
    with pytest.raises(NotFoundError, match="Image not found"):
        await cache.read(Kind.IMAGE, name)


async def test_a_link_is_not_followed(cache: MediaCache, folder: Path, tmp_path: Path) -> None:
    """What a symbolic link in the folder points to is not served."""
    (folder / "image" / "a.png").symlink_to(tmp_path / "test.db")
    assert cache.find(Kind.IMAGE, "a.png") is None


async def test_the_least_recently_used_go_first(cache: MediaCache, folder: Path, settings: SettingsService) -> None:
    """Down to 80 % of the limit, by use and not by age, but never one that is read."""
    await settings.store({"cache.enable_auto_clean": False})
    for name in "abcdef":
        await cache.put(Kind.IMAGE, f"{name}.png", QUARTER)
    cache.find(Kind.IMAGE, "b.png")
    await settings.store({"cache.enable_auto_clean": True})
    with cache.reading(Kind.IMAGE, "a.png"):
        for name in "ef":
            cache.find(Kind.IMAGE, f"{name}.png")
        await cache.clean()
        assert files(folder) == {"a.png", "e.png", "f.png"}
    assert cache.stats(Kind.IMAGE) == Stats(3, 3 * len(QUARTER))


async def test_it_cleans_by_itself(cache: MediaCache, folder: Path) -> None:
    """A file more than the limit makes the oldest go, without anyone waiting for it."""
    for name in "abcdef":
        await cache.put(Kind.IMAGE, f"{name}.png", QUARTER)
    while cache.stats(Kind.IMAGE).size_bytes > 1 << 20:  # noqa: ASYNC110 - it cleans unasked and tells nobody
        await asyncio.sleep(0)
    assert "f.png" in files(folder)
    assert "a.png" not in files(folder)


async def test_what_is_larger_than_the_limit_can_be_read(cache: MediaCache) -> None:
    """The file that was used last stays, or nobody could ever read it."""
    await cache.put(Kind.VIDEO, "a.mp4", QUARTER * 5)
    await cache.clean()
    assert cache.find(Kind.VIDEO, "a.mp4") is not None


async def test_nothing_is_cleaned_when_it_is_off(cache: MediaCache, settings: SettingsService) -> None:
    """The operator may keep everything."""
    await settings.store({"cache.enable_auto_clean": False})
    for number in range(6):
        await cache.put(Kind.IMAGE, f"{number}.png", QUARTER)
    await cache.clean()
    assert cache.stats(Kind.IMAGE).count == 6


async def test_a_restart_knows_what_is_there(folder: Path, settings: SettingsService) -> None:
    """Files, their order of use, and nothing of a crash: leftovers and empty files go, others' parts and files stay."""
    async with open_media(folder, settings) as cache:
        for name in "abc":
            await cache.put(Kind.IMAGE, f"{name}.png", BYTES)
    images = folder / "image"
    for used_at, name in enumerate("bca"):
        os.utime(images / f"{name}.png", (2_000_000_000 + used_at, 1_000_000_000))
    (images / "empty.png").touch()
    (images / "notes.txt").write_text("not ours")
    (images / ".crashed.part").write_bytes(BYTES)
    with (images / ".written-by-another.part").open("wb") as part:
        fcntl.flock(part, fcntl.LOCK_EX)
        async with open_media(folder, settings) as cache:
            assert cache.stats(Kind.IMAGE) == Stats(3, 3 * len(BYTES))
            assert [entry.name for entry in cache._index] == ["b.png", "c.png", "a.png"]
    assert files(folder) == {"a.png", "b.png", "c.png", "notes.txt", ".written-by-another.part"}


async def test_another_process_may_write_and_remove(cache: MediaCache, folder: Path) -> None:
    """What it writes is found when it is asked for; what it removes is gone."""
    (folder / "image" / "a.png").write_bytes(BYTES)
    assert cache.stats(Kind.IMAGE).count == 0
    assert cache.find(Kind.IMAGE, "a.png") is not None
    assert cache.stats(Kind.IMAGE) == Stats(1, len(BYTES))
    (folder / "image" / "a.png").unlink()
    assert cache.find(Kind.IMAGE, "a.png") is None
    assert cache.stats(Kind.IMAGE) == Stats(0, 0)


async def test_files_are_listed_newest_first(cache: MediaCache, folder: Path) -> None:
    """A page after the other, each file once."""
    for number in range(5):
        (folder / "image" / f"{number}.png").write_bytes(BYTES)
        os.utime(folder / "image" / f"{number}.png", (0, 1_000_000_000 + number))
        cache.find(Kind.IMAGE, f"{number}.png")
    pages = [[entry.name for entry in cache.newest(Kind.IMAGE, first, 2)] for first in (0, 2, 4, 6)]
    assert pages == [["4.png", "3.png"], ["2.png", "1.png"], ["0.png"], []]


async def test_files_are_deleted(cache: MediaCache, folder: Path) -> None:
    """One by name, or all of a kind, those of other processes too."""
    for name in ("a.png", "b.png"):
        await cache.put(Kind.IMAGE, name, BYTES)
    await cache.put(Kind.VIDEO, "a.mp4", BYTES)
    (folder / "image" / "c.png").write_bytes(BYTES)
    assert cache.keeps(Kind.IMAGE, "a.png")
    assert await cache.delete(Kind.IMAGE, "a.png")
    assert not await cache.delete(Kind.IMAGE, "a.png")
    assert not cache.keeps(Kind.IMAGE, "a.png")
    assert await cache.clear(Kind.IMAGE) == Stats(2, 2 * len(BYTES))
    assert cache.stats(Kind.IMAGE) == Stats(0, 0)
    assert files(folder) == {"a.mp4"}


async def test_chosen_files_are_deleted_together(
    cache: MediaCache, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many; what isn't there, can't be a name, or comes twice is not counted, and others stay."""
    monkeypatch.setattr(cache_module, "_BATCH", 2)
    names = [f"{number}.png" for number in range(5)]
    for name in (*names, "other.png"):
        await cache.put(Kind.IMAGE, name, BYTES)
    await cache.put(Kind.VIDEO, "0.mp4", BYTES)
    (folder / "image" / "new.png").write_bytes(BYTES)
    wanted = [*names, "new.png", "0.png", "gone.png", "../video/0.mp4", "0.mp4", ""]
    assert await cache.delete_named(Kind.IMAGE, wanted) == Stats(6, 6 * len(BYTES))
    assert await cache.delete_named(Kind.IMAGE, wanted) == Stats(0, 0)
    assert files(folder) == {"other.png", "0.mp4"}


async def test_what_cannot_be_removed_is_kept_in_mind(cache: MediaCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that the disk doesn't let go is neither counted as gone nor forgotten."""

    def refuse(_path: Path, *, missing_ok: bool = False) -> None:  # noqa: ARG001 - as Path.unlink is called
        raise PermissionError(errno.EACCES, "Permission denied")

    await cache.put(Kind.IMAGE, "a.png", BYTES)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refuse)
        assert await cache.clear(Kind.IMAGE) == Stats(0, 0)
    assert cache.stats(Kind.IMAGE) == Stats(1, len(BYTES))
