"""What a task is made of: the job that it does, what came of each item, and the events that a watcher sees."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from grok_app.tasks.task import Task

ItemT = TypeVar("ItemT")


class Status(StrEnum):
    """Where a task stands. The last three are final."""

    RUNNING = "running"
    PAUSED = "paused"
    """Items under way finish, no new one starts."""
    DONE = "done"
    """Every item was tried; some may have failed."""
    ERROR = "error"
    """Something other than an item failed."""
    CANCELLED = "cancelled"
    """Items may be left that were never tried."""


class ItemFailedError(Exception):
    """What `Job.work` raises for a failure that can be expected.

    Attributes:
        reason: A sentence for people.
        value: What `Job.conclude` is to know of it.
    """

    def __init__(self, reason: str, *, value: Any = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.value = value


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one item."""

    index: int
    """Its place among the items."""
    item: str
    """Its name."""
    reason: str | None
    """Why it failed, in a sentence; None: it did not."""
    value: Any = field(repr=False)
    """What the work returned, or what its ItemFailedError carried."""

    @property
    def is_ok(self) -> bool:
        """Whether the item succeeded."""
        return self.reason is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Generic[ItemT]):
    """What a task is to do."""

    kind: str
    """What people call it; many tasks may share it."""
    items: Sequence[ItemT] = field(repr=False)
    work: Callable[[ItemT], Awaitable[object]]
    """Does one item. Raises ItemFailedError or a GatewayError, whose sentence is shown; anything else is a bug, which
    is logged. None of them stops the other items. Sets its own time limit."""
    name: Callable[[ItemT], str]
    """How an item is shown and logged; never a secret."""
    concurrent: int
    """Most items under way at once."""
    batch_size: int
    """Items per batch; a batch begins when the one before it is done."""
    conclude: Callable[[Sequence[Outcome]], object] | None = None
    """Makes the result, which can be sent as JSON, of all outcomes, in the order of the items. None: no result."""
    warning: str | None = None
    """What the operator should know of the whole, say that something was left out."""
    again: "Callable[[Sequence[ItemT]], Task] | None" = None
    """Starts the same work over some of the items, see `Task.retry_failed`. None: it can't be tried again."""

    def __post_init__(self) -> None:
        if min(self.concurrent, self.batch_size) < 1:
            raise ValueError("concurrent and batch_size are at least 1")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a task has come."""

    task_id: str
    status: Status
    total: int
    processed: int
    """Always `ok` and `fail` together."""
    ok: int
    fail: int
    warning: str | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where the task stands as the watcher comes. Always the first event."""

    progress: Progress


@dataclass(frozen=True, slots=True)
class ItemFinished:
    """One more item is done."""

    progress: Progress
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Ended:
    """The task is over, as its status says. Always the last event."""

    progress: Progress
    result: Any = field(repr=False)
    """Of a task that is done."""
    error: str | None
    """Why it could not be done, in a sentence; only with the status `error`."""


Event = Snapshot | ItemFinished | Ended
