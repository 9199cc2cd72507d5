"""Several pieces of work at once, of which none may fail."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")


async def together(works: Iterable[Coroutine[Any, Any, ResultT]]) -> list[ResultT]:
    """Do all of this at once; the results in the order of the works.

    The first failure breaks the others off and is raised as it is, without a group around it.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
    except BaseExceptionGroup as failures:  # whatever it was, the caller gets it as if there had been no group
        first = failures.exceptions[0]
        raise first from first.__cause__
    return [task.result() for task in tasks]
