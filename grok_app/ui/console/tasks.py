"""The tasks under way, below every page: whoever started them, a page, another tab or a script.

They are the service's own. A tab only looks at them, and remembers which ended ones it no longer wants to see.
"""

import dataclasses
from typing import Final

from grok_app.runtime import current
from grok_app.tasks import Record
from grok_app.ui.console.guard import ConsoleState, operator_event

_SHOWN_TASKS: Final = 20
_SHOWN_FAILURES: Final = 200
_BEAT_S: Final = 0.5


@dataclasses.dataclass
class Failure:
    """An item that failed."""

    item: str
    """Its name; of an account the masked token."""
    reason: str


@dataclasses.dataclass
class TaskView:
    """A task as a page shows it."""

    id: str
    kind: str
    status: str
    total: int
    processed: int
    ok: int
    fail: int
    is_over: bool
    can_retry: bool
    warning: str


class TasksState(ConsoleState):
    """The tray of one tab, the newest task first."""

    tasks: list[TaskView] = []  # noqa: RUF012 - Reflex copies defaults for each tab
    opened: str = ""
    """The task whose failures are shown."""
    failures: list[Failure] = []  # noqa: RUF012 - likewise
    """The first of them."""
    _dismissed: set[str] = set()  # noqa: RUF012 - likewise

    @operator_event(background=True)
    async def watch(self) -> None:
        """Show what goes on, for as long as the tab shows this page; leave it when the session is over."""
        async for _ in self._beats(_BEAT_S):
            async with self:
                self._look()

    @operator_event
    async def pause(self, task_id: str) -> None:
        """Start no new item for now."""
        await current().tasks.pause(task_id)
        self._look()

    @operator_event
    async def resume(self, task_id: str) -> None:
        """Go on."""
        await current().tasks.resume(task_id)
        self._look()

    @operator_event
    async def cancel(self, task_id: str) -> None:
        """Start no new item ever."""
        await current().tasks.cancel(task_id)
        self._look()

    @operator_event
    async def retry_failed(self, task_id: str) -> None:
        """Do the failed items again, as a task of their own in this one's place."""
        await current().tasks.retry_failed(task_id)
        self._dismissed.add(task_id)
        self._look()

    @operator_event
    async def dismiss(self, task_id: str) -> None:
        """Show it no longer in this tab, once it is over."""
        self._dismissed.add(task_id)
        self._look()

    @operator_event
    async def toggle_failures(self, task_id: str) -> None:
        """Show what failed of this task, or no longer."""
        self.opened = "" if self.opened == task_id else task_id
        self._look()

    def _look(self) -> None:
        tasks = [task for task in reversed(current().tasks.all()) if self._is_shown(task)][:_SHOWN_TASKS]
        opened = next((task for task in tasks if task.id == self.opened), None)
        self._show(tasks=[_view(task) for task in tasks], failures=_failures(opened) if opened else [])

    def _is_shown(self, task: Record) -> bool:
        """Whether there is something to see: not what was dismissed, nor a success that the page itself shows."""
        progress = task.progress()
        is_trifle = progress.total == progress.ok == 1
        return not task.is_over or not (is_trifle or task.id in self._dismissed)


def _view(task: Record) -> TaskView:
    progress = task.progress()
    return TaskView(
        id=task.id,
        kind=task.kind,
        status=progress.status,
        total=progress.total,
        processed=progress.processed,
        ok=progress.ok,
        fail=progress.fail,
        is_over=task.is_over,
        can_retry=task.can_retry,
        warning=progress.warning or "",
    )


def _failures(task: Record) -> list[Failure]:
    return [Failure(outcome.item, outcome.reason or "") for outcome in task.failures()[:_SHOWN_FAILURES]]
