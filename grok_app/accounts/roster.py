"""The accounts as their operator owns them: listed, added, edited, replaced and deleted."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError

from grok_app.accounts.account import Account, Status, note_failure, reject
from grok_app.accounts.in_turns import in_turns
from grok_app.accounts.ledger import Ledger
from grok_app.accounts.listing import Changed, Listing, Wanted, changes, read_items
from grok_app.accounts.live import LiveAccounts
from grok_app.accounts.pool import AccountPool
from grok_app.accounts.repository import AccountRepository
from grok_app.catalog import Pool
from grok_app.db import Database, Notice, Vault, is_collision, now_ms, unbroken
from grok_app.errors import NotFoundError
from grok_app.settings import SettingsService
from grok_app.shared import Shared
from grok_app.upstream import ErrorKind, UpstreamError

ResultT = TypeVar("ResultT")


class Roster:
    """Every account. What operators change is written at once, all of it or nothing; what requests change soon after.

    Args:
        ledger: Keeps them.
        settings: For the number of refusals that expire an account.
    """

    def __init__(self, ledger: Ledger, settings: SettingsService) -> None:
        self.pool = ledger.pool
        self.find = ledger.find
        self.knows = ledger.knows
        self.keep = ledger.keep
        self.claim = ledger.claim
        self.give_back = ledger.give_back
        self.save = ledger.save
        self.catch_up = ledger.catch_up
        self._ledger = ledger
        self._settings = settings

    def all(self) -> list[Account]:
        """Every account as it is now, what is not saved yet included."""
        self.pool.wake_rested()
        return list(self.pool)

    @property
    def unsaved(self) -> int:
        """How many accounts have changed since they were written."""
        return self._ledger.unsaved

    def chosen(self, account_ids: Iterable[int]) -> list[Account]:
        """Those of these accounts that are there, oldest first."""
        return [account for account_id in sorted(set(account_ids)) if (account := self.pool.get(account_id))]

    async def add(self, items: Mapping[Pool, Sequence[object]]) -> Changed:
        """Add accounts; ones that are there already, in any pool, stay as they are.

        Args:
            items: By pool; tokens as people paste them, or objects with the fields of a `Record`.
        """
        listing = await asyncio.to_thread(read_items, items)
        return await self._write(lambda: self._add(listing))

    async def replace(self, items: Mapping[Pool, Sequence[object]]) -> Changed:
        """Let these be all the accounts, in one transaction. A pool that is left out is emptied.

        An account whose item has a mistake is skipped and stays as it is. Fields that are not given keep their
        values; what requests have changed meanwhile is not lost.
        """
        listing = await asyncio.to_thread(read_items, items)
        return await self._write(lambda: self._replace(listing))

    async def amend(self, pasted: str, given: Mapping[str, Any], pool: Pool | None = None) -> Account:
        """Change fields of one account, see `Record`, and perhaps its pool.

        Raises:
            NotFoundError: There is no such account.
        """
        return await self._write(lambda: self._edit_one(self.find(pasted), given, pool))

    async def edit(self, account_id: int, given: Mapping[str, Any], pool: Pool | None = None) -> Account:
        """The same for the account with this id.

        Raises:
            NotFoundError: It is gone.
        """
        return await self._write(lambda: self._edit_one(self.pool.get(account_id), given, pool))

    async def disable(self, account_ids: Iterable[int]) -> int:
        """Let none of these accounts serve until they are enabled, in one transaction.

        Returns:
            How many could be asked before.
        """
        return await self._switch(account_ids, Status.DISABLED)

    async def enable(self, account_ids: Iterable[int]) -> int:
        """Let those of these accounts serve again that are disabled, in one transaction.

        Returns:
            How many were.
        """
        return await self._switch(account_ids, Status.ACTIVE)

    async def delete(self, pasted: Iterable[str]) -> int:
        """Forget accounts by their tokens; unknown ones are passed over.

        Returns:
            How many there were.
        """
        tokens = list(pasted)
        return await self._write(lambda: self._delete({it.id for token in tokens if (it := self.find(token))}))

    async def remove(self, account_ids: Iterable[int]) -> int:
        """Forget accounts by their ids, in one transaction.

        Returns:
            How many there were.
        """
        wanted = set(account_ids)
        return await self._write(lambda: self._delete({account.id for account in self.chosen(wanted)}))

    def blame(self, account_id: int, error: UpstreamError) -> None:
        """Note a failure that may be the account's own fault: a refused credential is counted, a block remembered."""
        reason, threshold, now = str(error), self._settings.snapshot.token.fail_threshold, now_ms()
        if error.kind is ErrorKind.INVALID_CREDENTIAL:
            self.keep(account_id, lambda account: reject(account, reason, threshold, now))
        elif error.kind is ErrorKind.BLOCKED_ACCOUNT:
            self.keep(account_id, lambda account: note_failure(account, reason, now))

    def tag(self, account_id: int, tag: str) -> None:
        """Give the account a tag, unless it has it; it is written soon."""
        account = self.pool.get(account_id)
        if account is not None and tag not in account.tags:
            self.keep(account_id, lambda it: replace(it, tags=(*it.tags, tag)), with_details=True)

    def note_asset_clear(self, account_id: int) -> None:
        """Remember that what Grok keeps for the account was deleted just now; it is written soon."""
        now = now_ms()
        self.keep(account_id, lambda account: replace(account, last_asset_clear_at_ms=now), with_details=True)

    async def _write(self, work: Callable[[], Coroutine[Any, Any, ResultT]]) -> ResultT:
        """Do this alone and to its end; once more when another process has written the same accounts meanwhile."""

        async def write() -> ResultT:
            async with self._ledger.writing:
                try:
                    return await work()
                except DBAPIError as error:
                    if not is_collision(error):
                        raise
                    await self._ledger.reload()
                    return await work()

        return await unbroken(write())

    async def _add(self, listing: Listing) -> Changed:
        new = self._new_ones(listing)
        await self._edit({}, new)
        result = listing.result
        return replace(result, added=len(new), duplicates=result.duplicates + len(listing.wanted) - len(new))

    async def _replace(self, listing: Listing) -> Changed:
        edits = {account.id: item for token, item in listing.wanted.items() if (account := self.find(token))}
        new = self._new_ones(listing)
        spared = {account.id for token in listing.spared if (account := self.find(token))}
        gone = {account.id for account in self.pool} - edits.keys() - spared
        updated = await self._edit(edits, new, gone)
        return replace(listing.result, added=len(new), updated=updated, deleted=len(gone))

    async def _edit_one(self, account: Account | None, given: Mapping[str, Any], pool: Pool | None) -> Account:
        if account is None:
            raise NotFoundError("There is no account with this token", code="token_not_found")
        await self._edit({account.id: Wanted(pool or account.pool, given)})
        return self.pool.get(account.id) or account

    async def _switch(self, account_ids: Iterable[int], status: Status) -> int:
        wanted = set(account_ids)

        async def switch() -> int:
            is_off = status is Status.ACTIVE
            those = (account for account in self.chosen(wanted) if (account.status is Status.DISABLED) is is_off)
            return await self._edit({account.id: Wanted(account.pool, {"status": status}) for account in those})

        return await self._write(switch)

    async def _delete(self, gone: Collection[int]) -> int:
        await self._ledger.commit(gone=gone)
        return len(gone)

    def _new_ones(self, listing: Listing) -> dict[str, Wanted]:
        return {token: item for token, item in listing.wanted.items() if not self.knows(token)}

    async def _edit(
        self, edits: Mapping[int, Wanted], new: Mapping[str, Wanted] | None = None, gone: Collection[int] = ()
    ) -> int:
        """Write edits, additions and deletions together, then let memory follow.

        Returns:
            How many edits changed something.
        """
        now = now_ms()
        before = {account_id: account for account_id in edits if (account := self.pool.get(account_id))}
        changed = await asyncio.to_thread(changes, before, edits, now)
        added = await asyncio.to_thread(lambda: [item.made(token, now) for token, item in (new or {}).items()])
        await self._ledger.commit(added=added, changed=list(changed.values()), gone=gone)
        async for part in in_turns(changed.items()):
            for account_id, account in part:
                self._ledger.follow(before[account_id], account, partial(edits[account_id].applied_to, now_ms=now))
        return len(changed)


@asynccontextmanager
async def open_roster(
    database: Database, vault: Vault, settings: SettingsService, notice: Notice, shared: Shared | None = None
) -> AsyncGenerator[Roster, None]:
    """The accounts of the database, written in the background while the block runs and once more at its end.

    Args:
        database: Where they are.
        vault: Opens their credentials.
        settings: For the rules.
        notice: Tells of what operators change.
        shared: Tells of what requests change, where several processes lend the accounts.
    """

    def most_inflight() -> int:
        return settings.snapshot.token.max_inflight

    repository = AccountRepository(database, vault)
    pool = AccountPool(await repository.read_all(), now_ms, most_inflight)
    live = LiveAccounts(pool, shared, most_inflight) if shared else None
    ledger = Ledger(pool, repository, settings, notice, live)
    await ledger.begin()
    background = [asyncio.create_task(work) for work in ledger.works()]
    try:
        yield Roster(ledger, settings)
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await ledger.end()
