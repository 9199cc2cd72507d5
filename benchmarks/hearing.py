"""What listeners heard of endless runs, held against what the painter sent."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.listening import Heard
from benchmarks.painting import PER_BATCH, batch_of
from benchmarks.rounds import percentile

ALL: Final = "all"


@dataclass(frozen=True, slots=True)
class Painted:
    """What the painter tells of the time since it was last asked."""

    open_sockets: int
    sent_ns: dict[str, int]
    """When each finished picture left, by its id."""
    cut_ns: list[int]
    """When sockets were closed in the middle of a batch."""


@dataclass(frozen=True, slots=True)
class Session:
    """So many listeners at the same time, and what they should have heard."""

    heard: list[Heard]
    painted: Painted
    counts_from_ns: int
    """When the warming up was over."""
    ended_ns: int
    cpu_s: float
    """Of the server that was asked, from the warming up on."""
    grace_s: float
    """A picture that left later than so long before the end may still be under way."""


@dataclass(frozen=True, slots=True)
class Delay:
    """How late finished pictures were, ms: from leaving the painter to the arrival of their last byte."""

    pictures: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Listened:
    """What came of it."""

    listeners: int
    elapsed_s: float
    """After the warming up."""
    delays: dict[str, Delay]
    """By way, and of all together, after the warming up."""
    cpu_ms: float
    """Of the server that was asked, for each finished picture with its previews."""
    whole_batches: int
    """Those of which all six finished pictures arrived."""
    lost: int
    """Finished pictures that left in time and did not arrive."""
    twice: int
    """Arrivals of pictures that had arrived before."""
    cut: int
    """Batches that were left in the middle though the listener went on listening."""
    errors: int
    first_error: str

    @property
    def all(self) -> Delay:
        """Of all pictures."""
        return self.delays[ALL]

    @property
    def pictures_per_s(self) -> float:
        """Finished pictures that arrived."""
        return self.all.pictures / self.elapsed_s

    @property
    def is_whole(self) -> bool:
        """Whether every picture arrived, once, and nobody heard of an error."""
        return not (self.lost or self.twice or self.cut or self.errors)


def judge(sessions: Sequence[Session]) -> Listened:
    """Hold what was heard against what was sent."""
    delays_ms: dict[str, list[float]] = {ALL: []}
    received: Counter[str] = Counter()
    for session in sessions:
        for heard in session.heard:
            received.update(picture_id for picture_id, _ in heard.finals)
            late_ms = _delays_ms(heard, session)
            delays_ms[ALL] += late_ms
            delays_ms.setdefault(heard.way.value, []).extend(late_ms)
    errors = [error for session in sessions for heard in session.heard for error in heard.errors]
    pictures = len(delays_ms[ALL])
    return Listened(
        listeners=max(len(session.heard) for session in sessions),
        elapsed_s=sum(session.ended_ns - session.counts_from_ns for session in sessions) / 1e9,
        delays={name: _delay(late_ms) for name, late_ms in delays_ms.items()},
        cpu_ms=sum(session.cpu_s for session in sessions) * 1000 / max(1, pictures),
        whole_batches=sum(arrived == PER_BATCH for arrived in Counter(map(batch_of, received)).values()),
        lost=sum(picture_id not in received for session in sessions for picture_id in _due(session)),
        twice=received.total() - len(received),
        cut=sum(at_ns < session.ended_ns for session in sessions for at_ns in session.painted.cut_ns),
        errors=len(errors),
        first_error=errors[0] if errors else "",
    )


def _delays_ms(heard: Heard, session: Session) -> list[float]:
    sent_ns = session.painted.sent_ns
    found = ((at_ns, sent_ns[picture_id]) for picture_id, at_ns in heard.finals if picture_id in sent_ns)
    return [(at_ns - left_ns) / 1e6 for at_ns, left_ns in found if left_ns >= session.counts_from_ns]


def _delay(late_ms: Sequence[float]) -> Delay:
    return Delay(len(late_ms), percentile(late_ms, 50), percentile(late_ms, 95), percentile(late_ms, 99))


def _due(session: Session) -> list[str]:
    """The pictures that must have arrived before the listeners left."""
    until_ns = session.ended_ns - session.grace_s * 1e9
    return [picture_id for picture_id, at_ns in session.painted.sent_ns.items() if at_ns < until_ns]
