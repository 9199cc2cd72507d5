"""What happened to each request: noted in memory at once, written in batches off the request's path."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

import orjson

from grok_app.db import Database, Vault, now_ms, unbroken
from grok_app.errors import NotFoundError
from grok_app.logs import get_logger
from grok_app.requests.counters import Counters
from grok_app.requests.minutes import MINUTE_MS, MINUTES, Minutes
from grok_app.requests.outbox import AWAY, MOST_WAITING, Outbox
from grok_app.requests.record import detail_of
from grok_app.requests.refusals import Refusals
from grok_app.requests.repository import RequestRepository
from grok_app.requests.ring import Ring
from grok_app.requests.types import FoundRequests, Minute, RequestDetail, RequestQuery
from grok_app.settings import SettingsService
from grok_app.trace import Trace

log = get_logger(__name__)
_AT_ONCE: Final = 200
"""So many are counted in one go, which takes 4 ms (2026-11-29); others have their turn before the next ones."""
_GATHER_S: Final = 0.5
_WRITE_S: Final = 1.0
_PAUSE_S: Final = 0.01
"""Between two deletions, for others to write."""
_CLEAN_S: Final = 3_600.0
_DAY_MS: Final = 86_400_000
_MOST_REBUILT: Final = 200_000

Export = Callable[[Trace], None]


class Requests:
    """The record of finished requests.

    The counters are those of this process; the rows are those of all processes that share the database.

    Args:
        repository: Where rows are kept.
        settings: How long.
        clock_ms: Unix time.
        export: Takes each request that is recorded, off its path.
    """

    def __init__(
        self,
        repository: RequestRepository,
        settings: SettingsService,
        clock_ms: Callable[[], int] = now_ms,
        export: Export | None = None,
    ) -> None:
        self._repository = repository
        self._settings = settings
        self._clock_ms = clock_ms
        self._export = export
        self._began_at_ms = clock_ms()
        self._finished: deque[Trace] = deque()
        self._refusals = Refusals(clock_ms)
        self._outbox = Outbox(repository)
        self._ring = Ring()
        self._minutes = Minutes(clock_ms)
        self._counters = Counters()
        self._may_have_content = True

    def finish(self, trace: Trace) -> None:
        """Record a request that has ended. It is on a request's path, so that everything else is done later.

        Callers who are turned away are counted, but few of them are recorded. See `Refusals`.
        """
        if trace.was_turned_away() and not self._refusals.is_recorded(trace):
            self._counters.end(trace.route, trace.model, trace.status, trace.error)
            return
        if len(self._finished) >= MOST_WAITING:
            self._gather()
        self._finished.append(trace)

    @property
    def count(self) -> int:
        """How many have finished since the start. Whoever shows the newest ones sees by it whether there are others."""
        return self._counters.requests.total() + len(self._finished)

    def minutes(self) -> list[Minute]:
        """Each of the last sixty minutes, oldest first; the last one still goes on.

        Of a crowd that has just ended a part is missing here, as in what else is counted, for half a second.
        """
        self._gather()
        return self._minutes.all()

    def top_models(self, limit: int = 5) -> list[tuple[str, int]]:
        """The models that were asked most within the hour, and how often."""
        self._gather()
        return self._minutes.top_models(limit)

    def upstream_errors(self) -> list[tuple[str, int]]:
        """The failed attempts of the hour by kind, most frequent first; those that others made good too."""
        self._gather()
        return self._minutes.kinds()

    @property
    def waiting(self) -> int:
        """How many are not written yet."""
        return len(self._finished) + len(self._outbox)

    @property
    def is_away(self) -> bool:
        """Whether the database was away at the last writing."""
        return self._outbox.is_away

    def counters(self) -> Counters:
        """What became of the requests since the start; goes on counting, and never counts back."""
        self._gather()
        return self._counters

    async def find(self, query: RequestQuery) -> FoundRequests:
        """One page of requests, newest first, those included that have just ended.

        With the database away it is answered from memory, which has the last thousand of this process.
        """
        try:
            await self.flush()
            return await self._repository.find(query)
        except AWAY as error:
            self._outbox.note_away(error)
            return self._ring.find(query)

    async def get(self, record_id: str) -> RequestDetail:
        """One request with its attempts; with its content where that was kept, and while `app.log_content` is on.

        Raises:
            NotFoundError: There is none of this id, or not any more.
        """
        try:
            await self.flush()
            detail = await self._repository.get(record_id)
        except AWAY as error:
            self._outbox.note_away(error)
            detail = self._ring.get(record_id)
        if detail is None:
            raise NotFoundError("This request is not recorded any more", code="request_not_found")
        return detail if self._keeps_content() else _without_content(detail)

    async def flush(self) -> None:
        """Count what has ended, and write every row that waits.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: The database is away. What was not written waits on.
        """
        await self._gather_all()
        await unbroken(self._outbox.write())

    async def clean(self) -> int:
        """Delete what is older than `app.request_log_days`, in parts, so that others can write meanwhile; how many.

        With `app.log_content` off all content goes too.
        """
        before_ms = self._clock_ms() - self._settings.snapshot.app.request_log_days * _DAY_MS
        if not self._keeps_content():
            await _in_parts(self._repository.delete_content)
        return await _in_parts(lambda: self._repository.delete_before(before_ms))

    async def rebuild(self) -> None:
        """Count the last hour as it was before the start; twice the hour is read, since some requests are long."""
        from_ms = self._began_at_ms - 2 * MINUTES * MINUTE_MS
        async for rows in self._repository.begun_between(from_ms, self._began_at_ms, most=_MOST_REBUILT):
            for row in rows:
                self._minutes.add(
                    row.started_at + row.duration_ms,
                    row.model,
                    is_error=row.outcome == "error",
                    first_chunk_ms=row.first_chunk_ms,
                    kinds=[error for _, error, *_ in orjson.loads(row.attempts) if error],
                )

    async def keep_gathering(self) -> None:
        """Count what has ended, until cancelled; goes on while a write hangs, so that memory stays bounded."""
        while True:
            await asyncio.sleep(_GATHER_S)
            self._admit_due()
            await self._gather_all()

    async def keep_writing(self) -> None:
        """Write what waits, until cancelled; when `app.log_content` is switched off, delete what it has kept."""
        while True:
            await asyncio.sleep(_WRITE_S)
            try:
                await self.flush()
                await self._follow_setting()
            except AWAY as error:
                self._outbox.note_away(error)

    async def keep_cleaning(self) -> None:
        """Delete what is too old, every hour, until cancelled."""
        while True:
            try:
                await self.clean()
            except Exception:  # the next hour tries again
                log.exception("old requests could not be deleted, trying again")
            await asyncio.sleep(_CLEAN_S)

    def _admit_due(self) -> None:
        """Record the one that stands for those that were left out, if it is time."""
        if refused := self._refusals.due():
            self._take(refused, is_counted=True)

    async def _follow_setting(self) -> None:
        if self._may_have_content and not self._keeps_content():
            await _in_parts(self._repository.delete_content)
        self._may_have_content = self._keeps_content()

    def _keeps_content(self) -> bool:
        return self._settings.snapshot.app.log_content

    async def _gather_all(self) -> None:
        """Count what has ended by now; what ends meanwhile is left, so that this has an end."""
        for _ in range(-(-len(self._finished) // _AT_ONCE)):
            self._gather()
            await asyncio.sleep(0)

    def _gather(self) -> None:
        """Count some of what has ended."""
        for _ in range(min(_AT_ONCE, len(self._finished))):
            self._take(self._finished.popleft())

    def _take(self, trace: Trace, *, is_counted: bool = False) -> None:
        try:
            detail = detail_of(trace)
            if not is_counted:
                self._counters.end(trace.route, trace.model, trace.status, detail.record.error)
            self._keep(detail)
            if self._export:
                self._export(trace)
        except Exception:  # one odd request must not keep all later ones from being recorded
            log.exception("a request could not be recorded")

    def _keep(self, detail: RequestDetail) -> None:
        record = detail.record
        light = self._ring.add(detail)
        self._counters.add(detail)
        self._minutes.add(
            record.started_at_ms + record.duration_ms,
            record.model,
            is_error=record.outcome == "error",
            first_chunk_ms=record.first_chunk_ms,
            kinds=[attempt.error for attempt in detail.attempts if attempt.error],
        )
        self._outbox.add(detail if self._keeps_content() else light, light)


async def _in_parts(delete_some: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Delete until there is nothing left, so that others can write in between; how many."""
    deleted = 0
    while part := await unbroken(delete_some()):
        deleted += part
        await asyncio.sleep(_PAUSE_S)
    return deleted


def _without_content(detail: RequestDetail) -> RequestDetail:
    return detail if detail.prompt is None else replace(detail, prompt=None, answer=None)


@asynccontextmanager
async def open_requests(
    database: Database, vault: Vault, settings: SettingsService, export: Export | None = None
) -> AsyncGenerator[Requests, None]:
    """The record of requests, kept for as long as the block runs; at its end everything is written."""
    requests = Requests(RequestRepository(database, vault), settings, export=export)
    works = (requests.keep_gathering(), _begin(requests), requests.keep_cleaning())
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield requests
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            await requests.flush()
        except AWAY:
            log.warning("the last requests could not be recorded", exc_info=True)


async def _begin(requests: Requests) -> None:
    """Rebuild the counters in the background: a start doesn't wait for an hour's rows."""
    try:
        await requests.rebuild()
    except AWAY:
        log.warning("the last hour's requests could not be counted", exc_info=True)
    await requests.keep_writing()
