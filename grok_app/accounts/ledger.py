"""The accounts in memory, in step with the database, and with what other processes write there."""

import asyncio
import time
from collections.abc import Collection, Coroutine, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from grok_app.accounts.account import Account, Status
from grok_app.accounts.credential import normalize
from grok_app.accounts.in_turns import in_turns
from grok_app.accounts.live import LiveAccounts
from grok_app.accounts.live_state import Change
from grok_app.accounts.pool import AccountPool
from grok_app.accounts.repository import AccountRepository
from grok_app.db import Notice, unbroken
from grok_app.errors import InvalidRequestError
from grok_app.logs import get_logger
from grok_app.settings import SettingsService

log = get_logger(__name__)
_LOOK_S: Final = 1.0
"""How often we look whether another process has changed accounts."""
_LONG_S: Final = 0.1
"""A writing that takes longer may be overtaken by another process's, which hears of a change within this time."""
_READ_LIMIT_S: Final = 120.0
"""Longest reading of all accounts. Opening a new credential takes 50 µs."""


class Ledger:
    """Every account, in memory and in the database.

    Args:
        pool: The accounts; filled from the repository.
        repository: Where they are kept.
        settings: For the delay of writes.
        notice: Tells other processes of changes, and us of theirs.
        live: What other processes lend and change by requests; None: this one is alone.

    Attributes:
        pool: The accounts in memory.
        writing: Held while the database is written or read anew, so that neither undoes the other.
    """

    def __init__(
        self,
        pool: AccountPool,
        repository: AccountRepository,
        settings: SettingsService,
        notice: Notice,
        live: LiveAccounts | None = None,
    ) -> None:
        self.pool = pool
        self.live = live
        self.writing = asyncio.Lock()
        self._repository = repository
        self._settings = settings
        self._notice = notice
        self._ids = {account.credential.get_secret_value(): account.id for account in pool}
        self._unsaved: set[int] = set()
        self._unsaved_details: set[int] = set()
        self._has_failed = False
        self._has_unsaved = asyncio.Event()

    def find(self, pasted: str) -> Account | None:
        """The account of this token, `sso=` or not."""
        try:
            account_id = self._ids.get(normalize(pasted))
        except InvalidRequestError:
            return None
        return None if account_id is None else self.pool.get(account_id)

    def knows(self, token: str) -> bool:
        """Whether there is an account of this token, as `normalize` makes it."""
        return token in self._ids

    def keep(self, account_id: int, change: Change, *, with_details: bool = False) -> None:
        """Take over what becomes of an account; it is written soon.

        Args:
            account_id: One that was deleted meanwhile stays deleted.
            change: May be applied once more, where another process has changed the account at the same time.
            with_details: Whether something changes that requests never change: pool, tags, note, the last clearing.
        """
        if (account := self.pool.get(account_id)) is None:
            return
        self.pool.put(change(account))
        if self.live:
            self.live.change(account, change)
        self._mark({account_id}, {account_id} if with_details else set())

    def follow(self, before: Account, after: Account, change: Change) -> None:
        """Let memory follow an edit that is written.

        Args:
            before: The account that was edited.
            after: What it was written as.
            change: The edit, for an account that a request has changed meanwhile.
        """
        if self.pool.get(before.id) is not before:
            self.keep(before.id, change)
            return
        self.pool.put(after)
        if self.live:
            self.live.change(before, change)

    @property
    def unsaved(self) -> int:
        """How many accounts have changed since they were written."""
        return len(self._unsaved)

    async def commit(
        self, *, added: Sequence[Account] = (), changed: Sequence[Account] = (), gone: Collection[int] = ()
    ) -> None:
        """Write all of this, or nothing when it fails; then additions and deletions come to memory, too.

        They do so in turns with other work: an account that is being deleted may still be lent meanwhile.

        Raises:
            sqlalchemy.exc.IntegrityError: Another process has added one of them; `reload` knows it.
        """
        stored = await self._repository.change(added=added, changed=changed, deleted=list(gone))
        async for part in in_turns(stored):
            for account in part:
                self._learn(account)
        await self._forget(gone)
        self._notice.announce(is_known=True)

    async def claim(self, account: Account, cost: int) -> str | None:
        """Have an account that was reserved in the pool reserved for all processes; see `LiveAccounts.claim`."""
        return await self.live.claim(account, cost) if self.live else ""

    def give_back(self, account_id: int, cost: int, lease: str) -> None:
        """End what `claim` began."""
        if self.live:
            self.live.end(account_id, lease)
        self.pool.release(account_id, cost)

    async def begin(self) -> None:
        """Learn what other processes know. What one that has ended could not write any more is written here."""
        if self.live:
            self._mark(await self.live.join(), set())

    def works(self) -> list[Coroutine[Any, Any, None]]:
        """What goes on in the background until it is cancelled."""
        return [self._keep_saving(), self._keep_up(), *(self.live.works() if self.live else ())]

    async def end(self) -> None:
        """Tell and write what is left."""
        if self.live:
            await self.live.leave()
        await self.save()

    async def save(self) -> None:
        """Write every change that has not been written yet."""

        async def write() -> None:
            async with self.writing:
                await self._save()

        await unbroken(write())

    async def catch_up(self) -> None:
        """Take over what another process has changed; what our own requests have changed stays."""

        async def read() -> None:
            async with self.writing:
                await self.reload()

        await unbroken(read())

    async def reload(self) -> None:
        """The same for whoever is writing."""
        stored = await self._repository.read_all({account.id: account for account in self.pool})
        async for part in in_turns(stored):
            for account in part:
                self._take_over(account)
        await self._forget({account.id for account in self.pool} - {account.id for account in stored})

    async def _keep_saving(self) -> None:
        """Write changes in batches until cancelled. A failed write is tried again with the next batch."""
        while True:
            await self._has_unsaved.wait()
            await asyncio.sleep(self._settings.snapshot.token.save_delay_ms / 1000)
            was_away = self._has_failed
            try:
                await self.save()
            except Exception:  # the next round tries again; nothing is forgotten meanwhile
                if not was_away:
                    log.exception("accounts could not be saved, trying again")
                await asyncio.sleep(_LOOK_S)
            else:
                if was_away:
                    log.warning("accounts can be saved again")

    async def _keep_up(self) -> None:
        """Take over other processes' changes, and let accounts wake, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_S)
            self.pool.wake_rested()
            try:
                await self._notice.catch_up(self.catch_up, limit_s=_READ_LIMIT_S)
            except Exception:  # one bad look must not end all later ones
                log.exception("accounts could not be read, trying again")

    async def _save(self) -> None:
        batch, details = self._unsaved, self._unsaved_details
        self._unsaved, self._unsaved_details = set(), set()
        self._has_unsaved.clear()
        began_at = time.monotonic()
        accounts = [account for account_id in batch if (account := self.pool.get(account_id))]
        try:
            await self._repository.save([account for account in accounts if account.id not in details])
            await self._repository.change(changed=[account for account in accounts if account.id in details])
            if details:
                self._notice.announce(is_known=True)
        except BaseException:  # cancelled too: what was not saved stays to be saved
            self._mark(batch, details)
            self._has_failed = True
            raise
        if self.live and (self._has_failed or time.monotonic() - began_at > _LONG_S):
            asyncio.get_running_loop().call_later(_LOOK_S, self._mark_changed, accounts)
        self._has_failed = False

    def _mark_changed(self, written: Iterable[Account]) -> None:
        """Write those anew that have changed since: what took long may have undone another process's newer writing."""
        self._mark({account.id for account in written if self.pool.get(account.id) is not account}, ())

    def _take_over(self, stored: Account) -> None:
        current = self.pool.get(stored.id)
        is_newer_here = stored.id in self._unsaved or (self.live is not None and self.live.knows(stored.id))
        if current is None or not is_newer_here:
            if stored != current:
                self._learn(stored)
        elif stored.id not in self._unsaved_details:
            self.pool.put(_merged(current, stored))

    def _learn(self, account: Account) -> None:
        self._ids[account.credential.get_secret_value()] = account.id
        self.pool.put(account)

    async def _forget(self, account_ids: Iterable[int]) -> None:
        async for part in in_turns(account_ids):
            for account_id in part:
                if account := self.pool.get(account_id):
                    del self._ids[account.credential.get_secret_value()]
                    self.pool.remove(account_id)

    def _mark(self, account_ids: Collection[int], with_details: Collection[int]) -> None:
        self._unsaved.update(account_ids)
        self._unsaved_details.update(with_details)
        if self._unsaved:
            self._has_unsaved.set()


def _merged(ours: Account, stored: Account) -> Account:
    """Our account, whose requests are not written yet, with what another process's operator has changed."""
    is_switched = Status.DISABLED in (ours.status, stored.status)
    return replace(
        ours,
        pool=stored.pool,
        tags=stored.tags,
        note=stored.note,
        created_at_ms=stored.created_at_ms,
        last_asset_clear_at_ms=stored.last_asset_clear_at_ms,
        status=stored.status if is_switched else ours.status,
    )
