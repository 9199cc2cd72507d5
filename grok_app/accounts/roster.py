"""The accounts as their operator owns them: listed, added, edited, replaced, deleted, and written down."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

from sqlalchemy.exc import IntegrityError

from grok_app.accounts.account import Account, Status, note_failure, reject
from grok_app.accounts.credential import normalize
from grok_app.accounts.listing import Changed, Listing, Wanted, changes, read_items
from grok_app.accounts.pool import AccountPool
from grok_app.accounts.repository import AccountRepository
from grok_app.catalog import Pool
from grok_app.db import Database, Notice, Vault, now_ms
from grok_app.errors import InvalidRequestError, NotFoundError
from grok_app.logs import get_logger
from grok_app.settings import SettingsService
from grok_app.upstream import ErrorKind, UpstreamError

log = get_logger(__name__)
_LOOK_S: Final = 1.0
"""How often we look whether another process has changed accounts."""


class Roster:
    """Every account, in memory and in the database.

    What requests change is written soon after; what operators change is written at once, all of it or nothing.

    Args:
        pool: The accounts; filled from the repository.
        repository: Where they are kept.
        settings: For the delay of writes.
        notice: Tells other processes of changes, and us of theirs.
    """

    def __init__(
        self, pool: AccountPool, repository: AccountRepository, settings: SettingsService, notice: Notice
    ) -> None:
        self.pool = pool
        self._repository = repository
        self._settings = settings
        self._notice = notice
        self._ids = {account.credential.get_secret_value(): account.id for account in pool}
        self._unsaved: set[int] = set()
        self._unsaved_details: set[int] = set()
        self._has_unsaved = asyncio.Event()
        self._writing = asyncio.Lock()

    def all(self) -> list[Account]:
        """Every account as it is now, what is not saved yet included."""
        return list(self.pool)

    def find(self, pasted: str) -> Account | None:
        """The account of this token, `sso=` or not."""
        try:
            account_id = self._ids.get(normalize(pasted))
        except InvalidRequestError:
            return None
        return None if account_id is None else self.pool.get(account_id)

    async def add(self, items: Mapping[Pool, Sequence[object]]) -> Changed:
        """Add accounts; ones that are there already, in any pool, stay as they are.

        Args:
            items: By pool; tokens as people paste them, or objects with the fields of a `Record`.
        """
        listing = await asyncio.to_thread(read_items, items)
        async with self._writing:
            await self._until_no_other_process_interferes(lambda: self._add(listing))
        return listing.result

    async def replace(self, items: Mapping[Pool, Sequence[object]]) -> Changed:
        """Let these be all the accounts, in one transaction. A pool that is left out is emptied.

        An account whose item has a mistake is skipped and stays as it is. Fields that are not given keep their
        values; what requests have counted meanwhile is not lost.
        """
        listing = await asyncio.to_thread(read_items, items)
        async with self._writing:
            await self._until_no_other_process_interferes(lambda: self._replace(listing))
        return listing.result

    async def amend(self, pasted: str, given: Mapping[str, Any], pool: Pool | None = None) -> Account:
        """Change fields of one account, see `Record`, and perhaps its pool.

        Raises:
            NotFoundError: There is no such account.
        """
        account = self.find(pasted)
        if account is None:
            raise NotFoundError("There is no account with this token", code="token_not_found")
        async with self._writing:
            await self._edit({account.id: Wanted(pool or account.pool, given)})
        current = self.pool.get(account.id)
        if current is None:
            raise NotFoundError("The account was deleted meanwhile", code="token_not_found")
        return current

    async def delete(self, pasted: Iterable[str]) -> int:
        """Forget accounts by their tokens; unknown ones are passed over.

        Returns:
            How many there were.
        """
        async with self._writing:
            gone = {account.id for token in pasted if (account := self.find(token))}
            await self._repository.change(deleted=list(gone))
            self._forget(gone)
            self._notice.announce(is_known=True)
        return len(gone)

    def keep(self, account: Account) -> None:
        """Take over what became of an account; it is written soon."""
        if self.pool.get(account.id) is not None:
            self.pool.put(account)
            self._mark({account.id})

    def blame(self, account_id: int, error: UpstreamError) -> None:
        """Note a failure that may be the account's own fault: a refused credential is counted, a block remembered."""
        account = self.pool.get(account_id)
        if account is None:
            return
        if error.kind is ErrorKind.INVALID_CREDENTIAL:
            self.keep(reject(account, str(error), self._settings.snapshot.token.fail_threshold, now_ms()))
        elif error.kind is ErrorKind.BLOCKED_ACCOUNT:
            self.keep(note_failure(account, str(error), now_ms()))

    def tag(self, account_id: int, tag: str) -> None:
        """Give the account a tag, unless it has it; it is written soon."""
        account = self.pool.get(account_id)
        if account is not None and tag not in account.tags:
            self._unsaved_details.add(account_id)
            self.keep(replace(account, tags=(*account.tags, tag)))

    async def save(self) -> None:
        """Write every change that has not been written yet."""
        async with self._writing:
            await self._save()

    async def catch_up(self) -> None:
        """Take over what another process has changed; what our own requests have changed stays."""
        async with self._writing:
            await self._reload()

    async def keep_saving(self) -> None:
        """Write changes in batches until cancelled. A failed write is tried again with the next batch."""
        while True:
            await self._has_unsaved.wait()
            await asyncio.sleep(self._settings.snapshot.token.save_delay_ms / 1000)
            await _log_failure(self.save(), "accounts could not be saved, trying again")

    async def keep_up(self) -> None:
        """Take over other processes' changes until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_S)
            await self._notice.catch_up(self.catch_up)

    async def _until_no_other_process_interferes(self, work: Callable[[], Any]) -> None:
        try:
            await work()
        except IntegrityError:  # another process has added one of them
            await self._reload()
            await work()

    async def _add(self, listing: Listing) -> None:
        new = self._new_ones(listing)
        await self._edit({}, new)
        listing.result.added = len(new)
        listing.result.duplicates += len(listing.wanted) - len(new)

    async def _replace(self, listing: Listing) -> None:
        edits = {self._ids[token]: item for token, item in listing.wanted.items() if token in self._ids}
        new = self._new_ones(listing)
        spared = {account.id for token in listing.spared if (account := self.find(token))}
        gone = set(self._ids.values()) - edits.keys() - spared
        listing.result.updated = await self._edit(edits, new, gone)
        listing.result.added, listing.result.deleted = len(new), len(gone)

    def _new_ones(self, listing: Listing) -> dict[str, Wanted]:
        return {token: item for token, item in listing.wanted.items() if token not in self._ids}

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
        stored = await self._repository.change(added=added, changed=list(changed.values()), deleted=list(gone))
        for account_id in changed:
            self._follow(before[account_id], edits[account_id], now)
        for account in stored:
            self._ids[account.credential.get_secret_value()] = account.id
            self.pool.put(account)
        self._forget(gone)
        self._notice.announce(is_known=True)
        return len(changed)

    def _follow(self, before: Account, edit: Wanted, now: int) -> None:
        """Edit the account in memory, where a request may have changed it while the edit was written."""
        current = self.pool.get(before.id)
        if current is None:
            return
        self.pool.put(edit.applied_to(current, now))
        if current is not before:
            self._mark({before.id})

    async def _save(self) -> None:
        batch, details = self._unsaved, self._unsaved_details
        self._unsaved, self._unsaved_details = set(), set()
        self._has_unsaved.clear()
        accounts = [account for i in batch if (account := self.pool.get(i))]
        try:
            await self._repository.save([account for account in accounts if account.id not in details])
            await self._repository.change(changed=[account for account in accounts if account.id in details])
        except BaseException:
            self._unsaved_details |= details
            self._mark(batch)
            raise

    async def _reload(self) -> None:
        stored = await self._repository.read_all({account.id: account for account in self.pool})
        for account in stored:
            current = self.pool.get(account.id)
            self._ids[account.credential.get_secret_value()] = account.id
            if current is None or account.id not in self._unsaved:
                self.pool.put(account)
            elif account.id not in self._unsaved_details:
                self.pool.put(_merged(current, account))
        self._forget({account.id for account in self.pool} - {account.id for account in stored})

    def _forget(self, account_ids: Collection[int]) -> None:
        for account_id in account_ids:
            if account := self.pool.get(account_id):
                del self._ids[account.credential.get_secret_value()]
                self.pool.remove(account_id)

    def _mark(self, account_ids: set[int]) -> None:
        self._unsaved |= account_ids
        if self._unsaved:
            self._has_unsaved.set()


@asynccontextmanager
async def open_roster(
    database: Database, vault: Vault, settings: SettingsService, notice: Notice
) -> AsyncGenerator[Roster, None]:
    """The accounts of the database, written in the background while the block runs and once more at its end."""
    repository = AccountRepository(database, vault)
    pool = AccountPool(await repository.read_all(), now_ms, lambda: settings.snapshot.token.max_inflight)
    roster = Roster(pool, repository, settings, notice)
    background = [asyncio.create_task(roster.keep_saving()), asyncio.create_task(roster.keep_up())]
    try:
        yield roster
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await roster.save()


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


async def _log_failure(work: Awaitable[None], message: str) -> None:
    try:
        await work
    except Exception:  # the next round tries again; nothing is forgotten meanwhile
        log.exception(message)
