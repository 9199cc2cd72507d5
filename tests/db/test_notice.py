"""The notice of a change: whoever watches the file learns of it, once, and is never held up for long."""

import asyncio
import time
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from grok_app.db import Notice


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that isn't there yet."""
    return tmp_path / "notice"


class Reader:
    """Counts its readings, fails while told to, and waits while the gate is closed."""

    def __init__(self) -> None:
        self.times = 0
        self.error: Exception | None = None
        self.has_begun = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self) -> None:
        """One reading."""
        self.times += 1
        self.has_begun.set()
        await self.gate.wait()
        if self.error:
            raise self.error


def delete(path: Path) -> None:
    """As someone would who tidies up."""
    path.unlink()


def size_of(path: Path) -> int:
    """In bytes."""
    return path.stat().st_size


async def test_every_watcher_reads_once_per_change(path: Path) -> None:
    """Each watcher reads after a notice, not before and not again; many notices at once are one reading."""
    here, there, reader = Notice(path), Notice(path), Reader()
    await there.catch_up(reader.read)
    assert (there.has_changed(), reader.times) == (False, 0)
    for _ in range(3):
        here.announce()
    for watcher in (here, there):
        assert watcher.has_changed()
        await watcher.catch_up(reader.read)
        await watcher.catch_up(reader.read)
        assert not watcher.has_changed()
    assert reader.times == 2
    assert size_of(path) == 3


async def test_earlier_changes_are_no_news(path: Path) -> None:
    """What was announced before the watcher began to watch is not read again."""
    Notice(path).announce()
    assert not Notice(path).has_changed()


async def test_a_lost_file_is_a_change(path: Path) -> None:
    """Someone who deletes the file causes a reading, no error; the next notice makes it anew."""
    watcher, reader = Notice(path), Reader()
    watcher.announce()
    await watcher.catch_up(reader.read)
    delete(path)
    await watcher.catch_up(reader.read)
    watcher.announce()
    await watcher.catch_up(reader.read)
    assert reader.times == 3


async def test_whoever_comes_meanwhile_waits_for_the_same_reading(path: Path) -> None:
    """Nobody goes on with what was before the change, and nobody reads twice."""
    watcher, reader = Notice(path), Reader()
    reader.gate.clear()
    watcher.announce()
    waiting = [asyncio.create_task(watcher.catch_up(reader.read)) for _ in range(20)]
    await reader.has_begun.wait()
    assert not any(task.done() for task in waiting)
    reader.gate.set()
    await asyncio.gather(*waiting)
    assert reader.times == 1


async def test_a_change_during_the_reading_is_read_next(path: Path) -> None:
    """A notice that comes while it reads isn't taken for one that was read."""
    watcher, reader = Notice(path), Reader()
    reader.gate.clear()
    watcher.announce()
    reading = asyncio.create_task(watcher.catch_up(reader.read))
    await reader.has_begun.wait()
    watcher.announce()
    reader.gate.set()
    await reading
    assert watcher.has_changed()


async def test_a_reader_who_leaves_leaves_the_reading_to_the_next(path: Path) -> None:
    """A cancelled reading counts as none."""
    watcher, reader = Notice(path), Reader()
    reader.gate.clear()
    watcher.announce()
    first, second = (asyncio.create_task(watcher.catch_up(reader.read)) for _ in range(2))
    await reader.has_begun.wait()
    first.cancel()
    reader.gate.set()
    await second
    assert (first.cancelled(), reader.times, watcher.has_changed()) == (True, 2, False)


async def test_a_failure_is_outlived_and_not_repeated_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database is away nobody gets an error or waits for another try; a second later it is tried again."""
    watcher, reader = Notice(path), Reader()
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    watcher.announce()
    reader.error = OSError("away")
    with capture_logs() as lines:
        for _ in range(5):
            await watcher.catch_up(reader.read)
        assert reader.times == 1
        now += 1
        await watcher.catch_up(reader.read)
    assert (reader.times, len(lines)) == (2, 1)  # of failures in a row the first is logged
    reader.error = None
    now += 1
    await watcher.catch_up(reader.read)
    assert (reader.times, watcher.has_changed()) == (3, False)


async def test_a_bug_is_not_outlived(path: Path) -> None:
    """What is not the database's failure reaches whoever asked."""
    watcher, reader = Notice(path), Reader()
    watcher.announce()
    reader.error = KeyError("bug")
    with pytest.raises(KeyError):
        await watcher.catch_up(reader.read)


async def test_who_knows_the_change_reads_nothing(path: Path) -> None:
    """Unless another process has announced one too; the others always read."""
    here, there, reader = Notice(path), Notice(path), Reader()
    for _ in range(2):
        here.announce(is_known=True)
    assert (here.has_changed(), there.has_changed()) == (False, True)
    await there.catch_up(reader.read)
    there.announce(is_known=True)
    here.announce(is_known=True)
    assert (here.has_changed(), there.has_changed()) == (True, True)


async def test_what_can_not_be_announced_stays_done(tmp_path: Path) -> None:
    """The change is made; a missing folder or a full disk is logged and breaks nothing."""
    notice = Notice(tmp_path / "missing" / "notice")
    notice.announce()
    notice.announce(is_known=True)
    assert not notice.has_changed()
