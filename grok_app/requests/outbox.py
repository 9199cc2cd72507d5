"""The requests that wait to be written: a database that is away costs the oldest of them, a bad one itself alone."""

import asyncio
from collections import deque
from typing import Final

from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from grok_app.logs import get_logger
from grok_app.requests.repository import RequestRepository
from grok_app.requests.types import RequestDetail

log = get_logger(__name__)
MOST_WAITING: Final = 10_000
"""Rows that wait for a database that is away; more drive the oldest out."""
AWAY: Final = (SQLAlchemyError, OSError, TimeoutError)
"""What is raised while the database is away."""
_UNFIT: Final = (DataError, IntegrityError)
"""What is raised for rows that will never go in."""
_MOST_WITH_CONTENT: Final = 500
"""With so many waiting, content is no longer kept: it may be a hundred times as large."""
_BATCH: Final = 500


class Outbox:
    """Rows on their way to the database, oldest first.

    Args:
        repository: Where they go.

    Attributes:
        is_away: Whether the last writing has failed.
    """

    def __init__(self, repository: RequestRepository) -> None:
        self._repository = repository
        self._waiting: deque[RequestDetail] = deque()
        self._writing = asyncio.Lock()
        self.is_away = False
        self._lost = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, detail: RequestDetail, light: RequestDetail) -> None:
        """Let a request wait.

        Args:
            detail: All of it.
            light: The same without content, for when too many wait.
        """
        self._waiting.append(detail if len(self._waiting) < _MOST_WITH_CONTENT else light)
        self._drop_oldest()

    async def write(self) -> None:
        """Write everything. What was not written waits on."""
        async with self._writing:
            while self._waiting:
                await self._write([self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))])
            self._note_back()

    def note_away(self, error: Exception) -> None:
        """Tell the log that the database is away, once."""
        if not self.is_away:
            log.warning("the record of requests can't reach the database, trying again", reason=repr(error))
        self.is_away = True

    async def _write(self, batch: list[RequestDetail]) -> None:
        try:
            await self._repository.save(batch)
        except _UNFIT:
            await self._write_singly(batch)
        except BaseException:  # cancelled too
            self._put_back(batch)
            raise

    async def _write_singly(self, batch: list[RequestDetail]) -> None:
        """Write what can be written of a batch in which something is wrong; others must not wait for the rest."""
        for number, detail in enumerate(batch):
            try:
                await self._repository.save([detail])
            except _UNFIT:
                log.exception("a request could not be recorded", id=detail.record.id)
            except BaseException:  # cancelled too
                self._put_back(batch[number:])
                raise

    def _put_back(self, batch: list[RequestDetail]) -> None:
        self._waiting.extendleft(reversed(batch))
        self._drop_oldest()

    def _drop_oldest(self) -> None:
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            if not self._lost:
                log.warning("the record of requests waits too long for the database: its oldest rows are dropped")
            self._lost += 1

    def _note_back(self) -> None:
        if self.is_away:
            log.warning("the record of requests reaches the database again", lost=self._lost)
        self.is_away, self._lost = False, 0
