"""One task."""

import asyncio
import gc
import weakref
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import pytest
from structlog.testing import capture_logs

from grok_app.errors import ConflictError, RateLimitedError
from grok_app.tasks import (
    Ended,
    ItemFailedError,
    Job,
    Outcome,
    Snapshot,
    Status,
    Task,
    TaskCancelledError,
)
from tests.tasks.works import HandWork, counts, echo, job, names, read, settle, values


def clock() -> int:
    """Always the same time."""
    return 1_000


def begin(work: Any, **changes: Any) -> Task:
    """A task of the four items `abcd`, two at once."""
    return Task(job(work, **changes), clock)


async def test_the_result_is_made_of_the_outcomes_in_the_order_of_the_items() -> None:
    """However the items finish, the conclusion gets them as they were given."""
    work = HandWork()
    task = begin(work, concurrent=4, conclude=lambda outcomes: [(o.index, o.item, o.value) for o in outcomes])
    await settle()
    for item in "cadb":
        work.finish(item, item.upper())
        await settle()

    assert await task.wait() == [(0, "a", "A"), (1, "b", "B"), (2, "c", "C"), (3, "d", "D")]
    assert (task.status, task.finished_at_ms) == (Status.DONE, 1_000)


async def test_nothing_to_do_is_done_at_once() -> None:
    """No item, no failure, and a result all the same."""
    task = begin(echo, items=[], conclude=values)

    assert await task.wait() == []
    assert task.status is Status.DONE


async def test_starting_returns_before_the_first_item_begins() -> None:
    """Whoever starts a task is not kept by its work."""
    work = HandWork()
    task = begin(work)

    assert work.begun == []
    assert counts(Snapshot(task.progress())) == (Status.RUNNING, 0, 0, 0)


async def test_so_many_items_at_once_and_no_more() -> None:
    """The next item begins when one has finished, so that `concurrent` of them are always under way."""
    work = HandWork()
    begin(work, concurrent=2)

    await settle()
    assert work.begun == ["a", "b"]
    work.finish("b")
    await settle()
    assert work.begun == ["a", "b", "c"]


async def test_a_batch_begins_when_the_one_before_is_done() -> None:
    """One slow item holds the next batch back."""
    work = HandWork()
    task = begin(work, concurrent=3, batch_size=2)

    await settle()
    work.finish("a")
    await settle()
    assert work.begun == ["a", "b"]
    work.finish("b")
    await settle()
    assert work.begun == ["a", "b", "c", "d"]
    work.finish("cd")
    await task.wait()


@pytest.mark.parametrize(
    ("error", "reason", "value"),
    [
        (ItemFailedError("Grok said no", value={"status": 403}), "Grok said no", {"status": 403}),
        (ItemFailedError(""), "", None),
        (RateLimitedError("Later"), "Later", None),
        (KeyError("sso-secret"), "Internal server error", None),
        (ExceptionGroup("many", [KeyError()]), "Internal server error", None),
    ],
    ids=["expected", "without words", "gateway error", "bug", "group of bugs"],
)
async def test_a_failing_item_is_told_and_stops_no_other(error: Exception, reason: str, value: object) -> None:
    """The reason is a sentence for what can be expected, and gives nothing away of what can't."""
    work = HandWork()
    task = begin(work, concurrent=4, conclude=values)
    await settle()
    work.fail("b", error)
    work.finish("acd", "fine")

    assert await task.wait() == ["fine", value, "fine", "fine"]
    assert task.failures() == [Outcome(1, "b", reason, value)]
    assert counts(Snapshot(task.progress())) == (Status.DONE, 4, 3, 1)


async def test_a_bug_in_the_work_is_logged_with_its_traceback() -> None:
    """Whoever runs the gateway finds what the caller is not told; what was expected makes no noise."""
    work = HandWork()
    with capture_logs() as lines:
        task = begin(work, items="ab")
        await settle()
        work.fail("a", ZeroDivisionError("in the work"))
        work.fail("b", ItemFailedError("expected"))
        await task.wait()

    assert lines == [
        {
            "event": "item failed",
            "log_level": "error",
            "exc_info": True,
            "task_id": task.id,
            "kind": "test",
            "item": "a",
        }
    ]


async def test_an_item_whose_source_was_cancelled_has_failed() -> None:
    """Work that waits for something shared may find it cancelled by others; that is no end of the task."""
    work = HandWork()
    task = begin(work, items="abc", concurrent=1)
    await settle()
    work.cut("a")
    await settle()
    work.finish("b")
    await settle()
    work.finish("c")
    await task.wait()

    assert [failure.item for failure in task.failures()] == ["a"]
    assert task.progress().ok == 2


