"""The files on disk. Everything here blocks, most of it for a moment only."""

import fcntl
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

from grok_app.logs import get_logger
from grok_app.media.entry import Entry, Key, Kind, is_name

log = get_logger(__name__)
_PART: Final = ".part"


class Part:
    """A file while it is written, under a hidden name that nobody can ask for.

    It is locked as long as it is open, so that another process of the same folder doesn't take it for a crash's
    leftover. Nothing is on disk before the first write.

    Args:
        folder: Where the finished file will be. It is made if need be.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / f".{uuid4().hex}{_PART}"
        self._file: int | None = None

    def write(self, content: bytes) -> None:
        """Add to the file.

        Raises:
            OSError: The disk is full, or can't be written to.
        """
        file = self._open() if self._file is None else self._file
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(file, rest) :]

    def finish(self, target: Path) -> os.stat_result:
        """Give the file its name, in place of what had it, and close it."""
        self._path.replace(target)
        status = target.stat()
        self._close()
        return status

    def discard(self) -> None:
        """Remove what isn't finished."""
        if self._file is not None:
            self._path.unlink(missing_ok=True)
            self._close()

    def _open(self) -> int:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        return self._file

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def look(folder: Path, key: Key) -> Entry | None:
    """The file as it is on disk. A microsecond or two: the kernel knows a local file that was seen lately."""
    kind, name = key
    try:
        status = os.lstat(f"{folder}/{kind}/{name}")  # a Path would take three times as long
    except (FileNotFoundError, NotADirectoryError):
        return None
    return entry_of(key, status) if stat.S_ISREG(status.st_mode) else None


def entry_of(key: Key, status: os.stat_result) -> Entry:
    """The entry of a file by its status."""
    return Entry(*key, size_bytes=status.st_size, mtime_ns=status.st_mtime_ns)


def scan(folder: Path) -> list[Entry]:
    """Every file, the least recently used first, as far as the disk knows. Removes what a crash has left behind."""
    found: list[tuple[int, Entry]] = []
    for kind in Kind:
        (folder / kind).mkdir(parents=True, exist_ok=True)
        _remove_leftovers(folder / kind)
        found += ((max(status.st_atime_ns, status.st_mtime_ns), entry) for entry, status in _walk(folder, kind))
    empty = [entry for _, entry in found if not entry.size_bytes]  # named, but the content never reached the disk
    remove(folder, empty)
    found.sort(key=lambda pair: pair[0])
    return [entry for _, entry in found if entry.size_bytes]


def files_in(folder: Path, kind: Kind) -> Iterator[Entry]:
    """All files of a kind, those that another process has written included; they may be removed meanwhile."""
    if (folder / kind).is_dir():
        for entry, _ in _walk(folder, kind):
            yield entry


def remove(folder: Path, entries: Iterable[Entry]) -> list[Entry]:
    """Remove files. One that can't be removed is logged, and doesn't keep the others.

    Returns:
        Those that are gone.
    """
    return [entry for entry in entries if _is_removed(folder / entry.kind / entry.name)]


def _is_removed(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        log.exception("a media file could not be removed", file=str(path))
        return False
    return True


def _walk(folder: Path, kind: Kind) -> Iterator[tuple[Entry, os.stat_result]]:
    with os.scandir(folder / kind) as items:
        for item in items:
            if is_name(kind, item.name) and item.is_file(follow_symlinks=False):
                with suppress(FileNotFoundError):  # another process has just removed it
                    status = item.stat(follow_symlinks=False)
                    yield entry_of((kind, item.name), status), status


def _remove_leftovers(folder: Path) -> None:
    for path in folder.glob(f".*{_PART}"):
        _remove_leftover(path)


def _remove_leftover(path: Path) -> None:
    try:
        file = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
    except OSError:
        log.warning("a leftover of a crash could not be opened", file=str(path), exc_info=True)
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    except BlockingIOError:
        pass  # another process is writing it
    finally:
        os.close(file)
