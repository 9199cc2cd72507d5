"""A notice that something in the database has changed, for every process of the installation."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Hashable
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy.exc import SQLAlchemyError

from grok_app.errors import ConfigurationError
from grok_app.logs import get_logger

log = get_logger(__name__)
_READ_LIMIT_S: Final = 3.0
_PAUSE_S: Final = 1.0
_MISSING: Final = (0, 0)


class Mark(Protocol):
    """Something that is another one after every change, for all who watch."""

    @property
    def name(self) -> str:
        """For the log."""

    def read(self) -> Hashable:
        """What it is now, as far as is known; costs next to nothing."""

    def replace(self, then: "Then") -> None:
        """Make it another one, now or as soon as it can be; then `then` is told what it was before, and what it is."""


Then = Callable[[Hashable, Hashable], None]


class Notice:
    """Tells everyone who watches a mark that something has changed; to ask costs a microsecond or two.

    A process that is killed between its change and the notice tells nobody; the others learn of it with the next
    change, or at their next start.

    Args:
        mark: What is watched: a file, made with the first notice, which the processes of one machine share; or a
            `SharedMark`.
    """

    def __init__(self, mark: Path | Mark) -> None:
        self._mark = _FileMark(mark) if isinstance(mark, Path) else mark
        self._seen = self._mark.read()
        self._reading = asyncio.Lock()
        self._pause_ends = 0.0
        self._has_failed = False

    def announce(self, *, is_known: bool = False) -> None:
        """Tell everyone who watches. Comes after the commit: what can't be announced is logged, and stays done.

        Args:
            is_known: Whether this process knows the change already and needs no reading; unless another one has
                announced something too.
        """
        self._mark.replace(self._pass_over if is_known else _read_as_all_do)

    def _pass_over(self, before: Hashable, now: Hashable) -> None:
        if before == self._seen:
            self._seen = now

    def has_changed(self) -> bool:
        """Whether there is a notice that `catch_up` has not answered yet."""
        return self._mark.read() != self._seen

    async def catch_up(self, read: Callable[[], Awaitable[None]], *, limit_s: float = _READ_LIMIT_S) -> None:
        """Read anew if there is a notice; whoever comes meanwhile waits for that one reading.

        When the reading fails, what was read before stays in force, and nobody tries again for a second, so that a
        database that is away doesn't hold every request up. Of failures in a row the first is logged.
        """
        if not self._is_due():
            return
        async with self._reading:
            if not self._is_due():
                return
            mark = self._mark.read()  # before reading: what is announced meanwhile is read next time
            try:
                async with asyncio.timeout(limit_s):
                    await read()
            except (SQLAlchemyError, ConfigurationError, OSError, TimeoutError):
                self._pause_ends = time.monotonic() + _PAUSE_S
                if not self._has_failed:
                    log.warning("a change was announced but can't be read", notice=self._mark.name, exc_info=True)
                self._has_failed = True
            else:
                self._seen, self._has_failed = mark, False

    def _is_due(self) -> bool:
        return self.has_changed() and time.monotonic() >= self._pause_ends


class _FileMark:
    """A file that grows by one byte with every change.

    It is never cut short, since a watcher might take what grows again for what it has seen: a million changes are a
    megabyte. A file that was deleted and made again is another one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = path.name

    def read(self) -> tuple[int, int]:
        """Which file it is and how long."""
        try:
            status = self._path.stat()
        except OSError:
            return _MISSING
        return status.st_ino, status.st_size

    def replace(self, then: Then) -> None:
        """Make it longer."""
        before = self.read()
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(file, b".")
                now = os.fstat(file)
            finally:
                os.close(file)
        except OSError:  # the caller can't mend it, and the change is made
            log.exception("other processes can't be told of a change", notice=self.name)
            return
        if now.st_size == before[1] + 1:
            then(before, (now.st_ino, now.st_size))


def _read_as_all_do(_before: Hashable, _now: Hashable) -> None:
    """For a change that this process doesn't know either."""
