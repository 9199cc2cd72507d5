"""Refreshing by itself: which accounts are due, and the one process that sees to it."""

import asyncio
import random
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final

from grok_app.accounts.account import Account, Status
from grok_app.accounts.jobs import AccountJobs
from grok_app.accounts.roster import Roster
from grok_app.catalog import Pool
from grok_app.db import Turn, now_ms
from grok_app.errors import OverloadedError
from grok_app.logs import get_logger
from grok_app.settings import SettingsService
from grok_app.tasks import Task, TaskCancelledError

log = get_logger(__name__)
TURN: Final = "refresh"
TURN_S: Final = 180.0
_LOOK_S: Final = 60.0
_AGAIN_S: Final = 900.0
"""An account that could not be refreshed is not tried again before."""
_JITTER: Final = 0.1
"""Accounts that were refreshed together are due apart, by this part of the interval earlier or later."""
_GOLDEN: Final = 0.6180339887
_HOUR_MS: Final = 3_600_000


class RefreshSchedule:
    """Refreshes accounts when they are due, unless another process does.

    Args:
        roster: The accounts.
        jobs: Does it, so that everybody can watch.
        settings: Whether and how often.
        turn: Settles between processes who does.
    """

    def __init__(self, roster: Roster, jobs: AccountJobs, settings: SettingsService, turn: Turn) -> None:
        self._roster = roster
        self._jobs = jobs
        self._settings = settings
        self._turn = turn
        self._tried_ms: dict[int, int] = {}

    async def run(self) -> None:
        """Look from time to time until cancelled; give the turn back at the end."""
        try:
            while True:
                await asyncio.sleep(_LOOK_S * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load, guards nothing
                try:
                    await self.refresh_due()
                except Exception:  # one bad round must not end all later ones
                    log.exception("the scheduled refresh failed")
        finally:
            await self._turn.give_back()

    async def refresh_due(self) -> int:
        """Refresh what is due now, if it is our turn and refreshing is on.

        Returns:
            How many accounts were asked for.
        """
        if not self._due() or not await self._turn.take():
            return 0
        await self._roster.catch_up()  # another process may have had the turn before
        due = self._due()
        try:
            task = self._jobs.start_refresh([account.credential.get_secret_value() for account in due])
        except OverloadedError as busy:
            log.warning("the scheduled refresh has to wait", reason=busy.message)
            return 0
        self._note_tries(due)
        try:
            await self._see_through(task)
        except BaseException:  # cancelled too: nobody sees the task through any more
            task.cancel()
            raise
        return len(due)

    async def _see_through(self, task: Task) -> None:
        """Hold the turn as long as the task goes on; end the task when the turn is lost or refreshing is off."""
        while not task.is_over:
            with suppress(TimeoutError, TaskCancelledError):
                async with asyncio.timeout(TURN_S / 3):
                    await task.wait()
            if not await self._turn.take() or not self._settings.snapshot.token.auto_refresh:
                task.cancel()

    def _note_tries(self, tried: Iterable[Account]) -> None:
        now = now_ms()
        recent = {i: at_ms for i, at_ms in self._tried_ms.items() if abs(now - at_ms) < _AGAIN_S * 1000}
        self._tried_ms = recent | {account.id: now for account in tried}

    def _due(self) -> list[Account]:
        now, token = now_ms(), self._settings.snapshot.token
        if not token.auto_refresh:
            return []
        hours = {Pool.BASIC: token.refresh_interval_hours, Pool.SUPER: token.super_refresh_interval_hours}
        due = in_order(account for account in self._roster.all() if now >= due_at_ms(account, hours, now))
        return [account for account in due if abs(now - self._tried_ms.get(account.id, 0)) >= _AGAIN_S * 1000]


def due_at_ms(account: Account, hours: Mapping[Pool, float], now: int) -> float:
    """When an account is due: so many hours after its last refresh or else its making; never when it is of no use.

    At once if that is still to come: the clock was wrong then, and it might be due in days only.
    """
    if account.status in (Status.EXPIRED, Status.DISABLED):
        return float("inf")
    jitter = 1 + _JITTER * (2 * (account.id * _GOLDEN % 1) - 1)
    since = account.last_sync_at_ms or account.created_at_ms
    return now if since > now else since + hours[account.pool] * _HOUR_MS * jitter


def in_order(accounts: Iterable[Account]) -> list[Account]:
    """Resting accounts first, then those that have waited longest."""
    return sorted(accounts, key=lambda account: (account.status is not Status.COOLING, account.last_sync_at_ms or 0))
