"""Collisions of two transactions: one of them has failed, has left nothing behind, and may be done once more."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError

ResultT = TypeVar("ResultT")
_DEADLOCKS: Final = ("40P01", "40001")
"""Of PostgreSQL; of MySQL, where one may come of two writes that concern the same place of an index."""
_TRIES: Final = 5


def is_collision(error: DBAPIError) -> bool:
    """Whether another transaction was in the way: with the same new row, or with rows that each wanted of the other."""
    return isinstance(error, IntegrityError) or getattr(error.orig, "sqlstate", None) in _DEADLOCKS


async def retried(work: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """Do this, a whole unit of work; up to four times more when it collides.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: It collided each time, or failed for another reason.
    """
    for _ in range(_TRIES - 1):
        try:
            return await work()
        except DBAPIError as error:
            if not is_collision(error):
                raise
    return await work()
