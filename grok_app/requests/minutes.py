"""The last hour, minute by minute, in memory."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from grok_app.catalog import CHAT_MODELS
from grok_app.requests.histogram import Histogram
from grok_app.requests.types import Minute

MINUTE_MS: Final = 60_000
MINUTES: Final = 60


@dataclass(slots=True)
class _Tally:
    """What finished in one minute."""

    requests: int = 0
    errors: int = 0
    first_chunks: Histogram = field(default_factory=Histogram)
    models: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)


class Minutes:
    """Counts requests by the minute in which they finished.

    Args:
        clock_ms: Unix time.
    """

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self._tallies: dict[int, _Tally] = {}

    def add(
        self, finished_at_ms: int, model: str, *, is_error: bool, first_chunk_ms: int | None, kinds: Iterable[str]
    ) -> None:
        """Count a request, unless it finished more than an hour ago.

        Args:
            finished_at_ms: Unix time.
            model: Empty: not known.
            is_error: Whether it failed.
            first_chunk_ms: Counts for chats alone.
            kinds: Of the failures of its attempts.
        """
        minute = finished_at_ms // MINUTE_MS
        if minute <= self._now() - MINUTES:
            return
        tally = self._tallies.get(minute) or self._begin(minute)
        tally.requests += 1
        tally.errors += is_error
        tally.kinds.update(kinds)
        if model:
            tally.models[model] += 1
        if first_chunk_ms is not None and model in CHAT_MODELS:
            tally.first_chunks.add(first_chunk_ms)

    def all(self) -> list[Minute]:
        """Each of the last sixty minutes, oldest first; the last one still goes on."""
        now = self._now()
        return [self._shown(minute) for minute in range(now - MINUTES + 1, now + 1)]

    def top_models(self, limit: int) -> list[tuple[str, int]]:
        """The models that were asked most, and how often."""
        return sum((tally.models for tally in self._recent()), Counter()).most_common(limit)

    def kinds(self) -> list[tuple[str, int]]:
        """The failures of attempts by kind, most frequent first."""
        return sum((tally.kinds for tally in self._recent()), Counter()).most_common()

    def _recent(self) -> Iterator[_Tally]:
        now = self._now()
        return (tally for minute, tally in self._tallies.items() if now - MINUTES < minute <= now)

    def _shown(self, minute: int) -> Minute:
        tally = self._tallies.get(minute)
        if tally is None:
            return Minute(minute * MINUTE_MS, 0, 0, None, None)
        p50_ms, p95_ms = tally.first_chunks.percentiles((50, 95))
        return Minute(minute * MINUTE_MS, tally.requests, tally.errors, p50_ms, p95_ms)

    def _begin(self, minute: int) -> _Tally:
        """Begin to count a minute, and forget those that are over for an hour."""
        oldest = self._now() - MINUTES
        self._tallies = {at: tally for at, tally in self._tallies.items() if at > oldest}
        return self._tallies.setdefault(minute, _Tally())

    def _now(self) -> int:
        return self._clock_ms() // MINUTE_MS
