"""Tickets of the public surface: what a visitor asked for, and the right to open its stream.

A browser's EventSource can send neither a body nor a header. So a visitor hands in a wish, with a key, and gets an id;
whoever has the id may open the stream.
"""

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from grok_app.access.address import site_of
from grok_app.errors import NotFoundError, OverloadedError

LIFE_S: Final = 600.0
"""Of a ticket that nobody uses."""
SWEEP_S: Final = 30.0
MOST_TICKETS: Final = 10_000
MOST_BYTES: Final = 1 << 30
"""Of the files that belong to all tickets."""
UNKNOWN: Final = "Task not found"
FULL: Final = "Too many tasks are waiting. Please try again later."
AskedT = TypeVar("AskedT")


@dataclass(slots=True, eq=False)
class Ticket(Generic[AskedT]):
    """A wish, and the right to have it fulfilled."""

    id: str
    asked: AskedT
    site: str
    files: ExitStack = field(repr=False)
    size_bytes: int
    used_at_s: float
    streams: int = 0
    """How many are open."""
    withdrawn: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    """Set when its streams must end."""


class Tickets(Generic[AskedT]):
    """The tickets of one kind, in the memory of this process. They live for `LIFE_S` from their last use.

    Args:
        most_per_address: So many of one address may wait for their use; beyond, the oldest of them is forgotten.
        clock_s: A clock that never goes back.
    """

    def __init__(self, *, most_per_address: int, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._most_per_address = most_per_address
        self._clock_s = clock_s
        self._tickets: OrderedDict[str, Ticket[AskedT]] = OrderedDict()
        """Those that were used last stand last."""
        self._size_bytes = 0

    async def issue(
        self, asked: AskedT, address: str, *, files: ExitStack | None = None, size_bytes: int = 0
    ) -> Ticket[AskedT]:
        """Make a ticket.

        Args:
            asked: The wish.
            address: Whose.
            files: Closes the files that belong to it, when it ends or can't be made.
            size_bytes: How large they are together.

        Raises:
            OverloadedError: There are too many, or their files are too large. Nothing else has changed then.
        """
        self.expire()
        files = files or ExitStack()
        site = site_of(address)
        surplus = self._surplus(site)
        if not self._has_room(size_bytes, surplus):
            files.close()
            raise OverloadedError(FULL)
        for oldest in surplus:
            self._drop(oldest)
        ticket = Ticket(secrets.token_hex(16), asked, site, files, size_bytes, self._clock_s())
        self._tickets[ticket.id] = ticket
        self._size_bytes += size_bytes
        return ticket

    async def find(self, ticket_id: str) -> Ticket[AskedT]:
        """The ticket of this id.

        Raises:
            NotFoundError: There is none, or none any more.
            OverloadedError: Nobody knows just now.
        """
        self.expire()
        if (ticket := self._tickets.get(ticket_id)) is None:
            raise NotFoundError(UNKNOWN)
        return ticket

    async def use(self, ticket: Ticket[AskedT], *, once: bool = False) -> ExitStack:
        """Have a stream of this ticket open until what is returned is closed.

        Args:
            ticket: Of `find`. What was asked is complete from here on.
            once: The ticket ends with the stream, and no other one may be opened meanwhile.

        Raises:
            NotFoundError: It is used already, and may be used once; or it has just ended.
            OverloadedError: Nobody knows just now.
        """
        if once and ticket.streams:
            raise NotFoundError(UNKNOWN)
        ticket.streams += 1
        stream = ExitStack()
        stream.callback(self._end_stream, ticket, once=once)
        return stream

    async def withdraw(self, ticket_ids: Iterable[str]) -> int:
        """End these tickets and their streams; how many there were."""
        self.expire()
        found = [ticket for ticket_id in set(ticket_ids) if (ticket := self._tickets.get(ticket_id))]
        for ticket in found:
            self._drop(ticket)
        return len(found)

    def expire(self) -> None:
        """Forget the tickets that nobody used for too long."""
        oldest = self._clock_s() - LIFE_S
        for ticket in list(self._idle_since(oldest)):
            self._drop(ticket)

    def close(self) -> None:
        """End all tickets."""
        for ticket in list(self._tickets.values()):
            self._drop(ticket)

    def _end_stream(self, ticket: Ticket[AskedT], *, once: bool) -> None:
        ticket.streams -= 1
        self._touch(ticket)
        if once:
            self._drop(ticket)
        _close_unused(ticket)

    def _idle_since(self, moment_s: float) -> Iterator[Ticket[AskedT]]:
        for ticket in self._tickets.values():
            if ticket.used_at_s > moment_s:
                return
            if not ticket.streams:
                yield ticket

    def _surplus(self, site: str) -> list[Ticket[AskedT]]:
        """The oldest waiting tickets of an address, so many that it may have one more."""
        waiting = [ticket for ticket in self._tickets.values() if ticket.site == site and not ticket.streams]
        return waiting[: max(0, len(waiting) + 1 - self._most_per_address)]

    def _has_room(self, size_bytes: int, leaving: list[Ticket[AskedT]]) -> bool:
        """Whether a ticket may be added when those have left."""
        left_bytes = self._size_bytes - sum(ticket.size_bytes for ticket in leaving)
        return len(self._tickets) - len(leaving) < MOST_TICKETS and left_bytes + size_bytes <= MOST_BYTES

    def _touch(self, ticket: Ticket[AskedT]) -> None:
        if ticket.id in self._tickets:
            ticket.used_at_s = self._clock_s()
            self._tickets.move_to_end(ticket.id)

    def _drop(self, ticket: Ticket[AskedT]) -> None:
        if self._tickets.pop(ticket.id, None) is not None:
            self._size_bytes -= ticket.size_bytes
            ticket.withdrawn.set()
            _close_unused(ticket)


@asynccontextmanager
async def sweeping(tickets: Tickets[AskedT]) -> AsyncGenerator[Tickets[AskedT], None]:
    """Tickets that also expire while nobody asks, for their files lie on the disk; all end with the block."""
    sweep = asyncio.create_task(_sweep(tickets))
    try:
        yield tickets
    finally:
        sweep.cancel()
        await asyncio.gather(sweep, return_exceptions=True)
        tickets.close()


async def _sweep(tickets: Tickets[Any]) -> None:
    while True:
        await asyncio.sleep(SWEEP_S)
        tickets.expire()


def _close_unused(ticket: Ticket[Any]) -> None:
    """Close the files of a ticket that has ended, once no stream reads them any more."""
    if ticket.withdrawn.is_set() and not ticket.streams:
        ticket.files.close()
