"""What a row, a column and a cell of the suite are: a fault, a workload, and what the client gets then."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.faults.stage import Stage

Switch = Callable[[Stage], AbstractContextManager[Any]]


def nothing(_stage: Stage) -> AbstractContextManager[None]:
    """A switch that is none: the fault lies in what is said to the sandbox."""
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Seen:
    """What a client got, as far as it is promised. As a text it is what docs/reliability.md says."""

    status: int
    """Of the HTTP answer; 101 for a WebSocket."""
    code: str | None = None
    """`code` of the error, be it the answer or a part of a stream; None: there was none."""
    first: str = ""
    """What came before the error, or all there was: `tokens`, `pictures`; empty: nothing of use."""
    end: str = ""
    """How a stream ended, as its reader sees it; empty for an answer that is none."""

    def __str__(self) -> str:
        """In a few words, as Markdown."""
        error = f"`{self.code}`" if self.code else ""
        if not self.end:
            return " ".join(part for part in (str(self.status), error or self.first) if part)
        return ", ".join(part for part in (self.first, error, self.end) if part)


@dataclass(frozen=True, slots=True)
class Ask:
    """What one client is to say."""

    stage: Stage
    prompt: str
    """Words that no other cell says, with the fault's magic words."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What a client does, in one call; it must come back within the time that its HTTP client allows."""

    name: str
    title: str
    """The head of its column."""
    run: Callable[[Ask], Awaitable[Seen]]


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong."""

    name: str
    does: str
    """One sentence without its full stop, for people."""
    word: str = ""
    """The sandbox's magic word for it, without its `@`, that stands in the prompt."""
    in_name: str = ""
    """The same for one that stands in the names of the accounts."""
    switch: Switch = nothing
    """Entered before the clients ask, left when they have their answers: whatever else makes the fault."""
    is_silence: bool = False
    """Whether it ends only when the gateway's patience does."""
    accounts: int = 1
    """How many there are. Each serves one request at a time."""
    callers: int = 1
    """How many clients ask at once; all must get what is promised."""


Promises = Mapping[str, Mapping[str, Seen]]
"""What the client gets, by fault, then by workload, by their names. A cell that makes no sense is left out."""


class Cell(NamedTuple):
    """One test."""

    fault: Fault
    workload: Workload
    promise: Seen

    @property
    def id(self) -> str:
        """For pytest."""
        return f"{self.fault.name}-{self.workload.name}"


@dataclass(frozen=True)
class Table:
    """Faults by workloads."""

    name: str
    """Stands in the names of its tests."""
    title: str
    about: str
    """A paragraph under the title, Markdown."""
    workloads: Sequence[Workload]
    faults: Sequence[Fault]
    promises: Promises = field(repr=False)

    def cells(self) -> Iterator[Cell]:
        """Every cell that is promised, row by row."""
        for fault in self.faults:
            for workload in self.workloads:
                if promise := self.promises[fault.name].get(workload.name):
                    yield Cell(fault, workload, promise)
