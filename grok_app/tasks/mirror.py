"""A task that another process runs, and the form in which processes tell each other of tasks."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from grok_app.tasks.record import Record
from grok_app.tasks.task import Task
from grok_app.tasks.types import Outcome, Status

_GONE: Final = "The process that did this has ended."
_NEVER: Final = -1

TaskNews = tuple[int, "State", list[Outcome]]
"""The place of the first outcome, where the task stands after all of them, and the outcomes without their values."""


@dataclass(frozen=True, slots=True)
class State:
    """Where a task stands, and what it is."""

    owner: str
    """The process that runs it."""
    id: str
    kind: str
    total: int
    warning: str | None
    started_at_ms: int
    version: int
    """Grows with every change."""
    count: int
    """Outcomes so far."""
    status: Status
    finished_at_ms: int | None
    error: str | None
    can_retry: bool
    has_result: bool


def state_of(task: Task, owner: str) -> State:
    """Where a task of this process stands now."""
    progress = task.progress()
    return State(
        owner=owner,
        id=task.id,
        kind=task.kind,
        total=progress.total,
        warning=progress.warning,
        started_at_ms=task.started_at_ms,
        version=task.version,
        count=progress.processed,
        status=task.status,
        finished_at_ms=task.finished_at_ms,
        error=task.error,
        can_retry=task.can_retry,
        has_result=task.has_result,
    )


def write_state(state: State) -> bytes:
    """A state as JSON."""
    return orjson.dumps(state)


def read_state(data: bytes) -> State:
    """What `write_state` wrote."""
    return _state(orjson.loads(data))


def write_outcome(outcome: Outcome) -> bytes:
    """An outcome as JSON, without its value, which nobody but the job needs."""
    return orjson.dumps((outcome.index, outcome.item, outcome.reason))


def read_outcome(data: bytes) -> Outcome:
    """What `write_outcome` wrote."""
    return _outcome(orjson.loads(data))


def write_news(first: int, state: bytes, outcomes: Sequence[bytes]) -> bytes:
    """What a process tells all others, of parts that are written already."""
    return b"[%d,%b,[%b]]" % (first, state, b",".join(outcomes))


def read_news(data: bytes) -> TaskNews:
    """What `write_news` wrote."""
    first, state, outcomes = orjson.loads(data)
    return first, _state(state), [_outcome(outcome) for outcome in outcomes]


def _state(fields: dict[str, Any]) -> State:
    return State(**{**fields, "status": Status(fields["status"])})


def _outcome(parts: Sequence[Any]) -> Outcome:
    index, item, reason = parts
    return Outcome(index, item, reason, None)


class Mirror(Record):
    """A task of another process, as far as that has told of it.

    Args:
        state: Says which task it is.
        fetch_result: Gets the result of such a task from its process.

    Attributes:
        owner: The process that runs it.
        is_lost: Whether that process has ended without telling an end of the task.
    """

    def __init__(self, state: State, fetch_result: "Callable[[Mirror], Coroutine[Any, Any, Any]]") -> None:
        super().__init__(
            state.id, kind=state.kind, total=state.total, warning=state.warning, started_at_ms=state.started_at_ms
        )
        self.owner: Final = state.owner
        self.is_lost = False
        self._fetch_result = fetch_result
        self._version = _NEVER
        self._has_result = False

    async def fetch_result(self) -> Any:
        """What `Job.conclude` made, asked of the process that has it; None for a task that is not done.

        Raises:
            OverloadedError: It doesn't answer.
        """
        return await self._fetch_result(self) if self._has_result else None

    @property
    def count(self) -> int:
        """How many outcomes are known here."""
        return len(self._outcomes)

    def take(self, first: int, state: State, outcomes: Sequence[Outcome]) -> bool:
        """Note what its process has told; what is known already, or overtaken, changes nothing.

        Returns:
            Whether no outcome is missing between those that were known and these.
        """
        if first > self.count:
            return False
        for outcome in outcomes[self.count - first :]:
            self._add(outcome)
        if state.count <= self.count and state.version > self._version:
            self._stand(state)
        self._tell()
        return True

    def lose(self, at_ms: int) -> None:
        """Its process has ended: so has the task, unless the process turns up again."""
        self.is_lost, self._version = True, _NEVER
        self.status, self.error, self.finished_at_ms = Status.ERROR, _GONE, at_ms
        self._tell()

    def _stand(self, state: State) -> None:
        self.is_lost, self._version = False, state.version
        self.status, self.error, self.finished_at_ms = state.status, state.error, state.finished_at_ms
        self.can_retry, self._has_result = state.can_retry, state.has_result
