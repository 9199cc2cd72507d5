"""What is done with many accounts at once, as tasks that anyone can watch."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from grok_app.accounts.account import Account
from grok_app.accounts.adult_content import TAG, StepFailedError, Switched, switch_on
from grok_app.accounts.refresh import Refresher
from grok_app.accounts.roster import Roster
from grok_app.accounts.token_tasks import Pace, TokenTasks, summed_up
from grok_app.settings import SettingsService
from grok_app.tasks import ItemFailedError, Outcome, Task, Tasks
from grok_app.upstream import Upstream, UpstreamError


class AccountJobs:
    """Starts tasks over accounts. Tokens are taken as they are pasted; an unknown one is a failed item.

    Args:
        roster: The accounts.
        refresher: Asks for one account's quota.
        upstream: Where accounts are set up.
        tasks: What runs them.
        settings: How many accounts at once.
    """

    def __init__(
        self, roster: Roster, refresher: Refresher, upstream: Upstream, tasks: Tasks, settings: SettingsService
    ) -> None:
        self._roster = roster
        self._refresher = refresher
        self._upstream = upstream
        self._tasks = TokenTasks(roster, tasks)
        self._settings = settings

    def start_refresh(self, tokens: Sequence[str]) -> Task:
        """Ask Grok for the quotas of these accounts.

        The result has `status`, a `summary`, under `results` whether it was told, by token, and under `errors` why not.

        Raises:
            OverloadedError: Too many tasks are under way.
        """

        async def refresh(account: Account) -> bool:
            try:
                await self._refresher.refresh(account.id)
            except UpstreamError as error:
                raise ItemFailedError(str(error)) from error
            return True

        def conclude(asked: Sequence[str], outcomes: Sequence[Outcome]) -> dict[str, Any]:
            results = {asked[outcome.index]: outcome.is_ok for outcome in outcomes}
            errors = {asked[outcome.index]: outcome.reason for outcome in outcomes if not outcome.is_ok}
            return {**summed_up(outcomes, results), "errors": errors}

        limits = self._settings.snapshot.usage
        pace = Pace(limits.concurrent, limits.batch_size)
        return self._tasks.start("refresh", tokens, refresh, conclude, pace)

    def start_adult_content(self, tokens: Sequence[str], birth_date: date) -> Task:
        """Switch the adult content of these accounts on; those where it is on get the tag `nsfw`.

        The result has `status`, a `summary` and under `results` a `Switched` each, by masked token.

        Raises:
            OverloadedError: Too many tasks are under way.
        """

        async def switch(account: Account) -> Switched:
            try:
                switched = await switch_on(self._upstream, account.credential.get_secret_value(), birth_date)
            except StepFailedError as failed:
                self._roster.blame(account.id, failed.cause)
                raise ItemFailedError(str(failed), value=failed.result) from failed
            self._roster.tag(account.id, TAG)
            return switched

        def conclude(_asked: Sequence[str], outcomes: Sequence[Outcome]) -> dict[str, Any]:
            return summed_up(outcomes, _by_masked_name(outcomes))

        limits = self._settings.snapshot.nsfw
        pace = Pace(limits.concurrent, limits.batch_size)
        return self._tasks.start("nsfw", tokens, switch, conclude, pace)


def _by_masked_name(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Each result under its masked token; where two look alike, the later ones are numbered."""
    results: dict[str, Any] = {}
    seen: dict[str, int] = {}
    for outcome in outcomes:
        seen[outcome.item] = number = seen.get(outcome.item, 0) + 1
        name = outcome.item if number == 1 else f"{outcome.item} ({number})"
        results[name] = asdict(outcome.value or Switched(False, None, None, None, outcome.reason))
    return results
