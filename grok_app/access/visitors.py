"""How much one address may ask of the public surface, so that no visitor drains the pool."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import Final

from grok_app.access.address import site_of
from grok_app.access.shared_visits import SharedVisits, open_visits
from grok_app.access.tally import Tally
from grok_app.settings import SettingsService
from grok_app.shared import Shared

SPARE_SOCKETS: Final = 8
"""What an address may have open beside those with a run: pages that are being left, say. Not more, for each may make
Granian keep 40 MiB and more of a message that isn't complete (2026-11-28)."""


class Visitors:
    """Counts what each address asks for. See `site_of` for what counts as one, and `Tally` for who counts.

    Args:
        settings: The limits, in force from the next request on.
        clock_s: A clock that never goes back.
        shared: Counts for all processes together.
    """

    def __init__(
        self,
        settings: SettingsService,
        clock_s: Callable[[], float] = time.monotonic,
        shared: SharedVisits | None = None,
    ) -> None:
        self._settings = settings
        self._tally = Tally(clock_s, shared)

    async def count(self, address: str) -> None:
        """Let an address ask once more; a request that is refused doesn't count.

        Raises:
            RateLimitedError: It has asked as often as it may in a minute; `retry_after_s` says when it may again.
        """
        await self._tally.count(site_of(address), self._settings.snapshot.public.requests_per_minute)

    async def running(self, address: str) -> ExitStack:
        """Let an address have a run under way until what is returned is closed.

        Raises:
            RateLimitedError: It has as many as it may.
        """
        most = self._settings.snapshot.public.max_runs_per_address
        refusal = f"At most {most} runs at once from one address. Please stop one first."
        return await self._tally.take("runs", site_of(address), most, refusal)

    async def connected(self, address: str) -> ExitStack:
        """Let an address have a socket open, with or without a run, until what is returned is closed.

        Raises:
            RateLimitedError: It has as many as it may.
        """
        most = self._settings.snapshot.public.max_runs_per_address + SPARE_SOCKETS
        refusal = f"At most {most} sockets at once from one address."
        return await self._tally.take("sockets", site_of(address), most, refusal)


@asynccontextmanager
async def open_visitors(settings: SettingsService, shared: Shared | None) -> AsyncGenerator[Visitors, None]:
    """Visitors who are counted by all processes together, if anything is shared, while the block runs."""
    async with open_visits(shared) as visits:
        yield Visitors(settings, shared=visits)
