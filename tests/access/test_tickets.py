"""Tickets: how long they live, who may use them, and what becomes of their files."""

import asyncio
import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import BytesIO
from itertools import cycle
from typing import IO, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grok_app.access import Ticket, Tickets, open_tickets
from grok_app.access.shared_tickets import SharedTickets
from grok_app.access.shared_time import RENEW_S
from grok_app.access.tickets import LIFE_S, MOST_BYTES
from grok_app.errors import NotFoundError, OverloadedError
from grok_app.shared import Shared
from tests.access.fixed import Clock

ADDRESS = "192.0.2.1"
OTHER = "192.0.2.2"
Share = Callable[[], Shared | None]


class File:
    """Something to close; knows how often it was."""

    def __init__(self) -> None:
        self._closed = 0

    def close(self) -> None:
        """Count it."""
        self._closed += 1

    def closed(self) -> int:
        """How often it was."""
        return self._closed

    def held(self) -> ExitStack:
        """What closes it."""
        stack = ExitStack()
        stack.callback(self.close)
        return stack


class Words:
    """Wishes in words; one that begins with an x is the content of a file."""

    def file_of(self, wish: str) -> IO[bytes] | None:
        """The words, if they are a file's."""
        return BytesIO(wish.encode()) if wish.startswith("x") else None

    def write(self, wish: str) -> bytes:
        """The words, if they are no file's."""
        return b"" if wish.startswith("x") else wish.encode()

    def read(self, text: bytes, file: IO[bytes] | None) -> str:
        """The words."""
        return (file.read() if file else text).decode()


class InTurns:
    """The tickets of one process, or of two in turns over Redis."""

    def __init__(self, shared: Shared | None, clock: Clock, most: int) -> None:
        self._clock = clock
        self.shared = [
            SharedTickets[str](shared, "films", Words(), most_per_address=most, clock_s=clock)
            for _ in range(2)
            if shared
        ]
        self._turns = cycle(self.shared or [Tickets[str](most_per_address=most, clock_s=clock)])

    def __getattr__(self, name: str) -> Any:
        """Of the process whose turn it is."""
        return getattr(next(self._turns), name)

    async def settle(self) -> None:
        """Let others know of streams that have ended, as they do at once while they serve."""
        for process in self.shared:
            await process._later.do_all()

    async def wait(self, seconds: float) -> None:
        """Let time pass, in which streams go on."""
        await self.settle()
        end_s = self._clock.now_s + seconds
        while self.shared and self._clock.now_s + RENEW_S < end_s:
            self._clock.now_s += RENEW_S
            for process in self.shared:
                await process.renew()
        self._clock.now_s = end_s


def few(shared: Shared | None = None, clock: Clock | None = None, most: int = 3) -> InTurns:
    """Tickets, so many of an address."""
    return InTurns(shared, clock or Clock(), most)


async def lives(tickets: InTurns, ticket: Ticket[str]) -> bool:
    """Whether it is still found."""
    try:
        await tickets.find(ticket.id)
    except NotFoundError:
        return False
    return True


async def test_a_ticket_is_found_by_an_id_that_nobody_guesses(share: Share) -> None:
    """128 random bits; nothing else finds it."""
    tickets = few(share())
    ticket = await tickets.issue("a cat", ADDRESS)
    assert re.fullmatch("[0-9a-f]{32}", ticket.id)
    assert (await tickets.find(ticket.id)).asked == "a cat"
    assert len({(await tickets.issue("a cat", ADDRESS)).id for _ in range(100)}) == 100
    with pytest.raises(NotFoundError, match=r"^Task not found$"):
        await tickets.find("")


async def test_a_ticket_that_nobody_uses_is_forgotten_in_time(share: Share) -> None:
    """Looking for it is no use of it."""
    clock, file = Clock(), File()
    tickets = few(share(), clock)
    ticket = await tickets.issue("a cat", ADDRESS, files=file.held())
    await tickets.wait(LIFE_S - 1)
    assert await lives(tickets, ticket)
    await tickets.wait(1)
    assert not await lives(tickets, ticket)
    assert file.closed() == 1


