"""The tasks of all processes of an installation, as each of them sees them."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from operator import attrgetter
from secrets import token_hex
from typing import Any, Final

from grok_app.errors import ConflictError, NotFoundError, OverloadedError
from grok_app.logs import get_logger
from grok_app.shared import Shared, SharedAwayError
from grok_app.tasks.asking import Asking
from grok_app.tasks.mirror import Mirror
from grok_app.tasks.others import Others
from grok_app.tasks.record import Record
from grok_app.tasks.results import Results, Seals
from grok_app.tasks.service import Command, Tasks, clock_ms
from grok_app.tasks.task import Task
from grok_app.tasks.teller import Teller

log = get_logger(__name__)
_RESULT: Final = "result"
_AWAY: Final = "Redis is away, so that nothing is told of tasks of other processes. Please try again later."


class SharedTasks(Tasks):
    """The tasks of this process, and the ones of all others that share a Redis with it.

    A task runs where it was started. Elsewhere it is a mirror, which follows within a twentieth of a second and misses
    nothing; what is to be done with it is asked of its process. With Redis away, tasks go on and are watched where
    they run; elsewhere they are shown as they were last known, and can't be told anything.

    Args:
        shared: The Redis.
        seals: Keeps others from reading results on their way.
        now_ms: The clock.
    """

    def __init__(self, shared: Shared, seals: Seals, now_ms: Callable[[], int] = clock_ms) -> None:
        super().__init__(now_ms)
        me = token_hex(8)
        self._teller = Teller(shared, me, self._remembered)
        self._on_change = self._teller.note
        self._others = Others(shared, me, self._teller, now_ms, self._fetch_result)
        self._asking = Asking(shared, me, self._do)
        self._results = Results(shared, seals)

    def start(self, job: Any) -> Task:
        """As `Tasks.start`; the others are told at once."""
        task = super().start(job)
        self._teller.note(task)
        return task

    async def announce(self, task: Task) -> None:
        """Return when a task that was started here can be found from every process, or Redis is away."""
        with suppress(SharedAwayError):  # then it can be found here alone, and elsewhere later
            await self._teller.tell(task)

    async def get(self, task_id: str) -> Record:
        """The task with this id, wherever it runs.

        Raises:
            NotFoundError: There is none, or it ended too long ago.
            OverloadedError: Redis is away, so that nobody knows.
        """
        try:
            return self._get_own(task_id)
        except NotFoundError:
            if (mirror := await self._find(task_id)) and self._is_kept(mirror):
                return mirror
            raise

    def all(self) -> Sequence[Record]:
        """The tasks under way and those that ended lately, wherever they run, oldest first."""
        others = filter(self._is_kept, self._others.all())
        return sorted([*super().all(), *others], key=attrgetter("started_at_ms"))

    async def keep_up(self) -> None:
        """Tell the others, and follow them, until cancelled."""
        try:
            await asyncio.gather(self._teller.keep_telling(), self._others.keep_looking())
        finally:
            await self._asking.close()

    async def abort(self) -> None:
        """Break everything off that runs here; return when it has ended and, if Redis is there, has been told."""
        await super().abort()
        try:
            await self._teller.tell_all()
        except SharedAwayError:
            log.warning("other processes could not be told how the tasks of this one ended")

    async def _command(self, task_id: str, command: Command) -> str:
        task = await self.get(task_id)
        if not isinstance(task, Mirror):
            return self._obey(self._get_own(task_id), command)
        if command is Command.RETRY_FAILED and not task.can_retry:
            raise ConflictError("There is nothing to try again")
        if command is not Command.RETRY_FAILED and task.is_over:
            return task_id
        told: str = await self._asking.ask(task.owner, command, task_id)
        return told

    async def _do(self, command: str, task_id: str) -> str:
        """What another process asks for."""
        task = self._get_own(task_id)
        if command == _RESULT:
            return await self._results.put(await task.fetch_result())
        told = self._obey(task, Command(command))
        await self._teller.tell_all()  # whoever asked is to see it when it has the answer
        return told

    async def _fetch_result(self, mirror: Mirror) -> Any:
        name = await self._asking.ask(mirror.owner, _RESULT, mirror.id)
        try:
            return await self._results.take(name)
        except SharedAwayError as error:
            raise OverloadedError(_AWAY) from error

    async def _find(self, task_id: str) -> Mirror | None:
        if self._others.get(task_id) is None:
            try:
                await self._others.look()
            except SharedAwayError as error:
                raise OverloadedError(_AWAY) from error
        return self._others.get(task_id)

    def _remembered(self) -> Mapping[str, Task]:
        self._forget()
        return self._own

    def _is_kept(self, record: Record) -> bool:
        return record.finished_at_ms is None or record.finished_at_ms >= self._oldest_ms()


@asynccontextmanager
async def open_tasks(
    shared: Shared | None = None, seals: Seals | None = None, *, now_ms: Callable[[], int] = clock_ms
) -> AsyncGenerator[Tasks, None]:
    """The tasks, for as long as the block runs. What still runs here when it ends is broken off.

    Args:
        shared: What other processes share with this one; None: it is alone.
        seals: Keeps others from reading results on their way; needed if anything is shared.
        now_ms: The clock.
    """
    if shared is None:
        tasks = Tasks(now_ms)
    elif seals is None:
        raise ValueError("what is shared needs seals")
    else:
        tasks = SharedTasks(shared, seals, now_ms)
    keeping_up = asyncio.create_task(tasks.keep_up())
    try:
        yield tasks
    finally:
        await tasks.abort()
        keeping_up.cancel()
        await asyncio.gather(keeping_up, return_exceptions=True)
