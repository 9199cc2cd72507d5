"""Leases: an account is lent for one request, and what came of it is kept."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from grok_app.accounts.account import Account, cool_down, note_failure, reject, succeed
from grok_app.accounts.credential import mask, normalize
from grok_app.accounts.pool import AccountPool
from grok_app.accounts.repository import AccountRepository
from grok_app.catalog import Pool
from grok_app.db import Database, Vault, now_ms
from grok_app.errors import InvalidRequestError, RateLimitedError
from grok_app.logs import get_logger
from grok_app.settings import SettingsService
from grok_app.upstream import ErrorKind, UpstreamError

log = get_logger(__name__)
_NO_ACCOUNT: Final = "No available tokens. Please try again later."
_DOUBT_S: Final = {
    ErrorKind.BLOCKED_ACCOUNT: 900,
    ErrorKind.INVALID_CREDENTIAL: 60,
    ErrorKind.TIMEOUT: 30,
    ErrorKind.ANTI_BOT: 5,
    ErrorKind.UNAVAILABLE: 5,
    ErrorKind.PROTOCOL: 5,
}
"""How long an account comes last after such a failure; shortly where the network is to blame as often."""


class NoAccountError(RateLimitedError):
    """Every account of every pool asked for is spent, cooling, expired or disabled."""


@dataclass(frozen=True, slots=True)
class Lease:
    """An account lent for one request."""

    account_id: int
    credential: SecretStr


@dataclass(frozen=True, slots=True)
class Skipped:
    """A pasted token that can't be one."""

    token: str
    """Masked."""
    reason: str


@dataclass(frozen=True, slots=True)
class Added:
    """What came of adding accounts."""

    added: int
    duplicates: int
    """Given twice, or there already."""
    skipped: list[Skipped]


class Accounts:
    """The pool with its memory: every change is written to the database soon after, never during a request."""

    def __init__(self, pool: AccountPool, repository: AccountRepository, settings: SettingsService) -> None:
        self._pool = pool
        self._repository = repository
        self._settings = settings
        self._unsaved: set[int] = set()
        self._has_unsaved = asyncio.Event()
        self._changing = asyncio.Lock()

    @asynccontextmanager
    async def lease(
        self, pools: Sequence[Pool], cost: int, excluded: Collection[int] = ()
    ) -> AsyncGenerator[Lease, None]:
        """Lend the account with the most quota left in the first pool that has one.

        The cost is reserved at once and settled when the block ends: kept on success, given back on cancellation.
        An UpstreamError decides by its kind: a rate limit lets the account rest, a refused credential is counted.

        Args:
            pools: In order of preference.
            cost: What the request takes from the quota.
            excluded: Accounts that were tried already.

        Raises:
            NoAccountError: There is none to lend.
        """
        account = self._pool.reserve(pools, cost, excluded)
        if account is None:
            raise NoAccountError(_NO_ACCOUNT, retry_after_s=self._free_in_s(pools))
        try:
            yield Lease(account.id, account.credential)
        except UpstreamError as error:
            self._settle_failure(account.id, error)
            raise
        else:
            if current := self._pool.get(account.id):
                self._pool.trust(account.id)
                self._keep(succeed(current, cost, now_ms()))
        finally:
            self._pool.release(account.id, cost)

    def all(self) -> list[Account]:
        """Every account as it is now, what is not saved yet included."""
        return list(self._pool)

    async def add(self, pool: Pool, pasted: Iterable[str]) -> Added:
        """Add accounts; ones that are there already, in any pool, stay as they are.

        Args:
            pool: Where they belong.
            pasted: Tokens as people paste them, `sso=` and all.
        """
        wanted, skipped = _sort_out(pasted)
        async with self._changing:
            added = await self._repository.add(pool, list(dict.fromkeys(wanted)))
            for account in added:
                self._pool.put(account)
        return Added(len(added), len(wanted) - len(added), skipped)

    async def delete(self, pasted: Iterable[str]) -> int:
        """Forget accounts by their tokens; unknown ones are passed over.

        Returns:
            How many there were.
        """
        wanted, _ = _sort_out(pasted)
        async with self._changing:
            by_token = {account.credential.get_secret_value(): account.id for account in self._pool}
            ids = [by_token[token] for token in dict.fromkeys(wanted) if token in by_token]
            await self._repository.delete(ids)
            for account_id in ids:
                self._pool.remove(account_id)
        return len(ids)

    async def keep_saving(self) -> None:
        """Write changes in batches until cancelled. A failed write is tried again with the next batch."""
        while True:
            await self._has_unsaved.wait()
            await asyncio.sleep(self._settings.snapshot.token.save_delay_ms / 1000)
            try:
                await self.save()
            except Exception:  # one bad batch must not end the saving of all later ones
                log.exception("accounts could not be saved, trying again")

    async def save(self) -> None:
        """Write every change that has not been written yet."""
        batch = {account_id for account_id in self._unsaved if self._pool.get(account_id)}
        self._unsaved.clear()
        self._has_unsaved.clear()
        try:
            if batch:
                await self._repository.save([account for i in batch if (account := self._pool.get(i))])
        except BaseException:
            self._mark(batch)
            raise

    def _settle_failure(self, account_id: int, error: UpstreamError) -> None:
        account = self._pool.get(account_id)
        if account is None:
            return
        now = now_ms()
        if doubt_s := _DOUBT_S.get(error.kind):
            self._pool.doubt(account_id, now + doubt_s * 1000)
        if error.kind is ErrorKind.RATE_LIMITED:
            self._keep(cool_down(account, error.retry_after_s, now))
        elif error.kind is ErrorKind.INVALID_CREDENTIAL:
            self._keep(reject(account, str(error), self._settings.snapshot.token.fail_threshold, now))
        elif error.kind is ErrorKind.BLOCKED_ACCOUNT:
            self._keep(note_failure(account, str(error), now))
        log.info("upstream failed", account_id=account_id, kind=error.kind, status=error.status, reason=str(error))

    def _keep(self, account: Account) -> None:
        self._pool.put(account)
        self._mark({account.id})

    def _mark(self, account_ids: set[int]) -> None:
        self._unsaved |= account_ids
        if self._unsaved:
            self._has_unsaved.set()

    def _free_in_s(self, pools: Sequence[Pool]) -> float | None:
        free_at = self._pool.next_free_ms(pools)
        return None if free_at is None else max(0.0, (free_at - now_ms()) / 1000)


def _sort_out(pasted: Iterable[str]) -> tuple[list[str], list[Skipped]]:
    tokens: list[str] = []
    skipped: list[Skipped] = []
    for text in pasted:
        try:
            tokens.append(normalize(text))
        except InvalidRequestError as error:
            skipped.append(Skipped(mask(text), error.message))
    return tokens, skipped


@asynccontextmanager
async def open_accounts(database: Database, vault: Vault, settings: SettingsService) -> AsyncGenerator[Accounts, None]:
    """The accounts of the database, saved in the background while the block runs and once more at its end."""
    repository = AccountRepository(database, vault)
    accounts = Accounts(AccountPool(await repository.read_all(), now_ms), repository, settings)
    saving = asyncio.create_task(accounts.keep_saving())
    try:
        yield accounts
    finally:
        saving.cancel()
        with suppress(asyncio.CancelledError):
            await saving
        await accounts.save()
