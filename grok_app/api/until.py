"""Work that is stopped when something else happens first: the client goes, say."""

import asyncio
from collections.abc import Awaitable, Coroutine, Sequence
from typing import Any, TypeVar

from starlette.types import Message, Receive

ResultT = TypeVar("ResultT")


async def until(work: Coroutine[Any, Any, ResultT], *ends: Awaitable[object]) -> ResultT | None:
    """Do the work, but stop it when one of the others has ended. They are stopped too.

    The work is done in the caller's own task. An end that is no future gets a task.

    Returns:
        The work's result; None when it was stopped.
    """
    loop = asyncio.get_running_loop()
    ending = [asyncio.ensure_future(end) for end in ends]
    limit = asyncio.timeout(None)  # it cancels the work alone, and tells its own cancellation from others

    def stop(_ended: object) -> None:
        limit.reschedule(loop.time())

    try:
        async with limit:
            for end in ending:
                end.add_done_callback(stop)
            try:
                return await work
            finally:
                for end in ending:
                    end.remove_done_callback(stop)
    except TimeoutError:
        if not limit.expired():
            raise
        return None
    finally:
        await _stop(ending)


async def until_disconnect(work: Coroutine[Any, Any, ResultT], receive: Receive) -> ResultT | None:
    """Do the work, but stop it when the client goes away.

    Returns:
        The work's result; None when it was stopped, and nobody is left to be answered.
    """
    return await until(work, disconnected(receive))


def disconnected(receive: Receive) -> "asyncio.Future[None]":
    """Done when the client has gone. No task: granian's `receive` gives a future (2.8.7), and others get one of it."""
    gone = asyncio.get_running_loop().create_future()
    _listen(receive, gone)
    return gone


def _listen(receive: Receive, gone: "asyncio.Future[None]") -> None:
    heard = asyncio.ensure_future(receive())

    def tell(heard: "asyncio.Future[Message]") -> None:
        if gone.done():
            return
        if heard.cancelled() or heard.exception() or heard.result()["type"] == "http.disconnect":
            gone.set_result(None)
        else:
            _listen(receive, gone)

    heard.add_done_callback(tell)
    gone.add_done_callback(lambda _: heard.cancel())


async def _stop(futures: "Sequence[asyncio.Future[object]]") -> None:
    for future in futures:
        future.cancel()
    if tasks := [future for future in futures if isinstance(future, asyncio.Task) and not future.done()]:
        await asyncio.wait(tasks)
    for future in futures:
        if future.done() and not future.cancelled():
            future.exception()  # that an end has failed is an end too
