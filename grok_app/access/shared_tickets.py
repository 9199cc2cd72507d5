"""Tickets that every process of an installation knows: issued by one, used at another, withdrawn at a third."""

import asyncio
import re
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from itertools import chain
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, Protocol, TypeVar

from pydantic import ValidationError

from grok_app.access import ticket_scripts as scripts
from grok_app.access.address import site_of
from grok_app.access.later import Later
from grok_app.access.shared_time import BATCH, LEASE_S, RENEW_S, microseconds, moment
from grok_app.access.tickets import FULL, LIFE_S, MOST_BYTES, MOST_TICKETS, UNKNOWN, AskedT, Ticket, Tickets, sweeping
from grok_app.errors import NotFoundError, OverloadedError
from grok_app.logs import get_logger
from grok_app.shared import Script, Shared, SharedAwayError

log = get_logger(__name__)
PIECE_BYTES: Final = 1 << 20
"""Of a file; each is sent by itself, so that none holds Redis up, nor takes longer than an answer may."""
_ID: Final = re.compile("[0-9a-f]{32}")
_AWAY: Final = "Tasks can't be looked up. Please try again soon."
WishT = TypeVar("WishT")


class Writing(Protocol[WishT]):
    """How wishes of a kind are written down, for others to read."""

    def file_of(self, wish: WishT) -> IO[bytes] | None:
        """The file that belongs to it."""

    def write(self, wish: WishT) -> bytes:
        """All of it but the file."""

    def read(self, text: bytes, file: IO[bytes] | None) -> WishT:
        """The wish; without its file, where that isn't given.

        Raises:
            pydantic.ValidationError: Another version has written it.
        """


