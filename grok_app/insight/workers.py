"""The workers of one server among themselves: each tells the others what it counts, so that whoever asks one asks all.

They meet in a folder that the main process has made: a socket for each, under its number.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import IO, Final

from grok_app.env import MOST_WORKERS, WORKERS_DIR
from grok_app.logs import get_logger

log = get_logger(__name__)
_LIMIT_S: Final = 2.0
"""A worker that takes longer has no time; Prometheus waits for 10 s by default."""
ALONE: Final = "1"
"""The number of a worker that has no others."""

Tell = Callable[[], Awaitable[bytes]]


class Workers:
    """Asks every worker of this server.

    Args:
        number: Of this one, from 1; one that replaces another has its number.
        tell: What this one says.
        folder: Where they meet; None: this one is alone.
    """

    def __init__(self, number: str, tell: Tell, folder: Path | None) -> None:
        self._number = number
        self._tell = tell
        self._folder = folder

    async def ask(self) -> dict[str, bytes | None]:
        """What each says, by its number; None for one that doesn't answer."""
        numbers = sorted(path.stem for path in self._folder.glob("*.sock")) if self._folder else [self._number]
        return dict(zip(numbers, await asyncio.gather(*map(self._ask, numbers)), strict=True))

    async def _ask(self, number: str) -> bytes | None:
        if self._folder is None or number == self._number:
            return await self._tell()
        try:
            async with asyncio.timeout(_LIMIT_S):
                reader, writer = await asyncio.open_unix_connection(self._folder / f"{number}.sock")
                with closing(writer):
                    return await reader.read() or None
        except (OSError, TimeoutError) as error:
            log.warning("a worker doesn't say what it counts", worker=number, reason=repr(error))
            return None


@asynccontextmanager
async def open_workers(tell: Tell) -> AsyncGenerator[Workers, None]:
    """Meet the others where the main process says, and answer them while the block runs."""
    place = os.environ.get(WORKERS_DIR)
    if not place:
        yield Workers(ALONE, tell, None)
        return
    folder = Path(place)
    with _take_number(folder) as taken:
        socket = folder / f"{Path(taken.name).stem}.sock"
        socket.unlink(missing_ok=True)  # of a worker that was killed

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with closing(writer), suppress(ConnectionError):
                writer.write(await tell())
                await writer.drain()

        server = None
        try:
            server = await asyncio.start_unix_server(answer, socket)
        except OSError as error:  # a long TMPDIR, say: a socket's path has 107 bytes at most
            log.warning("workers can't ask each other what they count", place=place, reason=repr(error))
        try:
            yield Workers(socket.stem, tell, folder if server else None)
        finally:
            if server:
                server.close()
            socket.unlink(missing_ok=True)


def _take_number(folder: Path) -> IO[bytes]:
    """The first number that no living worker has: its file, locked until it is closed or the process dies."""
    for number in range(1, MOST_WORKERS + 1):
        file = (folder / f"{number}.lock").open("wb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
        else:
            return file
    raise AssertionError("there are no more workers than numbers")