@pytest.mark.parametrize(
    ("error", "said"),
    [(RateLimitedError("Too much"), "Too much"), (KeyError("sso-secret"), "Internal server error")],
    ids=["gateway error", "bug"],
)
async def test_a_conclusion_that_fails_is_the_tasks_error(error: Exception, said: str) -> None:
    """Watchers get a sentence, and whoever waits gets the error itself."""

    def conclude(_: Sequence[Outcome]) -> object:
        raise error

    task = begin(echo, conclude=conclude)
    with pytest.raises(type(error)) as raised:
        await task.wait()
    assert raised.value is error
    *_, end = [event async for event in task.watch()]

    assert isinstance(end, Ended)
    assert (counts(end), end.error, end.result) == ((Status.ERROR, 4, 4, 0), said, None)


async def test_an_item_without_a_name_is_the_tasks_error() -> None:
    """Naming is the job's own business: when it fails, the task says so and doesn't hang."""
    task = begin(echo, items=[1, "b"], name=lambda item: item.upper())
    with pytest.raises(AttributeError):
        await task.wait()
    assert task.status is Status.ERROR


async def test_a_pause_lets_items_under_way_finish_and_starts_no_other() -> None:
    """After the pause everything goes on, with as many at once as before."""
    work = HandWork()
    task = begin(work)
    await settle()
    task.pause()
    task.pause()
    work.finish("ab")
    await settle()

    assert work.begun == ["a", "b"]
    assert counts(Snapshot(task.progress())) == (Status.PAUSED, 2, 2, 0)
    task.resume()
    assert task.status is Status.RUNNING
    await settle()
    assert work.begun == ["a", "b", "c", "d"]
    work.finish("cd")
    await task.wait()


async def test_a_task_that_is_paused_before_it_begins_begins_nothing() -> None:
    """The pause counts from the moment it is asked for."""
    work = HandWork()
    task = begin(work)
    task.pause()
    await settle()
    assert work.begun == []
    task.resume()
    task.pause()
    await settle()
    assert work.begun == []
    task.resume()
    await settle()
    assert work.begun == ["a", "b"]


async def test_a_paused_task_with_nothing_left_is_done() -> None:
    """A pause during the last items has nothing to hold back."""
    work = HandWork()
    task = begin(work, items="ab", conclude=values)
    await settle()
    task.pause()
    work.finish("ab", 1)
    assert await task.wait() == [1, 1]
    assert task.status is Status.DONE


@pytest.mark.parametrize("is_paused", [False, True], ids=["running", "paused"])
@pytest.mark.parametrize("batch_size", [2, 4], ids=["batches", "one batch"])
async def test_a_cancelled_task_finishes_what_is_under_way(is_paused: bool, batch_size: int) -> None:
    """No new item starts, those under way are counted, and the task is cancelled; nothing is concluded from a part."""
    work = HandWork()
    task = begin(work, batch_size=batch_size, conclude=lambda outcomes: outcomes[3].value)
    await settle()
    if is_paused:
        task.pause()
    task.cancel()
    await settle()
    assert (task.status, task.is_over) == (Status.RUNNING, False)
    work.finish("a")
    work.fail("b", ItemFailedError("no"))

    with pytest.raises(TaskCancelledError, match="cancelled"):
        await task.wait()
    assert work.begun == ["a", "b"]
    assert work.broken_off == []
    assert counts(Snapshot(task.progress())) == (Status.CANCELLED, 2, 1, 1)


async def test_a_paused_task_with_nothing_under_way_is_cancelled_at_once() -> None:
    """Nobody has to resume it."""
    work = HandWork()
    task = begin(work)
    task.pause()
    await settle()
    task.cancel()
    with pytest.raises(TaskCancelledError):
        await task.wait()
    assert work.begun == []


async def test_a_task_cancelled_during_its_last_items_is_cancelled() -> None:
    """Whoever cancels is never told `done`."""
    work = HandWork()
    task = begin(work, items="ab")
    await settle()
    task.cancel()
    work.finish("ab")
    with pytest.raises(TaskCancelledError):
        await task.wait()
    assert counts(Snapshot(task.progress())) == (Status.CANCELLED, 2, 2, 0)


async def test_a_task_that_was_told_to_cancel_is_not_paused() -> None:
    """A pause or a resume after the cancel changes nothing."""
    work = HandWork()
    task = begin(work)
    await settle()
    task.cancel()
    task.pause()
    assert task.status is Status.RUNNING
    task.resume()
    work.finish("ab")
    with pytest.raises(TaskCancelledError):
        await task.wait()


async def test_a_task_that_is_over_stays_as_it_is() -> None:
    """Pausing, resuming, cancelling and aborting come too late, and do no harm."""
    task = begin(echo, conclude=values)
    await task.wait()
    task.pause()
    task.resume()
    task.cancel()
    await task.abort()
    assert task.status is Status.DONE
    assert await task.wait() == ["a", "b", "c", "d"]