async def test_a_ticket_lives_from_its_last_use(share: Share) -> None:
    """A use ends with its stream, however long that lasts; until then the ticket lives."""
    clock = Clock()
    tickets = few(share(), clock)
    ticket = await tickets.issue("a cat", ADDRESS)
    with await tickets.use(ticket):
        await tickets.wait(10 * LIFE_S)
        with await tickets.use(await tickets.find(ticket.id)):
            await tickets.wait(10 * LIFE_S)
        await tickets.wait(10 * LIFE_S)
        assert await lives(tickets, ticket)
    await tickets.wait(LIFE_S - 1)
    assert await lives(tickets, ticket)
    await tickets.wait(1)
    assert not await lives(tickets, ticket)


async def test_one_in_use_does_not_keep_others_alive(share: Share) -> None:
    """Tickets that are older or younger than a stream expire while it goes on."""
    clock = Clock()
    tickets = few(share(), clock)
    older, used, younger = [await tickets.issue("a cat", ADDRESS) for _ in range(3)]
    with await tickets.use(used):
        await tickets.wait(LIFE_S)
        assert [await lives(tickets, ticket) for ticket in (older, used, younger)] == [False, True, False]


async def test_a_ticket_for_one_use_ends_with_it(share: Share) -> None:
    """However it ends; and nobody else may use it meanwhile, whose attempt does no harm."""
    tickets, file = few(share()), File()
    ticket = await tickets.issue("a film", ADDRESS, files=file.held())
    stream = ExitStack()
    stream.enter_context(await tickets.use(ticket, once=True))
    with pytest.raises(NotFoundError, match=r"^Task not found$"), await tickets.use(ticket, once=True):
        pass
    assert await lives(tickets, ticket)
    assert file.closed() == bool(tickets.shared)
    with pytest.raises(ZeroDivisionError), stream:
        raise ZeroDivisionError
    await tickets.settle()
    assert not await lives(tickets, ticket)
    assert file.closed() == 1
    assert tickets.shared or ticket.withdrawn.is_set()


async def test_whoever_withdraws_a_ticket_ends_its_streams() -> None:
    """At once; its files are closed when the last of them has ended, and only once."""
    tickets, file = few(), File()
    ticket = await tickets.issue("a cat", ADDRESS, files=file.held())
    with await tickets.use(ticket):
        with await tickets.use(ticket):
            assert await tickets.withdraw([ticket.id]) == 1
            assert ticket.withdrawn.is_set()
            assert not await lives(tickets, ticket)
        assert not file.closed()
    assert file.closed() == 1


async def test_withdrawn_tickets_are_counted_once(share: Share) -> None:
    """Those that there were: not twice the same, nor unknown ones, nor those that have expired."""
    clock = Clock()
    tickets = few(share(), clock)
    expired = await tickets.issue("a cat", ADDRESS)
    await tickets.wait(LIFE_S)
    first, second = await tickets.issue("a cat", ADDRESS), await tickets.issue("a cat", OTHER)
    assert await tickets.withdraw([first.id, first.id, second.id, expired.id, "unknown"]) == 2
    assert await tickets.withdraw([first.id]) == 0


async def test_the_oldest_waiting_ticket_of_an_address_makes_room(share: Share) -> None:
    """Neither another address's nor one in use; one that was just used is the youngest."""
    clock = Clock()
    tickets = few(share(), clock, most=2)
    others = await tickets.issue("a cat", OTHER)
    used = await tickets.issue("a cat", ADDRESS)
    with await tickets.use(used):
        touched = await tickets.issue("a cat", ADDRESS)
        clock.now_s += 1
        waiting = await tickets.issue("a cat", ADDRESS)
        with await tickets.use(touched):
            clock.now_s += 1
        await tickets.settle()
        newest = await tickets.issue("a cat", ADDRESS)
        found = [await lives(tickets, ticket) for ticket in (others, used, touched, waiting, newest)]
    assert found == [True, True, True, False, True]


