"""What is known of a task of another process."""

from dataclasses import replace
from typing import Any

import pytest

from grok_app.tasks import Outcome, Status
from grok_app.tasks.mirror import (
    Mirror,
    State,
    read_news,
    read_outcome,
    read_state,
    write_news,
    write_outcome,
    write_state,
)

OUTCOMES = [Outcome(2, "c", None, None), Outcome(0, "a", "no luck", None), Outcome(1, "b", None, None)]


def state(version: int, count: int, status: Status = Status.RUNNING, **changes: Any) -> State:
    """Where a task of three items stands."""
    stands = State(
        owner="other",
        id="id",
        kind="test",
        total=3,
        warning=None,
        started_at_ms=1,
        version=version,
        count=count,
        status=status,
        finished_at_ms=None,
        error=None,
        can_retry=False,
        has_result=False,
    )
    return replace(stands, **changes)


async def no_result(_: Mirror) -> None:
    """Nothing to fetch."""


@pytest.fixture
def mirror() -> Mirror:
    """One that knows nothing yet."""
    return Mirror(state(0, 0), no_result)


def names(mirror: Mirror) -> list[str]:
    """The items that are known to have finished and failed."""
    return [outcome.item for outcome in mirror._outcomes]


async def test_what_is_told_twice_counts_once(mirror: Mirror) -> None:
    """Parts may overlap."""
    assert mirror.take(0, state(1, 2), OUTCOMES[:2])
    assert mirror.take(1, state(2, 3), OUTCOMES[1:])
    assert mirror.take(0, state(2, 3), OUTCOMES)
    assert names(mirror) == ["c", "a", "b"]
    assert (mirror.progress().ok, mirror.progress().fail) == (2, 1)


async def test_a_gap_is_noticed(mirror: Mirror) -> None:
    """And nothing is taken that comes after it."""
    assert not mirror.take(1, state(3, 3, Status.DONE, finished_at_ms=5), OUTCOMES[1:])
    assert (names(mirror), mirror.status, mirror.is_over) == ([], Status.RUNNING, False)


async def test_the_end_comes_after_every_item(mirror: Mirror) -> None:
    """A state that counts more outcomes than are known holds when they have come."""
    ended = state(4, 3, Status.DONE, finished_at_ms=5)
    assert mirror.take(0, ended, OUTCOMES[:2])
    assert (mirror.status, mirror.is_over) == (Status.RUNNING, False)
    assert mirror.take(2, ended, OUTCOMES[2:])
    assert (mirror.status, mirror.is_over) == (Status.DONE, True)


async def test_an_overtaken_state_changes_nothing(mirror: Mirror) -> None:
    """What was read a moment ago may be older than what was told since."""
    mirror.take(0, state(2, 0, Status.PAUSED), [])
    mirror.take(0, state(1, 0, Status.RUNNING), [])
    assert mirror.status is Status.PAUSED


async def test_a_lost_task_is_found_again_by_the_same_state(mirror: Mirror) -> None:
    """Its process may have nothing new to tell."""
    mirror.take(0, state(2, 0, Status.PAUSED), [])
    mirror.lose(7)
    assert (mirror.status, mirror.finished_at_ms) == (Status.ERROR, 7)
    mirror.take(0, state(2, 0, Status.PAUSED), [])
    assert (mirror.status, mirror.finished_at_ms, mirror.error) == (Status.PAUSED, None, None)


def test_what_is_written_is_read_as_it_was() -> None:
    """States, outcomes and news."""
    stands = state(1, 2, Status.ERROR, warning='"ä', error="no", finished_at_ms=3)
    written = [write_outcome(outcome) for outcome in OUTCOMES]
    assert read_state(write_state(stands)) == stands
    assert list(map(read_outcome, written)) == OUTCOMES
    assert read_news(write_news(5, write_state(stands), written)) == (5, stands, OUTCOMES)
