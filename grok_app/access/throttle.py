"""Waits for an address that shows wrong keys, so that a key can't be guessed."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from grok_app.access.address import site_of
from grok_app.errors import RateLimitedError

FREE_FAILURES: Final = 5
"""Wrong keys in a row that cost nothing: people mistype."""
FIRST_WAIT_S: Final = 2
LONGEST_WAIT_S: Final = 60
"""Long enough for a guesser, and short for an operator who shares an address with one."""
FORGET_S: Final = 60 * 60
"""An address that doesn't try for this long starts anew."""
MOST_ADDRESSES: Final = 10_000


@dataclass(slots=True)
class _Record:
    failures: int
    tried_at_s: float
    free_at_s: float


class Throttle:
    """Counts wrong keys by address, in the memory of this process.

    The fifth in a row begins a wait, each one after it doubles the wait. Kept are the addresses that tried last, no
    more than `MOST_ADDRESSES`. A caller with IPv6 has a whole /64 at hand, so that counts as one address.

    Args:
        clock_s: A clock that never goes back.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def check(self, address: str) -> None:
        """Let an address try a key.

        Raises:
            RateLimitedError: It must wait, `retry_after_s` long.
        """
        record = self._touch(site_of(address))
        if record and (left_s := math.ceil(record.free_at_s - self._clock_s())) > 0:
            raise RateLimitedError(
                f"Too many attempts. Please wait {left_s} seconds.", code="too_many_attempts", retry_after_s=left_s
            )

    def fail(self, address: str) -> None:
        """Count a wrong key."""
        site = site_of(address)
        known = self._touch(site)
        failures = known.failures + 1 if known else 1
        now = self._clock_s()
        self._records[site] = _Record(failures, now, now + _wait_s(failures))
        if len(self._records) > MOST_ADDRESSES:
            self._records.popitem(last=False)

    def succeed(self, address: str) -> None:
        """Forget the wrong keys: the right one was shown."""
        self._records.pop(site_of(address), None)

    def _touch(self, site: str) -> _Record | None:
        """The record of an address that tries now; those at rest for too long are gone."""
        now = self._clock_s()
        while self._records and next(iter(self._records.values())).tried_at_s <= now - FORGET_S:
            self._records.popitem(last=False)
        record = self._records.get(site)
        if record:
            record.tried_at_s = now
            self._records.move_to_end(site)
        return record


def _wait_s(failures: int) -> int:
    beyond = failures - FREE_FAILURES
    return min(FIRST_WAIT_S << beyond, LONGEST_WAIT_S) if beyond >= 0 else 0
