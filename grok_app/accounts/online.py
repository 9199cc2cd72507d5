"""What Grok keeps for accounts, counted and cleared. Source: API contract, section 10; protocol notes, section 3.5."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from typing import Any, Final

from grok_app.accounts.account import Account
from grok_app.accounts.online_counts import OnlineCounts
from grok_app.accounts.roster import Roster
from grok_app.accounts.service import Accounts
from grok_app.accounts.token_tasks import Pace, TokenTasks, summed_up
from grok_app.catalog import Pool
from grok_app.errors import NotFoundError
from grok_app.logs import get_logger
from grok_app.settings import SettingsService
from grok_app.tasks import ItemFailedError, Outcome, Task, Tasks
from grok_app.upstream import ErrorKind, MediaUpstream, UpstreamError

log = get_logger(__name__)
_HOPELESS: Final = (
    ErrorKind.INVALID_CREDENTIAL,
    ErrorKind.BLOCKED_ACCOUNT,
    ErrorKind.ANTI_BOT,
    ErrorKind.RATE_LIMITED,
)
"""After such a failure the other files of the account would meet the same."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many files Grok keeps for an account."""

    token: str
    """As it was given."""
    count: int
    error: str | None
    """Why it could not be counted, in a sentence."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """What came of the files of an account."""

    total: int
    success: int
    failed: int
    """What could not be deleted, or was not tried after a failure that would have met it too."""


class OnlineFiles:
    """Counts and clears what Grok keeps for accounts, as tasks.

    Args:
        roster: The accounts.
        accounts: Picks one when none is named.
        upstream: Where the files are.
        tasks: What runs them.
        settings: How many accounts, and how many deletions, at once.

    Attributes:
        counts: What counting and clearing told last, by account.
    """

    def __init__(
        self, roster: Roster, accounts: Accounts, upstream: MediaUpstream, tasks: Tasks, settings: SettingsService
    ) -> None:
        self._roster = roster
        self._accounts = accounts
        self._upstream = upstream
        self._tasks = TokenTasks(roster, tasks)
        self._settings = settings
        self.counts = OnlineCounts(roster.pool)
        self._deletions_at_once = 0
        self._deletions = asyncio.Semaphore(0)

    def start_count(self, tokens: Sequence[str], conclude: Callable[[Sequence[Counted]], object]) -> Task:
        """Count the files of these accounts.

        Args:
            tokens: As they are pasted; an unknown one can't be counted.
            conclude: Makes the task's result.

        Raises:
            OverloadedError: Too many tasks are under way.
        """

        def conclude_all(asked: Sequence[str], outcomes: Sequence[Outcome]) -> object:
            return conclude([Counted(asked[it.index], it.value or 0, it.reason) for it in outcomes])

        limits = self._settings.snapshot.asset
        pace = Pace(limits.list_concurrent, limits.list_batch_size)
        return self._tasks.start("online_load", tokens, self._count, conclude_all, pace)

    def start_count_of(self, account_ids: Iterable[int]) -> Task:
        """Count the files of these accounts. The result says how many could be counted, and `counts` the rest of it.

        Raises:
            NotFoundError: None of them is there any more.
            OverloadedError: Too many tasks are under way.
        """
        return self.start_count(self._tokens(account_ids), _summary)

    def start_clear(self, tokens: Sequence[str]) -> Task:
        """Delete all files of these accounts.

        The result has `status`, a `summary`, and under `results`, by token, a `status` with either the `result`, a
        `Cleared`, or the `error`.

        Raises:
            OverloadedError: Too many tasks are under way.
        """
        limits = self._settings.snapshot.asset
        pace = Pace(limits.list_concurrent, limits.delete_batch_size)
        return self._tasks.start("online_clear", tokens, self._clear, _told_by_token, pace)

    def start_clear_of(self, account_ids: Iterable[int]) -> Task:
        """Delete all files of these accounts, as `start_clear` does.

        Raises:
            NotFoundError: None of them is there any more.
            OverloadedError: Too many tasks are under way.
        """
        return self.start_clear(self._tokens(account_ids))

    async def clear(self, token: str | None) -> dict[str, Any]:
        """Delete all files of one account, and tell it as `start_clear` does; None: of one that could serve now.

        Raises:
            NoAccountError: None was named, and none can serve.
            OverloadedError: Too many tasks are under way, or the server stops.
        """
        if token is None:
            token = (await self._accounts.pick(list(Pool))).credential.get_secret_value()
        result = await self.start_clear([token]).wait()
        told: dict[str, Any] = result["results"][token]
        return told

    def _tokens(self, account_ids: Iterable[int]) -> list[str]:
        tokens = [account.credential.get_secret_value() for account in self._roster.chosen(account_ids)]
        if not tokens:
            raise NotFoundError("These accounts are not there any more")
        return tokens

    async def _count(self, account: Account) -> int:
        sizes = await self._list(account)
        self.counts.note(account.id, sizes)
        return len(sizes)

    async def _list(self, account: Account) -> dict[str, int]:
        """The sizes of the account's files by their ids, each once: pages that overlap tell some again."""
        try:
            async with aclosing(self._upstream.assets(account.credential.get_secret_value())) as assets:
                return {asset.id: asset.size_bytes async for asset in assets}
        except UpstreamError as error:
            self._blame(account, error)
            self.counts.note_failure(account.id, str(error))
            raise ItemFailedError(str(error)) from error

    async def _clear(self, account: Account) -> Cleared:
        sizes = await self._list(account)  # to its end before anything goes: deletions shift the pages
        deleted = await self._delete(account, sizes)
        if deleted or not sizes:
            self._roster.note_asset_clear(account.id)
        self.counts.note(account.id, {asset_id: size for asset_id, size in sizes.items() if asset_id not in deleted})
        return Cleared(len(sizes), len(deleted), len(sizes) - len(deleted))

    async def _delete(self, account: Account, asset_ids: Collection[str]) -> set[str]:
        """Delete these files, side by side; returns those that are gone."""
        credential = account.credential.get_secret_value()
        slots, waiting = self._slots(), list(asset_ids)
        deleted: set[str] = set()
        failures: dict[ErrorKind, UpstreamError] = {}

        async def delete_next() -> None:
            asset_id = waiting.pop()
            try:
                await self._upstream.delete_asset(credential, asset_id)
                deleted.add(asset_id)
            except UpstreamError as error:
                failures[error.kind] = error
                if error.kind in _HOPELESS:
                    waiting.clear()

        async def delete_all() -> None:
            while waiting:
                async with slots:
                    if waiting:
                        await delete_next()

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._deletions_at_once, len(waiting))):
                group.create_task(delete_all())
        for failure in failures.values():  # each kind once: one refused credential is one failure, not one per file
            self._blame(account, failure)
        return deleted

    def _slots(self) -> asyncio.Semaphore:
        """Shared by the deletions of all accounts; a changed setting holds for the accounts that begin from then on."""
        limit = self._settings.snapshot.asset.delete_concurrent
        if limit != self._deletions_at_once:
            self._deletions_at_once, self._deletions = limit, asyncio.Semaphore(limit)
        return self._deletions

    def _blame(self, account: Account, error: UpstreamError) -> None:
        self._roster.blame(account.id, error)
        log.info("grok's files refused", account_id=account.id, kind=error.kind, status=error.status, reason=str(error))


def _summary(counted: Sequence[Counted]) -> dict[str, Any]:
    ok = sum(one.error is None for one in counted)
    return {"status": "success", "summary": {"total": len(counted), "ok": ok, "fail": len(counted) - ok}}


def _told_by_token(tokens: Sequence[str], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return summed_up(outcomes, {tokens[outcome.index]: _told(outcome) for outcome in outcomes})


def _told(outcome: Outcome) -> dict[str, Any]:
    if not outcome.is_ok:
        return {"status": "error", "error": outcome.reason}
    return {"status": "success", "result": asdict(outcome.value)}
