"""The content of files that were read lately, in memory."""

import os
import time
from collections import OrderedDict
from pathlib import Path
from typing import Final

from grok_app.media.entry import Entry, Key
from grok_app.media.folder import entry_of

HELD_BYTES: Final = 64 << 20
"""No more is held, of all files together."""
MOST_HELD_BYTES: Final = 1 << 20
"""No larger file is held. A video is quick to send from the disk: the opening counts for little."""
_SETTLED_NS: Final = 1_000_000_000
"""A file that is younger may be replaced and keep size and time: the clock of a file system is a coarse one."""


class Hot:
    """Contents by entry, those asked for least recently dropped first.

    Whoever asks looks at the disk first: what is held of a file is given for the very version on disk, or not at all.

    Args:
        limit_bytes: How much is held at most.

    Attributes:
        size_bytes: How much is held.
        hits: How often something that was held was asked for.
    """

    def __init__(self, limit_bytes: int = HELD_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._held: OrderedDict[Key, tuple[Entry, bytes]] = OrderedDict()
        self.size_bytes = self.hits = 0

    def get(self, entry: Entry) -> bytes | None:
        """The content of this version; None if it isn't held."""
        held = self._held.get(entry.key)
        if held is None:
            return None
        if held[0] != entry:
            self.forget(entry.key)
            return None
        self._held.move_to_end(entry.key)
        self.hits += 1
        return held[1]

    def put(self, entry: Entry, content: bytes) -> None:
        """Hold the content of this version."""
        self.forget(entry.key)
        self._held[entry.key] = entry, content
        self.size_bytes += len(content)
        while self.size_bytes > self._limit_bytes:
            self.forget(next(iter(self._held)))

    def forget(self, key: Key) -> None:
        """Drop what is held of a file."""
        held = self._held.pop(key, None)
        if held is not None:
            self.size_bytes -= len(held[1])


def is_holdable(entry: Entry) -> bool:
    """Whether it is small enough, and old enough that size and time tell its version from any later one."""
    return entry.size_bytes <= MOST_HELD_BYTES and time.time_ns() - entry.mtime_ns > _SETTLED_NS


def read_version(path: Path, entry: Entry) -> bytes | None:
    """All of a file's content; None if it is gone, or not this version any more. Blocks."""
    try:
        with path.open("rb", buffering=0) as file:
            content = file.read(entry.size_bytes + 1)
            is_same = entry_of(entry.key, os.fstat(file.fileno())) == entry
    except OSError:
        return None
    return content if is_same and len(content) == entry.size_bytes else None
