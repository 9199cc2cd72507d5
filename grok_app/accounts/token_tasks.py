"""Tasks whose items are accounts, named by their tokens."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from grok_app.accounts.account import Account
from grok_app.accounts.credential import mask
from grok_app.accounts.roster import Roster
from grok_app.tasks import ItemFailedError, Job, Outcome, Task, Tasks

_UNKNOWN: Final = "There is no account with this token"


@dataclass(frozen=True, slots=True)
class Pace:
    """How many accounts are worked on."""

    concurrent: int
    """At once."""
    batch_size: int
    """In a batch, which ends before the next one begins."""


class TokenTasks:
    """Starts tasks over accounts. Tokens are taken as they are pasted; an unknown one is a failed item.

    Args:
        roster: The accounts.
        tasks: What runs them.
    """

    def __init__(self, roster: Roster, tasks: Tasks) -> None:
        self._roster = roster
        self._tasks = tasks

    def start(
        self,
        kind: str,
        tokens: Sequence[str],
        work: Callable[[Account], Awaitable[object]],
        conclude: Callable[[Sequence[str], Sequence[Outcome]], object],
        pace: Pace,
    ) -> Task:
        """Begin, and return at once. Those that failed can be tried again, see `Task.retry_failed`.

        Args:
            kind: As of a `Job`.
            tokens: The accounts.
            work: Does one account; see `Job` for what it may raise.
            conclude: Makes the result, of the tokens and of what came of each.
            pace: How many accounts at once.

        Raises:
            OverloadedError: Too many tasks are under way.
        """

        async def work_on(token: str) -> object:
            account = self._roster.find(token)
            if account is None:
                raise ItemFailedError(_UNKNOWN)
            return await work(account)

        return self._tasks.start(
            Job(
                kind=kind,
                items=tokens,
                work=work_on,
                name=mask,
                concurrent=pace.concurrent,
                batch_size=pace.batch_size,
                conclude=lambda outcomes: conclude(tokens, outcomes),
                again=lambda failed: self.start(kind, failed, work, conclude, pace),
            )
        )


def summed_up(outcomes: Sequence[Outcome], results: Mapping[str, Any]) -> dict[str, Any]:
    """What tasks over accounts result in: how many went well, and what came of each."""
    ok = sum(outcome.is_ok for outcome in outcomes)
    summary = {"total": len(outcomes), "ok": ok, "fail": len(outcomes) - ok}
    return {"status": "success", "summary": summary, "results": results}
