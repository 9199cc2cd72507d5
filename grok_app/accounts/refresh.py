"""Asking Grok what accounts have left: one of them, or those that rest when none is left for a request."""

import asyncio
import heapq
import time
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import asynccontextmanager
from operator import attrgetter
from typing import Final

from grok_app.accounts.account import Account, note_failure, sync
from grok_app.accounts.roster import Roster
from grok_app.catalog import Pool
from grok_app.db import now_ms
from grok_app.errors import NotFoundError
from grok_app.logs import get_logger
from grok_app.settings import SettingsService
from grok_app.upstream import Upstream, UpstreamError

log = get_logger(__name__)
_ONCE_IN_S: Final = 60.0
"""Requests that find every account resting don't ask more often than that."""
_PATIENCE_S: Final = 15.0
"""So long such a request waits for the answers."""


class Refresher:
    """Asks Grok for quotas and takes them over.

    Args:
        roster: The accounts.
        upstream: Where to ask.
        settings: How many to ask at once.
    """

    def __init__(self, roster: Roster, upstream: Upstream, settings: SettingsService) -> None:
        self._roster = roster
        self._upstream = upstream
        self._settings = settings
        self._asked_at: dict[tuple[Pool, ...], float] = {}
        self._asking: dict[tuple[Pool, ...], asyncio.Task[None]] = {}

    async def refresh(self, account_id: int) -> Account:
        """Ask for one account and take over its quota; a failure is noted, a refused credential counted too.

        Raises:
            UpstreamError: Grok didn't tell.
            NotFoundError: The account is gone.
        """
        account = self._current(account_id)
        try:
            quota = await self._upstream.quota(account.credential.get_secret_value())
        except UpstreamError as error:
            self._roster.blame(account_id, error)
            reason, now = str(error), now_ms()
            self._roster.keep(account_id, lambda account: note_failure(account, reason, now))
            log.info("quota not told", account_id=account_id, kind=error.kind, status=error.status, reason=str(error))
            raise
        now = now_ms()
        self._roster.pool.trust(account_id)
        self._roster.keep(account_id, lambda account: sync(account, quota.remaining, quota.window_s, now))
        return self._current(account_id)

    async def wake(self, pools: Sequence[Pool], excluded: Collection[int]) -> None:
        """Ask for accounts that rest, since none is left for a request; those first that would wake first.

        Asks once a minute at most; a request that comes while others wait for the answers waits with them.

        Args:
            pools: Which accounts would serve.
            excluded: Those that would not.
        """
        key = tuple(pools)
        if key not in self._asking:
            if time.monotonic() - self._asked_at.get(key, -_ONCE_IN_S) < _ONCE_IN_S:
                return
            resting = [account for account in self._roster.pool.resting(pools) if account.id not in excluded]
            if not resting:
                return
            self._asked_at[key] = time.monotonic()
            self._asking[key] = asyncio.create_task(self._refresh_some(resting))
            self._asking[key].add_done_callback(lambda _: self._asking.pop(key))
        await asyncio.wait((self._asking[key],), timeout=_PATIENCE_S)

    async def close(self) -> None:
        """Ask no more."""
        for asking in self._asking.values():
            asking.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)

    async def _refresh_some(self, resting: Sequence[Account]) -> None:
        limits = self._settings.snapshot.usage
        soonest = heapq.nsmallest(limits.batch_size, resting, key=attrgetter("cooling_until_ms"))
        log.info("every account rests, asking for quotas", accounts=len(soonest))
        slots = asyncio.Semaphore(limits.concurrent)

        async def ask(account: Account) -> None:
            async with slots:
                try:
                    await self.refresh(account.id)
                except (UpstreamError, NotFoundError):
                    pass  # noted with the account
                except Exception:  # one bad account must not leave the others resting
                    log.exception("an account could not be refreshed", account_id=account.id)

        await asyncio.gather(*(ask(account) for account in soonest))

    def _current(self, account_id: int) -> Account:
        account = self._roster.pool.get(account_id)
        if account is None:
            raise NotFoundError("The account was deleted", code="token_not_found")
        return account


@asynccontextmanager
async def open_refresher(
    roster: Roster, upstream: Upstream, settings: SettingsService
) -> AsyncGenerator[Refresher, None]:
    """A refresher that asks no more when the block ends."""
    refresher = Refresher(roster, upstream, settings)
    try:
        yield refresher
    finally:
        await refresher.close()