class SharedTickets(Tickets[AskedT]):
    """The tickets of one kind, in Redis with their files.

    While Redis is away, a ticket that is issued stays with this process, which alone knows it until it ends; those in
    Redis can't be used, but streams under way go on.

    Args:
        shared: Where they are.
        kind: Their name there.
        writing: How their wishes are written.
        most_per_address: As `Tickets` has it.
        clock_s: The time; None: a clock of this machine that never goes back, and the one of Redis.
    """

    def __init__(
        self,
        shared: Shared,
        kind: str,
        writing: Writing[AskedT],
        *,
        most_per_address: int,
        clock_s: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(most_per_address=most_per_address, clock_s=clock_s or time.monotonic)
        self._shared = shared
        self._kind = shared.key("tickets", kind)
        self._writing = writing
        self._clock = clock_s
        self._streams: dict[str, Ticket[AskedT]] = {}
        """Those that are open here, by an id of their own."""
        self._later = Later(self.renew, RENEW_S)
        self._issue, self._append, self._find = map(shared.script, (scripts.ISSUE, scripts.APPEND, scripts.FIND))
        self._use, self._leave = map(shared.script, (scripts.USE, scripts.LEAVE))
        self._renew, self._withdraw = map(shared.script, (scripts.RENEW, scripts.WITHDRAW))
        shared.on_message(f"tickets:{kind}", lambda message: self._end({message.decode()}))

    async def issue(
        self, asked: AskedT, address: str, *, files: ExitStack | None = None, size_bytes: int = 0
    ) -> Ticket[AskedT]:
        """Make a ticket, as `Tickets.issue` does."""
        with files or ExitStack() as kept:
            ticket = Ticket(secrets.token_hex(16), asked, site_of(address), ExitStack(), size_bytes, 0.0)
            try:
                await self._hand_in(ticket)
            except SharedAwayError:
                log.warning("Redis is away: a task stays with this process")
                return await super().issue(asked, address, files=kept.pop_all(), size_bytes=size_bytes)
            return ticket

    async def find(self, ticket_id: str) -> Ticket[AskedT]:
        """The ticket of this id, as `Tickets.find` does; without its file."""
        if ticket_id in self._tickets:
            return await super().find(ticket_id)
        if not _ID.fullmatch(ticket_id):
            raise NotFoundError(UNKNOWN)
        try:
            text = await self._run(self._find, ticket_id)
        except SharedAwayError as error:
            raise OverloadedError(_AWAY) from error
        if text is None:
            raise NotFoundError(UNKNOWN)
        return Ticket(ticket_id, self._read(text, None), "", ExitStack(), 0, 0.0)

    async def use(self, ticket: Ticket[AskedT], *, once: bool = False) -> ExitStack:
        """Have a stream of this ticket open, as `Tickets.use` does; its file is fetched now."""
        if ticket.id in self._tickets:
            return await super().use(ticket, once=once)
        stream = secrets.token_hex(8)
        self._streams[stream] = ticket  # before Redis is asked: else a withdrawal might go unheard
        with ExitStack() as using:
            end = using.enter_context(ExitStack())
            end.callback(self._leave_stream, ticket, stream, once=False)
            try:
                size_bytes = await self._run(self._use, ticket.id, stream, microseconds(LEASE_S), int(once))
                if size_bytes is None:
                    raise NotFoundError(UNKNOWN)
                if size_bytes:
                    await self._fetch(ticket, size_bytes, using)
            except SharedAwayError as error:
                raise OverloadedError(_AWAY) from error
            end.pop_all()
            using.callback(self._leave_stream, ticket, stream, once=once)
            return using.pop_all()

    async def withdraw(self, ticket_ids: Iterable[str]) -> int:
        """End these tickets and their streams, as `Tickets.withdraw` does; with Redis away, as far as they are here."""
        ids = set(ticket_ids)
        count = await super().withdraw(ids)
        here = {ticket.id for ticket in self._streams.values()} & ids
        try:
            count += await self._run(self._withdraw, microseconds(2 * LEASE_S), *filter(_ID.fullmatch, ids))
        except SharedAwayError:
            count += len(here)
        self._end(here)
        return count

    async def renew(self) -> None:
        """Keep the streams open for another `LEASE_S`, and end those that were withdrawn unheard.

        Raises:
            SharedAwayError: Redis is away.
        """
        streams = [(ticket.id, stream) for stream, ticket in self._streams.items()]
        for start in range(0, len(streams), BATCH):
            batch = chain.from_iterable(streams[start : start + BATCH])
            ended = await self._run(self._renew, microseconds(LEASE_S), *batch)
            self._end({ticket_id.decode() for ticket_id in ended})

    @asynccontextmanager
    async def going(self) -> AsyncGenerator[None, None]:
        """Renew and close streams while the block runs."""
        async with self._later.going():
            yield

    async def _run(self, script: Script, *arguments: str | bytes | int) -> Any:
        return await script([self._kind], (moment(self._clock), microseconds(LIFE_S), *arguments))

    async def _hand_in(self, ticket: Ticket[AskedT]) -> None:
        """Put a ticket into Redis, and its file, piece by piece."""
        text, most = self._writing.write(ticket.asked), (self._most_per_address, MOST_TICKETS, MOST_BYTES)
        if not await self._run(self._issue, ticket.id, ticket.site, ticket.size_bytes, text, *most):
            raise OverloadedError(FULL)
        if file := self._writing.file_of(ticket.asked):
            await asyncio.to_thread(file.seek, 0)
            while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
                await self._run(self._append, ticket.id, piece)

    async def _fetch(self, ticket: Ticket[AskedT], size_bytes: int, using: ExitStack) -> None:
        """Complete a ticket by its file, which is closed with its use."""
        file = using.enter_context(SpooledTemporaryFile(PIECE_BYTES))  # noqa: SIM115 - it is one, of the caller
        name = f"{self._kind}:file:{ticket.id}"
        for start in range(0, size_bytes, PIECE_BYTES):
            end = start + PIECE_BYTES - 1
            piece = await self._shared.call(lambda redis: redis.getrange(name, start, end))  # noqa: B023 - called at once
            await asyncio.to_thread(file.write, piece)
        text = await self._run(self._find, ticket.id)
        if text is None or file.tell() != size_bytes:  # it was withdrawn meanwhile
            raise NotFoundError(UNKNOWN)
        file.seek(0)
        ticket.asked = self._read(text, file)

    def _read(self, text: bytes, file: IO[bytes] | None) -> AskedT:
        try:
            return self._writing.read(text, file)
        except ValidationError as error:
            log.warning("another version has written a task")
            raise NotFoundError(UNKNOWN) from error

    def _leave_stream(self, ticket: Ticket[AskedT], stream: str, *, once: bool) -> None:
        del self._streams[stream]
        self._later.do(partial(self._run, self._leave, ticket.id, stream, microseconds(2 * LEASE_S), int(once)))

    def _end(self, ticket_ids: set[str]) -> None:
        for ticket in self._streams.values():
            if ticket.id in ticket_ids:
                ticket.withdrawn.set()


@asynccontextmanager
async def open_tickets(
    shared: Shared | None, kind: str, writing: Writing[AskedT], *, most_per_address: int
) -> AsyncGenerator[Tickets[AskedT], None]:
    """Tickets that all processes know, if anything is shared; those that only this one knows end with the block.

    Args:
        shared: Where they are.
        kind: Their name there.
        writing: How their wishes are written.
        most_per_address: As `Tickets` has it.
    """
    if shared is None:
        async with sweeping(Tickets[AskedT](most_per_address=most_per_address)) as tickets:
            yield tickets
        return
    known = SharedTickets(shared, kind, writing, most_per_address=most_per_address)
    async with known.going(), sweeping(known):
        yield known
