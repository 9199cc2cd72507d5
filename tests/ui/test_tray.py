"""The tray of tasks: the service's own, as one tab sees them."""

from types import SimpleNamespace
from typing import Any

import pytest
import reflex as rx

from grok_app.errors import AuthenticationError
from grok_app.tasks import ItemFailedError, Job, Tasks
from grok_app.ui.console import TasksState, guard, tasks
from tests.tasks.works import HandWork, job, settle


class Sessions:
    """Lets everybody in, until it is told not to."""

    is_open = True

    async def check(self, _cookie: str | None) -> None:
        """Refuse whoever comes when it is shut."""
        if not self.is_open:
            raise AuthenticationError("Invalid authentication token")


class Settings:
    """Settings that never change."""

    async def catch_up(self) -> None:
        """Do nothing."""


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The services that the tray asks."""
    made = SimpleNamespace(tasks=Tasks(), sessions=Sessions(), settings=Settings())
    monkeypatch.setattr(guard, "current", lambda: made)
    monkeypatch.setattr(tasks, "current", lambda: made)
    return made


def tray() -> Any:
    """The tray of a fresh tab."""
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg] # Reflex's way for tests
    return root.get_substate(TasksState.get_full_name().split("."))


async def send(state: Any, event: str, *arguments: object) -> list[Any]:
    """Let the browser send an event; what comes back for it to do."""
    return [answer async for answer in getattr(TasksState, event).fn(state, *arguments)]


async def failing(item: str) -> None:
    """Work of which one item fails."""
    if item == "b":
        raise ItemFailedError("no luck")


def repeated(services: SimpleNamespace) -> Job[str]:
    """A job that can be done again."""
    return job(failing, again=lambda items: services.tasks.start(job(failing, items)))


async def test_a_task_is_paused_resumed_and_cancelled(services: SimpleNamespace) -> None:
    """The service's own task; the tab shows it as it is then."""
    hand, state = HandWork(), tray()
    task = services.tasks.start(job(hand))
    await settle()
    shown = []
    for event in ("pause", "resume", "cancel"):
        await send(state, event, task.id)
        shown.append(state.tasks[0].status)
    hand.finish("ab")
    await settle()
    state._look()
    assert [*shown, state.tasks[0].status] == ["paused", "running", "running", "cancelled"]


async def test_failures_are_shown_and_tried_again(services: SimpleNamespace) -> None:
    """With their reasons; the new task takes the old one's place."""
    state = tray()
    first = services.tasks.start(repeated(services))
    await first.wait()
    state._look()
    [view] = state.tasks
    assert (view.ok, view.fail, view.can_retry, state.failures) == (3, 1, True, [])
    await send(state, "toggle_failures", first.id)
    assert [(it.item, it.reason) for it in state.failures] == [("b", "no luck")]

    await send(state, "retry_failed", first.id)
    [view] = state.tasks
    assert (view.id == first.id, view.total, state.failures) == (False, 1, [])


async def test_a_dismissed_task_is_gone_for_this_tab_alone(services: SimpleNamespace) -> None:
    """One under way stays until it is over."""
    hand, here, there = HandWork(), tray(), tray()
    task = services.tasks.start(job(hand, "ab"))
    await settle()
    await send(here, "dismiss", task.id)
    assert len(here.tasks) == 1

    hand.finish("ab")
    await settle()
    here._look()
    there._look()
    assert (len(here.tasks), len(there.tasks)) == (0, 1)


@pytest.mark.usefixtures("services")
async def test_an_unknown_task_is_told() -> None:
    """It may have ended too long ago: a toast says so."""
    state = tray()
    await send(state, "pause", "no-such-task")
    assert (state.notice.kind, state.notice.text) == ("error", "Task not found")


async def test_without_a_session_nothing_is_done(services: SimpleNamespace) -> None:
    """The tab is led to the sign-in."""
    hand, state = HandWork(), tray()
    task = services.tasks.start(job(hand))
    services.sessions.is_open = False
    [answer] = await send(state, "cancel", task.id)
    assert "redirect" in str(answer)
    assert (task.progress().status, state.tasks) == ("running", [])
    await services.tasks.abort()


async def test_one_success_leaves_no_card(services: SimpleNamespace) -> None:
    """A single account that was refreshed shows it in its row; a failure stays to be read."""
    hand, state = HandWork(), tray()
    good, bad = (services.tasks.start(job(hand, item)) for item in "ab")
    await settle()
    state._look()
    assert len(state.tasks) == 2
    hand.finish("a")
    hand.fail("b", ItemFailedError("no luck"))
    await settle()
    state._look()
    assert (good.is_over, [view.id for view in state.tasks]) == (True, [bad.id])
