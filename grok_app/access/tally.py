"""How often somebody has asked lately, and how much of theirs is under way: counted here, and by all processes."""

import math
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Final

from grok_app.access.shared_visits import SharedVisits
from grok_app.errors import RateLimitedError
from grok_app.shared import SharedAwayError

WINDOW_S: Final = 60.0
MOST_CALLERS: Final = 10_000
"""More than that at once are no callers; the ones that were quiet longest are forgotten."""
_PLACE_RETRY_S: Final = 5
"""Nobody knows when what is under way ends."""


class Tally:
    """Counts for each caller, whatever tells one from another.

    Each process counts for itself, and goes by that alone while there is nothing shared or Redis is away.

    Args:
        clock_s: A clock that never goes back.
        shared: Counts for all processes together.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic, shared: SharedVisits | None = None) -> None:
        self._clock_s = clock_s
        self._shared = shared
        self._asked: OrderedDict[str, deque[float]] = OrderedDict()
        self._taken: Counter[tuple[str, str]] = Counter()

    async def count(self, caller: str, most: int) -> None:
        """Let a caller ask once more; a request that is refused doesn't count.

        Raises:
            RateLimitedError: They have asked so often in a minute; `retry_after_s` says when they may again.
        """
        try:
            left_s = await self._shared.ask(caller, most, WINDOW_S) if self._shared else self._left_s(caller, most)
        except SharedAwayError:
            left_s = self._left_s(caller, most)
        if left_s:
            wait_s = max(1, math.ceil(left_s))
            message = f"Too many requests. Please try again in {wait_s} seconds."
            raise RateLimitedError(message, retry_after_s=wait_s)
        self._touch(caller).append(self._clock_s())

    async def take(self, kind: str, caller: str, most: int, refusal: str) -> ExitStack:
        """Take one of a caller's places of this kind; it is given back when the stack is closed.

        Raises:
            RateLimitedError: They have so many; the refusal says so.
        """
        refused = RateLimitedError(refusal, retry_after_s=_PLACE_RETRY_S)
        if self._taken[kind, caller] >= most:
            raise refused
        with ExitStack() as place:
            self._taken[kind, caller] += 1
            place.callback(self._give_back, kind, caller)
            if self._shared:
                there = place.enter_context(self._shared.place(kind, caller))
                with suppress(SharedAwayError):
                    if not await self._shared.take(there, most):
                        raise refused
            return place.pop_all()

    def _left_s(self, caller: str, most: int) -> float:
        """How long a caller must wait, as far as this process knows."""
        asked = self._touch(caller)
        return asked[-most] + WINDOW_S - self._clock_s() if len(asked) >= most else 0

    def _touch(self, caller: str) -> deque[float]:
        """When a caller has asked lately."""
        asked = self._asked.setdefault(caller, deque())
        self._asked.move_to_end(caller)
        if len(self._asked) > MOST_CALLERS:
            self._asked.popitem(last=False)
        begin_s = self._clock_s() - WINDOW_S
        while asked and asked[0] <= begin_s:
            asked.popleft()
        return asked

    def _give_back(self, kind: str, caller: str) -> None:
        self._taken[kind, caller] -= 1
        if not self._taken[kind, caller]:
            del self._taken[kind, caller]