async def test_work_that_never_waits_can_be_cancelled() -> None:
    """A watcher hears of the first items, and the cancel counts, long before the last one."""
    task = begin(echo, items=range(10_000), batch_size=10_000)
    async with aclosing(task.watch()) as events:
        await read(events, 3)
    task.cancel()
    with pytest.raises(TaskCancelledError):
        await task.wait()
    assert task.progress().processed < 10


@pytest.mark.parametrize("has_begun", [True, False], ids=["begun", "not yet begun"])
async def test_aborting_breaks_everything_off(has_begun: bool) -> None:
    """When it returns, the items under way have ended, and watchers and waiters have been told."""
    work = HandWork()
    task = begin(work)
    async with aclosing(task.watch()) as events:
        await read(events)
        waiting = asyncio.create_task(task.wait())
        if has_begun:
            await settle()
        await task.abort()

        assert sorted(work.broken_off) == (["a", "b"] if has_begun else [])
        assert [counts(event) async for event in events] == [(Status.CANCELLED, 0, 0, 0)]
        with pytest.raises(TaskCancelledError):
            await waiting


async def test_work_that_resists_the_abort_is_the_last() -> None:
    """An item that finishes although it was cancelled is counted, and no other begins."""
    begun: list[str] = []

    async def resist(item: str) -> None:
        begun.append(item)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    task = begin(resist, concurrent=1)
    await settle()
    await task.abort()
    assert begun == ["a"]
    assert counts(Snapshot(task.progress())) == (Status.CANCELLED, 1, 1, 0)


async def test_an_end_of_the_loop_is_a_cancel() -> None:
    """A task that nobody aborted, but whose loop cancels it, does not pretend to go on."""
    task = begin(HandWork())
    await settle()
    for other in asyncio.all_tasks() - {asyncio.current_task()}:
        other.cancel()
    with pytest.raises(TaskCancelledError):
        await task.wait()


async def test_whoever_stops_waiting_stops_nothing_else() -> None:
    """A client that goes away while it waits for the result leaves the task alone."""
    work = HandWork()
    task = begin(work, items="a", conclude=values)
    waiting = asyncio.create_task(task.wait())
    await settle()
    waiting.cancel()
    await settle()
    work.finish("a", 1)
    assert await task.wait() == [1]


async def test_items_are_let_go_at_the_end() -> None:
    """A finished task keeps names and reasons, not what it worked on."""

    class Item:
        pass

    item = [Item(), Item()]
    task = begin(_forget, items=item, name=lambda _: "item")
    ghosts = [weakref.ref(thing) for thing in item]
    await task.wait()
    del item
    gc.collect()
    assert [ghost() for ghost in ghosts] == [None, None]


async def _forget(_: object) -> None:
    pass


async def test_the_items_that_failed_can_be_done_again() -> None:
    """They alone, as a task of their own; the first one stays as it is."""
    hand = HandWork()

    def again(items: Sequence[str]) -> Task:
        return begin(echo, items=items)

    task = begin(hand, again=again, concurrent=4)
    await settle()
    hand.finish("ac")
    hand.fail("d", ItemFailedError("no luck"))
    hand.fail("b", RateLimitedError("slow down"))
    await task.wait()

    assert task.can_retry
    retried = task.retry_failed()
    assert names([event async for event in retried.watch()]) == ["b", "d"]
    assert (task.progress().fail, retried.progress().ok) == (2, 2)
    assert not retried.can_retry
    with pytest.raises(ConflictError, match="nothing to try again"):
        task.retry_failed()


async def test_only_what_failed_is_tried_again() -> None:
    """Not a task under way, not one without failures, not one whose work can't be done again."""
    hand = HandWork()
    under_way = begin(hand, items="a", again=lambda items: begin(echo, items=items))
    without_failures = begin(echo, again=lambda items: begin(echo, items=items))
    once_only = begin(_fail)
    await settle()
    for task in (under_way, without_failures, once_only):
        assert not task.can_retry
        with pytest.raises(ConflictError, match="nothing to try again"):
            task.retry_failed()
    await under_way.abort()


async def _fail(_: object) -> None:
    raise ItemFailedError("no luck")


@pytest.mark.parametrize("limits", [{"concurrent": 0}, {"batch_size": 0}], ids=["concurrent", "batch size"])
def test_a_job_does_at_least_one_item_at_once(limits: dict[str, Any]) -> None:
    """None at once would never end."""
    with pytest.raises(ValueError, match="at least 1"):
        job(echo, **limits)


def test_a_repr_shows_no_secret() -> None:
    """Items and values may be credentials; logs and tracebacks must not show them."""
    outcome = Outcome(0, "tok…", None, "secret")
    shown: list[Job[Any] | Outcome | Ended] = [job(echo, items=["secret"]), outcome]
    assert "secret" not in repr(shown)


async def test_an_end_shows_no_result() -> None:
    """The same for the event that carries the result."""
    task = begin(echo, items=["a"], name=lambda _: "tok…", conclude=lambda _: "secret")
    events = [event async for event in task.watch()]
    assert "secret" not in repr(events)
