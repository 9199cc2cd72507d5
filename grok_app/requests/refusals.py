"""Callers who are turned away at the door, for want of a key or since they come too often: few of them are recorded."""

from collections.abc import Callable
from typing import Final

from grok_app.trace import Trace

AT_ONCE: Final = 100
"""So many are recorded, as all other requests are; then one a minute."""
_EVERY_MS: Final = 60_000


class Refusals:
    """Chooses which of them are recorded. The last one that was left out waits, and stands for the others.

    Args:
        clock_ms: Unix time.
    """

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self._room = float(AT_ONCE)
        self._grew_at_ms = clock_ms()
        self._last: Trace | None = None
        self._left_out = 0

    def is_recorded(self, trace: Trace) -> bool:
        """Whether there is room for this one; if not, it counts as left out. Costs a microsecond."""
        if self._take_room():
            return True
        self._last = trace
        self._left_out += 1
        return False

    def due(self) -> Trace | None:
        """The one that stands for those that were left out, when there is room again; its reason says how many."""
        if self._last is None or not self._take_room():
            return None
        trace, others = self._last, self._left_out - 1
        self._last, self._left_out = None, 0
        if others:
            trace.add_to_reason(f" ({others:,} more callers were turned away before, and are not listed)")
        return trace

    def _take_room(self) -> bool:
        now_ms = self._clock_ms()
        self._room = min(AT_ONCE, self._room + max(0, now_ms - self._grew_at_ms) / _EVERY_MS)
        self._grew_at_ms = now_ms
        if self._room < 1:
            return False
        self._room -= 1
        return True