async def test_a_site_of_ipv6_is_one_address(share: Share) -> None:
    """A caller with 2^64 addresses has no more tickets for that."""
    tickets = few(share(), most=1)
    first = await tickets.issue("a cat", "2001:db8::1")
    elsewhere = await tickets.issue("a cat", "2001:db8:0:1::1")
    await tickets.issue("a cat", "2001:db8::2")
    assert not await lives(tickets, first)
    assert await lives(tickets, elsewhere)


async def test_streams_that_end_leave_no_crowd_behind(share: Share) -> None:
    """Whoever opens many streams and leaves them has after the next one no more waiting tickets than anybody."""
    tickets = few(share(), most=2)
    mine: list[Ticket[str]] = []
    with ExitStack() as streams:
        for _ in range(9):
            mine.append(await tickets.issue("a cat", ADDRESS))
            streams.enter_context(await tickets.use(mine[-1]))
    await tickets.settle()
    mine.append(await tickets.issue("a cat", ADDRESS))
    found = [await lives(tickets, ticket) for ticket in mine]
    assert (sum(found), found[-1]) == (2, True)


@pytest.mark.parametrize(("most_tickets", "size_bytes"), [(3, 0), (9, MOST_BYTES)], ids=["too many", "too large"])
async def test_a_ticket_that_is_refused_changes_nothing(
    share: Share, monkeypatch: pytest.MonkeyPatch, most_tickets: int, size_bytes: int
) -> None:
    """Its own files are closed, every other ticket stays; also of an address that has as many as it may."""
    for module in ("tickets", "shared_tickets"):
        monkeypatch.setattr(f"grok_app.access.{module}.MOST_TICKETS", most_tickets)
    tickets, file = few(share(), most=2), File()
    others = [await tickets.issue("a film", OTHER, size_bytes=1) for _ in range(2)]
    mine = await tickets.issue("a film", ADDRESS)
    with pytest.raises(OverloadedError, match="Too many tasks are waiting"), await tickets.use(mine):
        await tickets.issue("a film", OTHER if size_bytes else ADDRESS, files=file.held(), size_bytes=size_bytes)
    assert file.closed() == 1
    assert all([await lives(tickets, ticket) for ticket in (*others, mine)])


