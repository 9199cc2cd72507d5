"""What is there, known without looking at the disk."""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterable, Iterator

from grok_app.media.entry import Entry, Key, Kind, Stats


class Index:
    """Every file in two orders: by last use, and by age within its kind.

    Args:
        entries: Least recently used first.
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries = OrderedDict((entry.key, entry) for entry in entries)
        self._by_age = {kind: self._sorted(kind) for kind in Kind}
        self._sizes = {kind: sum(entry.size_bytes for entry in self._of(kind)) for kind in Kind}

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __contains__(self, key: Key) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size_bytes(self) -> int:
        """The size of everything."""
        return sum(self._sizes.values())

    def put(self, entry: Entry) -> None:
        """Note a file, in place of the one of this name, as the one used last."""
        if self._entries.get(entry.key) == entry:
            self._entries.move_to_end(entry.key)
            return
        self.forget(entry.key)
        self._entries[entry.key] = entry
        self._sizes[entry.kind] += entry.size_bytes
        insort(self._by_age[entry.kind], (entry.mtime_ns, entry.name))

    def forget(self, key: Key) -> Entry | None:
        """Note that a file is gone; returns what it was, if it was known."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._sizes[entry.kind] -= entry.size_bytes
            ages = self._by_age[entry.kind]
            del ages[bisect_left(ages, (entry.mtime_ns, entry.name))]
        return entry

    def stats(self, kind: Kind) -> Stats:
        """How much there is of a kind."""
        return Stats(len(self._by_age[kind]), self._sizes[kind])

    def newest(self, kind: Kind, first: int, count: int) -> list[Entry]:
        """A part of a kind's files, newest first: `count` of them after the `first` newest."""
        ages = self._by_age[kind]
        end = max(0, len(ages) - first)
        names = [name for _, name in ages[max(0, end - count) : end]]
        return [self._entries[kind, name] for name in reversed(names)]

    def _sorted(self, kind: Kind) -> list[tuple[int, str]]:
        return sorted((entry.mtime_ns, entry.name) for entry in self._of(kind))

    def _of(self, kind: Kind) -> Iterator[Entry]:
        return (entry for entry in self if entry.kind is kind)
