"""A notice that something in the database has changed, for every process that shares the data folder."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from grok_app.errors import ConfigurationError
from grok_app.logs import get_logger

log = get_logger(__name__)
_READ_LIMIT_S: Final = 3.0
_PAUSE_S: Final = 1.0
_MISSING: Final = (0, 0)


class Notice:
    """A file that grows by one byte with every change; to ask whether it has grown costs a microsecond or two.

    It is never cut short, since a watcher might take what grows again for what it has seen: a million changes are a
    megabyte. Machines that share no folder are not told. A process that is killed between its change and the notice
    tells nobody; the others learn of it with the next change, or at their next start.

    Args:
        path: The file. It is made with the first notice.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._mark()
        self._reading = asyncio.Lock()
        self._pause_ends = 0.0

    def announce(self, *, is_known: bool = False) -> None:
        """Tell everyone who watches. Comes after the commit: what can't be announced is logged, and stays done.

        Args:
            is_known: Whether this process knows the change already and needs no reading; unless another one has
                announced something too.
        """
        try:
            self._announce(is_known=is_known)
        except OSError:  # the caller can't mend it, and the change is made
            log.exception("other processes can't be told of a change", notice=self._path.name)

    def _announce(self, *, is_known: bool) -> None:
        inode, size = self._mark()
        has_seen_all = (inode, size) in (self._seen, _MISSING)
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, b".")
            now = os.fstat(file)
        finally:
            os.close(file)
        if is_known and has_seen_all and now.st_size == size + 1:
            self._seen = (now.st_ino, now.st_size)

    def has_changed(self) -> bool:
        """Whether there is a notice that `catch_up` has not answered yet."""
        return self._mark() != self._seen

    async def catch_up(self, read: Callable[[], Awaitable[None]], *, limit_s: float = _READ_LIMIT_S) -> None:
        """Read anew if there is a notice; whoever comes meanwhile waits for that one reading.

        When the reading fails, what was read before stays in force, the failure is logged, and nobody tries again for
        a second, so that a database that is away doesn't hold every request up.
        """
        if not self._is_due():
            return
        async with self._reading:
            if not self._is_due():
                return
            mark = self._mark()  # before reading: what is announced meanwhile is read next time
            try:
                async with asyncio.timeout(limit_s):
                    await read()
            except (SQLAlchemyError, ConfigurationError, OSError, TimeoutError):
                self._pause_ends = time.monotonic() + _PAUSE_S
                log.warning("a change was announced but can't be read", notice=self._path.name, exc_info=True)
            else:
                self._seen = mark

    def _is_due(self) -> bool:
        return self.has_changed() and time.monotonic() >= self._pause_ends

    def _mark(self) -> tuple[int, int]:
        """Which file it is and how long; a file that was deleted and made again is another one."""
        try:
            status = self._path.stat()
        except OSError:
            return _MISSING
        return status.st_ino, status.st_size
