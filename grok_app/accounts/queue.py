"""Requests that wait for a busy account: first come, first served."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, TypeVar

from grok_app.catalog import Pool

FoundT = TypeVar("FoundT")
_RECHECK_S: Final = 1.0
"""What happens by the clock alone, a rest or a doubt that ends, is seen within this time."""


class Queue:
    """Lines of waiting requests, one for each choice of pools."""

    def __init__(self) -> None:
        self._lines: dict[tuple[Pool, ...], dict[asyncio.Event, None]] = {}

    def call(self, pool: Pool) -> None:
        """Let the first of each line that this pool could serve try its luck."""
        for pools, line in self._lines.items():
            if line and pool in pools:
                _call_one(line)

    async def wait(
        self,
        pools: Sequence[Pool],
        attempt: Callable[[], Awaitable[FoundT | None]],
        is_worth_it: Callable[[], bool],
        limit_s: float,
        *,
        is_picky: bool,
    ) -> FoundT | None:
        """Stand in line and try whenever called, until there is something.

        Args:
            pools: What would serve.
            attempt: Takes it, or gives None.
            is_worth_it: Whether waiting makes sense; asked after each vain attempt.
            limit_s: The longest wait.
            is_picky: Whether others in line may take what this request can't.

        Returns:
            What the attempt gave; None when it took too long or was not worth it any more.
        """
        line = self._lines.setdefault(tuple(pools), {})
        called = asyncio.Event()
        line[called] = None
        found = None
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(limit_s):
                    while found is None and is_worth_it():
                        was_called = await _called_or_soon(called)
                        found = await attempt()
                        if found is None and was_called and is_picky:
                            _call_one(line, behind=called)
        finally:
            del line[called]
            if found is None:
                _call_one(line)
        return found


async def _called_or_soon(called: asyncio.Event) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(_RECHECK_S):
            await called.wait()
    was_called = called.is_set()
    called.clear()
    return was_called


def _call_one(line: dict[asyncio.Event, None], behind: asyncio.Event | None = None) -> None:
    """Call the first in line who isn't called yet, of those behind this one."""
    waiting = iter(line)
    if behind is not None:
        next(other for other in waiting if other is behind)
    for other in waiting:
        if not other.is_set():
            other.set()
            return
