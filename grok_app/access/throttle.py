"""Waits for an address that shows wrong keys, so that a key can't be guessed."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from grok_app.access.address import site_of
from grok_app.access.shared_failures import (
    FIRST_WAIT_S,
    FORGET_S,
    FREE_FAILURES,
    LONGEST_WAIT_S,
    MOST_ADDRESSES,
    SharedFailures,
    Verdict,
)
from grok_app.errors import RateLimitedError
from grok_app.shared import Shared, SharedAwayError


@dataclass(slots=True)
class _Record:
    failures: int
    tried_at_s: float
    free_at_s: float


class Throttle:
    """Counts wrong keys by address.

    The fifth in a row begins a wait, each one after it doubles the wait. Kept are the addresses that tried last, no
    more than `MOST_ADDRESSES`. A caller with IPv6 has a whole /64 at hand, so that counts as one address.

    Each process counts for itself, and goes by that alone while there is nothing shared or Redis is away.

    Args:
        clock_s: The time; None: a clock of this machine that never goes back, and the one of Redis.
        shared: Where all processes count together.
    """

    def __init__(self, clock_s: Callable[[], float] | None = None, shared: Shared | None = None) -> None:
        self._clock_s = clock_s or time.monotonic
        self._shared = SharedFailures(shared, clock_s) if shared else None
        self._records: OrderedDict[str, _Record] = OrderedDict()

    async def check(self, address: str) -> None:
        """Let an address try a key.

        Raises:
            RateLimitedError: It must wait, `retry_after_s` long.
        """
        await self._judge(Verdict.NONE, address)

    async def fail(self, address: str) -> None:
        """Count a wrong key.

        Raises:
            RateLimitedError: The address had to wait, as many tries at once have shown meanwhile. It was counted.
        """
        await self._judge(Verdict.WRONG, address)

    async def succeed(self, address: str) -> None:
        """Forget the wrong keys: the right one was shown.

        Raises:
            RateLimitedError: The address had to wait, as many tries at once have shown meanwhile.
        """
        await self._judge(Verdict.RIGHT, address)

    async def _judge(self, verdict: Verdict, address: str) -> None:
        site = site_of(address)
        left_s = self._judge_here(verdict, site)
        if self._shared:
            with suppress(SharedAwayError):
                left_s = await self._shared.judge(verdict, site)
        if left_s > 0:
            wait_s = math.ceil(left_s)
            raise RateLimitedError(
                f"Too many attempts. Please wait {wait_s} seconds.", code="too_many_attempts", retry_after_s=wait_s
            )

    def _judge_here(self, verdict: Verdict, site: str) -> float:
        """How long an address must wait, as far as this process knows; and what becomes of its count."""
        known, now = self._touch(site), self._clock_s()
        left_s = max(0.0, known.free_at_s - now) if known else 0.0
        if verdict is Verdict.WRONG:
            failures = known.failures + 1 if known else 1
            self._records[site] = _Record(failures, now, now + _wait_s(failures))
            if len(self._records) > MOST_ADDRESSES:
                self._records.popitem(last=False)
        elif verdict is Verdict.RIGHT and not left_s:
            self._records.pop(site, None)
        return left_s

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
