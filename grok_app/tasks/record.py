"""What is known of a task, and how it is watched: the same where it runs and in every other process.

Outcomes are kept in one log. A watcher only remembers how much of it was seen, so that one who is slow, or is never
heard of again, costs nothing.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from operator import attrgetter
from typing import Any, Final

from grok_app.tasks.types import Ended, Event, ItemFinished, Outcome, Progress, Snapshot, Status


class Record(ABC):
    """A task under way, or what came of it.

    Attributes:
        id: Nobody can guess it.
        kind: As the job says.
        status: Where it stands. A task that was told to cancel is running until the items under way have finished.
        started_at_ms: In Unix milliseconds, by the clock of the process that runs it.
        finished_at_ms: The same; None as long as it is not over.
        error: Why it could not be done, in a sentence; only with the status `error`.
        can_retry: Whether it is over, has failed items, and its work can be done again; once.
    """

    def __init__(self, task_id: str, *, kind: str, total: int, warning: str | None, started_at_ms: int) -> None:
        self.id: Final = task_id
        self.kind: Final = kind
        self.status = Status.RUNNING
        self.started_at_ms: Final = started_at_ms
        self.finished_at_ms: int | None = None
        self.error: str | None = None
        self.can_retry = False
        self._total = total
        self._warning = warning
        self._outcomes: list[Outcome] = []
        self._ok = 0
        self._news = asyncio.Event()

    @abstractmethod
    async def fetch_result(self) -> Any:
        """What `Job.conclude` made; None for a task that is not done.

        Raises:
            OverloadedError: The process that has it doesn't answer.
        """

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.finished_at_ms is not None

    def progress(self) -> Progress:
        """How far it has come."""
        return self._progress(len(self._outcomes), self._ok)

    def failures(self) -> list[Outcome]:
        """The items that have failed so far, in their order."""
        return sorted((outcome for outcome in self._outcomes if not outcome.is_ok), key=attrgetter("index"))

    async def watch(self) -> AsyncGenerator[Event, None]:
        """A snapshot of now, each item that finishes from then on, in the order of finishing, and the end.

        Nothing is left out, however slowly the events are taken.

        Raises:
            OverloadedError: It is done, but the process that has its result doesn't answer.
        """
        seen, ok = len(self._outcomes), self._ok
        yield Snapshot(self._progress(seen, ok))
        while True:
            while seen < len(self._outcomes):
                outcome = self._outcomes[seen]
                seen, ok = seen + 1, ok + outcome.is_ok
                yield ItemFinished(self._progress(seen, ok), outcome)
            if self.is_over:
                break
            await self._news.wait()
        yield Ended(self.progress(), await self.fetch_result(), self.error)

    def _add(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        self._ok += outcome.is_ok

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _progress(self, processed: int, ok: int) -> Progress:
        return Progress(self.id, self.status, self._total, processed, ok, processed - ok, self._warning)
