"""Turns: what only one process at a time may do, settled by a row that all of them see."""

from typing import Final
from uuid import uuid4

from sqlalchemy import Column, String, delete, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import Field, col, or_

from grok_app.db.collision import is_collision, retried
from grok_app.db.database import Database
from grok_app.db.model import TableModel, UtcMs, now_ms
from grok_app.db.unbroken import unbroken

_MOST_AHEAD: Final = 2
"""A turn that would last so many times as long as it may was taken by a clock that was wrong, and counts as over."""


class TurnRow(TableModel, table=True):
    """Who does what until when."""

    __tablename__ = "turn"

    name: str = Field(sa_column=Column(String(50), primary_key=True))
    holder: str = Field(sa_column=Column(String(32), nullable=False))
    ends_at: int = Field(sa_column=Column(UtcMs, nullable=False))


class Turn:
    """One process's claim on a piece of work. A process that dies loses its turn when the time is over.

    Args:
        database: What all the processes share.
        name: The piece of work.
        hold_s: How long a turn lasts unless it is taken again.
    """

    def __init__(self, database: Database, name: str, hold_s: float) -> None:
        self._database = database
        self._name = name
        self._hold_ms = int(hold_s * 1000)
        self._holder = uuid4().hex

    async def take(self) -> bool:
        """Take the turn, or take it again; False when another process has it."""
        return await unbroken(self._take())

    async def give_back(self) -> None:
        """Let another process have the turn at once."""
        await unbroken(retried(self._give_back))

    async def _take(self) -> bool:
        if await retried(self._renew):
            return True
        try:
            return await self._begin()
        except DBAPIError as error:
            if not is_collision(error):
                raise
            return False  # another process takes it

    async def _give_back(self) -> None:
        async with self._database.session() as session:
            mine = (col(TurnRow.name) == self._name) & (col(TurnRow.holder) == self._holder)
            await (await session.connection()).execute(delete(TurnRow).where(mine))

    async def _renew(self) -> bool:
        now = now_ms()
        is_over = or_(col(TurnRow.ends_at) <= now, col(TurnRow.ends_at) > now + _MOST_AHEAD * self._hold_ms)
        taking = update(TurnRow).where(
            col(TurnRow.name) == self._name, or_(col(TurnRow.holder) == self._holder, is_over)
        )
        async with self._database.session() as session:
            result = await (await session.connection()).execute(
                taking.values(holder=self._holder, ends_at=now + self._hold_ms)
            )
        return result.rowcount > 0

    async def _begin(self) -> bool:
        async with self._database.session() as session:
            session.add(TurnRow(name=self._name, holder=self._holder, ends_at=now_ms() + self._hold_ms))
        return True
