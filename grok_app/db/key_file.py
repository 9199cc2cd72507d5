"""The file with an installation's keys, where the environment has none: one a line, and the first encrypts.

There is more than one only while `grok-app key rotate` is under way. Whoever reads the file holds a lock beside it for
as long as it uses the keys, so that none is dropped with which somebody still encrypts.
"""

import fcntl
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Final

from grok_app.errors import ConfigurationError
from grok_app.logs import get_logger

log = get_logger(__name__)
KEY_FILE: Final = "secret.key"
_LOCK: Final = f"{KEY_FILE}.lock"
_SHORTEST_KEY_CHARS: Final = 16


class KeyFile:
    """The key file of a data folder, be it there or not."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / KEY_FILE
        self._lock = data_dir / _LOCK

    def exists(self) -> bool:
        """Whether there is one."""
        return self.path.exists()

    def make(self) -> None:
        """Make the file whole or not at all; of several processes at once, one wins and all read its key."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._written([make_secret()]) as file, suppress(FileExistsError):
            os.link(file.name, self.path)

    def read(self) -> list[str]:
        """Its keys.

        Raises:
            ConfigurationError: It is damaged.
        """
        keys = self.path.read_text().split()
        if not keys or any(len(key) < _SHORTEST_KEY_CHARS for key in keys):
            raise ConfigurationError(f"{self.path} is damaged: expected the key that it held, of 43 characters")
        return keys

    def replace(self, keys: list[str]) -> None:
        """Put these keys in place of the ones that it holds; a crash leaves the ones or the others."""
        with self._written(keys) as file:
            self._give_to_owner(file.fileno())
            os.link(file.name, f"{file.name}.new")  # the first name goes with the block
            Path(f"{file.name}.new").replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name too is on the disk before anybody relies on it
        finally:
            os.close(folder)

    def hold(self) -> int | None:
        """Keep others from changing the keys until the file descriptor handed back is closed.

        Waits while a rotation is under way. None in a folder that can't be written to, where nobody changes anything.

        Raises:
            ConfigurationError: The lock is there and can't be opened.
        """
        try:
            lock = self._open_lock(os.O_RDONLY)
        except OSError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            log.warning("waiting for grok-app key rotate to end")
            fcntl.flock(lock, fcntl.LOCK_SH)
        return lock

    @contextmanager
    def alone(self) -> Generator[None, None, None]:
        """Keep everybody from reading the keys while the block runs.

        Raises:
            ConfigurationError: Somebody uses them, or the lock is there and can't be opened.
            OSError: The lock can't be made.
        """
        lock = self._open_lock(os.O_RDWR)  # NFS locks nothing else for one alone
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise ConfigurationError(
                f"{self.path} is in use: stop all servers and commands of this data folder first"
            ) from None
        finally:
            os.close(lock)

    def _give_to_owner(self, file: int) -> None:
        """What root makes here is to be read by the server, which owns the key file."""
        owner, now = self.path.stat(), os.fstat(file)
        if os.geteuid() == 0 and (owner.st_uid, owner.st_gid) != (now.st_uid, now.st_gid):
            os.fchown(file, owner.st_uid, owner.st_gid)

    def _open_lock(self, access: int) -> int:
        # A link isn't followed: root would give the server's user what it names.
        try:
            lock = os.open(self._lock, access | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            self._give_to_owner(lock)
        except OSError as error:
            if not os.path.lexists(self._lock):
                raise
            raise ConfigurationError(
                f"{self._lock}: {error.strerror}: expected a file of whoever owns {self.path}. "
                f"As root: chown --reference={self.path} {self._lock}"
            ) from error
        return lock

    @contextmanager
    def _written(self, keys: list[str]) -> Generator[IO[str], None, None]:
        with NamedTemporaryFile("w", dir=self.path.parent, prefix=f"{KEY_FILE}.") as file:  # mode 600 by itself
            file.write("\n".join(keys))
            file.flush()
            os.fsync(file.fileno())
            yield file


def make_secret() -> str:
    """A new key, of 256 random bits."""
    return secrets.token_urlsafe(32)
