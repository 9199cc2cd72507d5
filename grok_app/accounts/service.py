"""Leases: an account is lent for one request, and what came of it is kept."""

import time
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from grok_app.accounts.account import Account, cool_down, note_failure, succeed
from grok_app.accounts.queue import Queue
from grok_app.accounts.refresh import Refresher
from grok_app.accounts.roster import Roster
from grok_app.catalog import Pool
from grok_app.db import now_ms
from grok_app.errors import RateLimitedError
from grok_app.logs import get_logger
from grok_app.trace import note_step
from grok_app.upstream import ErrorKind, UpstreamError

log = get_logger(__name__)
_NO_ACCOUNT: Final = "No available tokens. Please try again later."
_DOUBT_S: Final = {
    ErrorKind.BLOCKED_ACCOUNT: 900,
    ErrorKind.INVALID_CREDENTIAL: 60,
    ErrorKind.WITHHELD: 60,
    ErrorKind.TIMEOUT: 30,
    ErrorKind.ANTI_BOT: 5,
    ErrorKind.UNAVAILABLE: 5,
    ErrorKind.PROTOCOL: 5,
}
"""How long an account comes last after such a failure; shortly where the network is to blame as often."""


class NoAccountError(RateLimitedError):
    """Every account of every pool asked for is spent, cooling, expired or disabled, or busy for too long."""


@dataclass(frozen=True, slots=True)
class Lease:
    """An account lent for one request."""

    account_id: int
    credential: SecretStr
    pool: Pool


class Accounts:
    """Lends accounts.

    Args:
        roster: The accounts.
        refresher: Asked to look for quota when every account rests.
    """

    def __init__(self, roster: Roster, refresher: Refresher) -> None:
        self._roster = roster
        self._pool = roster.pool
        self._refresher = refresher
        self._queue = Queue()
        self._pool.on_change = self._queue.call

    @asynccontextmanager
    async def lease(
        self, pools: Sequence[Pool], cost: int, excluded: Collection[int] = (), *, wait_s: float = 0.0
    ) -> AsyncGenerator[Lease, None]:
        """Lend the account with the most quota left in the first pool that has one.

        The cost is reserved at once and settled when the block ends: kept on success, given back on cancellation.
        An UpstreamError decides by its kind: a rate limit lets the account rest, a refused credential is counted.

        Args:
            pools: In order of preference.
            cost: What the request takes from the quota.
            excluded: Accounts that were tried already.
            wait_s: How long to wait for accounts that serve as many requests as they may.

        Raises:
            NoAccountError: There is none to lend, or none became free in time.
        """
        began_at = time.perf_counter()
        try:
            account, claim = await self._reserve(pools, cost, excluded, wait_s)
        finally:
            note_step("lease", began_at)
        try:
            yield Lease(account.id, account.credential, account.pool)
        except UpstreamError as error:
            self._settle_failure(account.id, error)
            raise
        else:
            now = now_ms()
            self._pool.trust(account.id)
            self._roster.keep(account.id, lambda current: succeed(current, cost, now))
        finally:
            self._roster.give_back(account.id, cost, claim)

    async def pick(self, pools: Sequence[Pool]) -> Account:
        """The account that would be lent now, for work that takes nothing from its quota.

        Raises:
            NoAccountError: There is none to lend.
        """
        account, claim = await self._reserve(pools, 0, (), 0.0)
        self._roster.give_back(account.id, 0, claim)
        return account

    async def _reserve(
        self, pools: Sequence[Pool], cost: int, excluded: Collection[int], wait_s: float
    ) -> tuple[Account, str]:
        async def attempt() -> tuple[Account, str] | None:
            return await self._claim(pools, cost, excluded)

        def is_worth_waiting() -> bool:
            return self._pool.has_busy(pools, excluded)

        async def take() -> tuple[Account, str] | None:
            found = await attempt()
            if found is None and is_worth_waiting():
                found = await self._queue.wait(pools, attempt, is_worth_waiting, wait_s, is_picky=bool(excluded))
            return found

        found = await take()
        if found is None and not is_worth_waiting():
            await self._refresher.wake(pools, excluded)
            found = await take()
        if found is None:
            raise NoAccountError(_NO_ACCOUNT, retry_after_s=self._free_in_s(pools))
        return found

    async def _claim(self, pools: Sequence[Pool], cost: int, excluded: Collection[int]) -> tuple[Account, str] | None:
        """Reserve the best account here, then among all processes; where those were faster, the next best."""
        refused: Counter[int] = Counter()
        while account := self._pool.reserve(pools, cost, {*excluded, *_hopeless(refused)} if refused else excluded):
            try:
                claim = await self._roster.claim(account, cost)
            except BaseException:  # cancelled too
                self._pool.release(account.id, cost)
                raise
            if claim is not None:
                return self._pool.get(account.id) or account, claim
            refused[account.id] += 1
        return None

    def _settle_failure(self, account_id: int, error: UpstreamError) -> None:
        now, reason = now_ms(), str(error)
        if doubt_s := _DOUBT_S.get(error.kind):
            self._pool.doubt(account_id, now + doubt_s * 1000)
        if error.kind is ErrorKind.RATE_LIMITED:
            self._roster.keep(
                account_id,
                lambda account: cool_down(note_failure(account, reason, now), error.retry_after_s, reason, now),
            )
        else:
            self._roster.blame(account_id, error)
        log.info("upstream failed", account_id=account_id, kind=error.kind, status=error.status, reason=reason)

    def _free_in_s(self, pools: Sequence[Pool]) -> float | None:
        free_at = self._pool.next_free_ms(pools)
        return None if free_at is None else max(0.0, (free_at - now_ms()) / 1000)


def _hopeless(refused: Counter[int]) -> Iterator[int]:
    """The accounts that were refused again after the pool had learned how they are."""
    return (account_id for account_id, times in refused.items() if times > 1)
