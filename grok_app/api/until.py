"""Work that is stopped when something else happens first: the client goes, say."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

ResultT = TypeVar("ResultT")


async def until(work: Coroutine[Any, Any, ResultT], *ends: Coroutine[Any, Any, object]) -> ResultT | None:
    """Do the work, but stop it when one of the others has ended. They are stopped too.

    Returns:
        The work's result; None when it was stopped.
    """
    working = asyncio.create_task(work)
    ending = [asyncio.create_task(end) for end in ends]
    try:
        await asyncio.wait((working, *ending), return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else None
    finally:
        await _stop(working, *ending)


async def until_disconnect(work: Coroutine[Any, Any, ResultT], receive: Receive) -> ResultT | None:
    """Do the work, but stop it when the client goes away.

    Returns:
        The work's result; None when it was stopped, and nobody is left to be answered.
    """
    return await until(work, disconnected(receive))


async def disconnected(receive: Receive) -> None:
    """Returns when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _stop(*tasks: "asyncio.Task[Any]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