async def test_tickets_also_expire_while_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their files lie on the disk no longer than a sweep after their time."""
    monkeypatch.setattr("grok_app.access.tickets.LIFE_S", 0.0)
    monkeypatch.setattr("grok_app.access.tickets.SWEEP_S", 0.01)
    closed, files = asyncio.Event(), ExitStack()
    files.callback(closed.set)
    async with open_tickets(None, "films", Words(), most_per_address=3) as tickets:
        ticket = await tickets.issue("a film", ADDRESS, files=files)
        await closed.wait()
        assert ticket.withdrawn.is_set()


async def test_all_tickets_end_with_the_service() -> None:
    """And so do their streams; files that are still read are closed by the last reader."""
    file, read = File(), File()
    with ExitStack() as streams:
        async with open_tickets(None, "films", Words(), most_per_address=3) as tickets:
            await tickets.issue("a film", ADDRESS, files=file.held())
            ticket = await tickets.issue("a film", ADDRESS, files=read.held())
            streams.enter_context(await tickets.use(ticket))
        assert ticket.withdrawn.is_set()
        assert (file.closed(), read.closed()) == (1, 0)
    assert read.closed() == 1


@dataclass
class Known:
    """What must be true of a ticket that was issued."""

    ticket: Ticket[str]
    address: str
    size_bytes: int
    file: File
    used_at_s: float
    streams: list[tuple[ExitStack, bool]] = field(default_factory=list)
    has_ended: bool = False


class Model:
    """Tickets as a list would keep them, beside the real ones: 5 of 6 bytes in all, 2 waiting of an address."""

    def __init__(self, shared: Shared | None) -> None:
        self.clock = Clock()
        self.tickets = few(shared, self.clock, most=2)
        self.known: list[Known] = []

    def living(self) -> list[Known]:
        """Those that have not ended, the one that was used last being the last."""
        for known in self.known:
            if not known.streams and known.used_at_s <= self.clock.now_s - LIFE_S:
                known.has_ended = True
        return sorted((known for known in self.known if not known.has_ended), key=lambda known: known.used_at_s)

    async def issue(self, address: str, size_bytes: int) -> None:
        """It is refused exactly when it has no room, and then nothing else has happened."""
        living = self.living()
        waiting = [known for known in living if known.address == address and not known.streams]
        leaving = waiting[: max(0, len(waiting) - 1)]
        staying = [known for known in living if known not in leaving]
        has_room = len(staying) < 5 and sum(known.size_bytes for known in staying) + size_bytes <= 6
        self.clock.now_s += 1
        file = File()
        try:
            ticket = await self.tickets.issue("x" * size_bytes, address, files=file.held(), size_bytes=size_bytes)
        except OverloadedError:
            assert not has_room
            assert file.closed() == 1
            return
        assert has_room
        for known in leaving:
            known.has_ended = True
        self.known.append(Known(ticket, address, size_bytes, file, self.clock.now_s))

    async def open(self, known: Known, *, once: bool) -> None:
        """Open a stream, if the ticket is still found and may be used."""
        living = known in self.living()
        assert await lives(self.tickets, known.ticket) is living
        if living and not (once and known.streams):
            stream, ticket = ExitStack(), await self.tickets.find(known.ticket.id)
            stream.enter_context(await self.tickets.use(ticket, once=once))
            assert ticket.asked == "x" * known.size_bytes
            known.streams.append((stream, once))

    async def leave(self, known: Known) -> None:
        """Close a stream of it, if there is one."""
        self.living()
        if known.streams:
            stream, once = known.streams.pop(0)
            self.clock.now_s += 1
            known.used_at_s = self.clock.now_s
            known.has_ended = known.has_ended or once
            stream.close()
            await self.tickets.settle()

    async def leave_all(self) -> None:
        """Close every stream."""
        for known in self.known:
            while known.streams:
                await self.leave(known)

    async def withdraw(self, known: Known) -> None:
        """End it."""
        assert await self.tickets.withdraw([known.ticket.id]) == (known in self.living())
        known.has_ended = True

    async def check(self) -> None:
        """Who has ended is not found, and knows it; its file is closed once nobody reads it."""
        self.tickets.expire()
        living = self.living()
        for known in self.known:
            assert await lives(self.tickets, known.ticket) is (known in living)
            if not self.tickets.shared:
                assert known.ticket.withdrawn.is_set() is known.has_ended
                assert known.file.closed() == (known.has_ended and not known.streams)


NUMBERS = st.integers(0, 5)
STEPS = st.one_of(
    st.tuples(st.just("issue"), st.integers(0, 14)),
    st.tuples(st.sampled_from(["open", "open once", "leave", "withdraw"]), NUMBERS),
    st.tuples(st.just("wait"), st.sampled_from([1, 2, 6])),
)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, min_size=20, max_size=50))
async def test_they_are_kept_as_a_list_would(share: Share, steps: list[tuple[str, int]]) -> None:
    """After any history: who is found, whose streams must end, whose files are closed, and what has room."""
    with pytest.MonkeyPatch.context() as small:
        for module in ("tickets", "shared_tickets"):
            small.setattr(f"grok_app.access.{module}.MOST_TICKETS", 5)
            small.setattr(f"grok_app.access.{module}.MOST_BYTES", 6)
        model = Model(share())
        for step, number in steps:
            known = model.known[-1 - number % len(model.known)] if model.known else None
            if step == "issue":
                await model.issue([ADDRESS, ADDRESS, OTHER][number % 3], number % 5)
            elif step == "wait":
                await model.tickets.wait(number * LIFE_S / 6)
            elif known and step.startswith("open"):
                await model.open(known, once=step == "open once")
            elif known:
                await (model.leave if step == "leave" else model.withdraw)(known)
            await model.check()
        await model.leave_all()
