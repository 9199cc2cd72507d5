"""Writes that are never broken off half-way."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from grok_app.logs import get_logger

log = get_logger(__name__)
ResultT = TypeVar("ResultT")


async def unbroken(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Do this to its end, also when whoever asked for it is cancelled; the cancellation comes after it.

    A write that is cancelled may or may not have been committed; SQLite stays locked until the garbage collector finds
    its connection, and PostgreSQL's driver may swallow the cancellation (SQLAlchemy 2.0, 2026-11-23).
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait((task,))
        if not task.cancelled() and (error := task.exception()) is not None:
            log.exception("a write failed, and nobody was left to be told", exc_info=error)
        raise
