"""Work that many wait for and that is done once."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
ResultT = TypeVar("ResultT")


@dataclass(slots=True)
class _Flight(Generic[ResultT]):
    task: "asyncio.Task[ResultT]"
    waiting: int = 0


class Flights(Generic[KeyT, ResultT]):
    """The work under way, by key."""

    def __init__(self) -> None:
        self._flights: dict[KeyT, _Flight[ResultT]] = {}

    async def join(self, key: KeyT, work: Callable[[], Coroutine[Any, Any, ResultT]]) -> ResultT:
        """Wait for the work of this key, which begins if it isn't under way. The last one to leave breaks it off."""
        flight = self._flights.get(key) or self._start(key, work())
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                self._end(key, flight)

    async def abort(self) -> None:
        """Break everything off, and return when it has ended."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, key: KeyT, work: Coroutine[Any, Any, ResultT]) -> _Flight[ResultT]:
        flight = _Flight(asyncio.create_task(work))
        self._flights[key] = flight
        flight.task.add_done_callback(lambda _: self._land(key, flight))
        return flight

    def _land(self, key: KeyT, flight: _Flight[ResultT]) -> None:
        """Let the next one begin anew. An error that nobody waits for any more is nobody's."""
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not flight.task.cancelled():
            flight.task.exception()

    def _end(self, key: KeyT, flight: _Flight[ResultT]) -> None:
        """Who comes now must not wait for what is broken off."""
        flight.task.cancel()
        if self._flights.get(key) is flight:
            del self._flights[key]
