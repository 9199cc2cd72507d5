"""How much one address may ask of the public surface, so that no visitor drains the pool."""

import math
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from grok_app.access.address import site_of
from grok_app.errors import RateLimitedError
from grok_app.settings import SettingsService

WINDOW_S: Final = 60.0
MOST_ADDRESSES: Final = 10_000
"""More than that at once are no visitors; the ones that were quiet longest are forgotten."""
SPARE_SOCKETS: Final = 8
"""What an address may have open beside those with a run: pages that are being left, say. Not more, for each may make
Granian keep 40 MiB and more of a message that isn't complete (2026-11-28)."""
_PLACE_RETRY_S: Final = 5
"""Nobody knows when a run or a socket ends."""


class Visitors:
    """Counts what each address asks for, in the memory of this process. See `site_of` for what counts as one.

    Args:
        settings: The limits, in force from the next request on.
        clock_s: A clock that never goes back.
    """

    def __init__(self, settings: SettingsService, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock_s = clock_s
        self._asked: OrderedDict[str, deque[float]] = OrderedDict()
        self._runs: Counter[str] = Counter()
        self._sockets: Counter[str] = Counter()

    def count(self, address: str) -> None:
        """Let an address ask once more; a request that is refused doesn't count.

        Raises:
            RateLimitedError: It has asked as often as it may in a minute; `retry_after_s` says when it may again.
        """
        most = self._settings.snapshot.public.requests_per_minute
        now = self._clock_s()
        asked = self._touch(site_of(address))
        while asked and asked[0] <= now - WINDOW_S:
            asked.popleft()
        if len(asked) >= most:
            wait_s = max(1, math.ceil(asked[-most] + WINDOW_S - now))
            message = f"Too many requests. Please try again in {wait_s} seconds."
            raise RateLimitedError(message, retry_after_s=wait_s)
        asked.append(now)

    def running(self, address: str) -> AbstractContextManager[None]:
        """Let an address have a run under way for as long as the block lasts.

        Raises:
            RateLimitedError: It has as many as it may.
        """
        most = self._settings.snapshot.public.max_runs_per_address
        return _placed(
            self._runs, address, most, f"At most {most} runs at once from one address. Please stop one first."
        )

    def connected(self, address: str) -> AbstractContextManager[None]:
        """Let an address have a socket open, with or without a run, for as long as the block lasts.

        Raises:
            RateLimitedError: It has as many as it may.
        """
        most = self._settings.snapshot.public.max_runs_per_address + SPARE_SOCKETS
        return _placed(self._sockets, address, most, f"At most {most} sockets at once from one address.")

    def _touch(self, site: str) -> deque[float]:
        asked = self._asked.setdefault(site, deque())
        self._asked.move_to_end(site)
        if len(self._asked) > MOST_ADDRESSES:
            self._asked.popitem(last=False)
        return asked


@contextmanager
def _placed(taken: Counter[str], address: str, most: int, refusal: str) -> Iterator[None]:
    """Take a place among those that an address has."""
    site = site_of(address)
    if taken[site] >= most:
        raise RateLimitedError(refusal, retry_after_s=_PLACE_RETRY_S)
    taken[site] += 1
    try:
        yield
    finally:
        taken[site] -= 1
        if not taken[site]:
            del taken[site]
