"""Tickets: how long they live, who may use them, and what becomes of their files."""

import asyncio
import re
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_app.access.tickets import LIFE_S, MOST_BYTES, Ticket, Tickets, open_tickets
from grok_app.errors import NotFoundError, OverloadedError
from tests.access.fixed import Clock

ADDRESS = "192.0.2.1"
OTHER = "192.0.2.2"


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


def few(clock: Clock | None = None, most: int = 3) -> Tickets[str]:
    """Tickets, so many of an address."""
    return Tickets(most_per_address=most, clock_s=clock or Clock())


def lives(tickets: Tickets[str], ticket: Ticket[str]) -> bool:
    """Whether it is still found."""
    try:
        return tickets.find(ticket.id) is ticket
    except NotFoundError:
        return False


def test_a_ticket_is_found_by_an_id_that_nobody_guesses() -> None:
    """128 random bits; nothing else finds it."""
    tickets = few()
    ticket = tickets.issue("a cat", ADDRESS)
    assert re.fullmatch("[0-9a-f]{32}", ticket.id)
    assert tickets.find(ticket.id).asked == "a cat"
    assert len({tickets.issue("a cat", ADDRESS).id for _ in range(100)}) == 100
    with pytest.raises(NotFoundError, match=r"^Task not found$"):
        tickets.find("")


def test_a_ticket_that_nobody_uses_is_forgotten_in_time() -> None:
    """Looking for it is no use of it."""
    clock, file = Clock(), File()
    tickets = few(clock)
    ticket = tickets.issue("a cat", ADDRESS, files=file.held())
    clock.now_s += LIFE_S - 1
    assert lives(tickets, ticket)
    clock.now_s += 1
    assert not lives(tickets, ticket)
    assert file.closed() == 1


def test_a_ticket_lives_from_its_last_use() -> None:
    """A use ends with its stream, however long that lasts; until then the ticket lives."""
    clock = Clock()
    tickets = few(clock)
    ticket = tickets.issue("a cat", ADDRESS)
    with tickets.using(ticket):
        clock.now_s += 10 * LIFE_S
        with tickets.using(tickets.find(ticket.id)):
            clock.now_s += 10 * LIFE_S
        clock.now_s += 10 * LIFE_S
        assert lives(tickets, ticket)
    clock.now_s += LIFE_S - 1
    assert lives(tickets, ticket)
    clock.now_s += 1
    assert not lives(tickets, ticket)


def test_one_in_use_does_not_keep_others_alive() -> None:
    """Tickets that are older or younger than a stream expire while it goes on."""
    clock = Clock()
    tickets = few(clock)
    older, used, younger = (tickets.issue("a cat", ADDRESS) for _ in range(3))
    with tickets.using(used):
        clock.now_s += LIFE_S
        assert [lives(tickets, ticket) for ticket in (older, used, younger)] == [False, True, False]


def test_a_ticket_for_one_use_ends_with_it() -> None:
    """However it ends; and nobody else may use it meanwhile, whose attempt does no harm."""
    tickets, file = few(), File()
    ticket = tickets.issue("a film", ADDRESS, files=file.held())
    stream = ExitStack()
    stream.enter_context(tickets.using(ticket, once=True))
    with pytest.raises(NotFoundError, match=r"^Task not found$"), tickets.using(ticket, once=True):
        pass
    assert lives(tickets, ticket)
    assert not file.closed()
    with pytest.raises(ZeroDivisionError), stream:
        raise ZeroDivisionError
    assert not lives(tickets, ticket)
    assert (ticket.withdrawn.is_set(), file.closed()) == (True, 1)


def test_whoever_withdraws_a_ticket_ends_its_streams() -> None:
    """At once; its files are closed when the last of them has ended, and only once."""
    tickets, file = few(), File()
    ticket = tickets.issue("a cat", ADDRESS, files=file.held())
    with tickets.using(ticket):
        with tickets.using(ticket):
            assert tickets.withdraw([ticket.id]) == 1
            assert ticket.withdrawn.is_set()
            assert not lives(tickets, ticket)
        assert not file.closed()
    assert file.closed() == 1


def test_withdrawn_tickets_are_counted_once() -> None:
    """Those that there were: not twice the same, nor unknown ones, nor those that have expired."""
    clock = Clock()
    tickets = few(clock)
    expired = tickets.issue("a cat", ADDRESS)
    clock.now_s += LIFE_S
    first, second = tickets.issue("a cat", ADDRESS), tickets.issue("a cat", OTHER)
    assert tickets.withdraw([first.id, first.id, second.id, expired.id, "unknown"]) == 2
    assert tickets.withdraw([first.id]) == 0


def test_the_oldest_waiting_ticket_of_an_address_makes_room() -> None:
    """Neither another address's nor one in use; one that was just used is the youngest."""
    tickets = few(most=2)
    others = tickets.issue("a cat", OTHER)
    used = tickets.issue("a cat", ADDRESS)
    with tickets.using(used):
        touched, waiting = tickets.issue("a cat", ADDRESS), tickets.issue("a cat", ADDRESS)
        with tickets.using(touched):
            pass
        newest = tickets.issue("a cat", ADDRESS)
        found = [lives(tickets, ticket) for ticket in (others, used, touched, waiting, newest)]
    assert found == [True, True, True, False, True]


def test_a_site_of_ipv6_is_one_address() -> None:
    """A caller with 2^64 addresses has no more tickets for that."""
    tickets = few(most=1)
    first = tickets.issue("a cat", "2001:db8::1")
    elsewhere = tickets.issue("a cat", "2001:db8:0:1::1")
    tickets.issue("a cat", "2001:db8::2")
    assert not lives(tickets, first)
    assert lives(tickets, elsewhere)


def test_streams_that_end_leave_no_crowd_behind() -> None:
    """Whoever opens many streams and leaves them has after the next one no more waiting tickets than anybody."""
    tickets = few(most=2)
    mine: list[Ticket[str]] = []
    with ExitStack() as streams:
        for _ in range(9):
            mine.append(tickets.issue("a cat", ADDRESS))
            streams.enter_context(tickets.using(mine[-1]))
    mine.append(tickets.issue("a cat", ADDRESS))
    assert [lives(tickets, ticket) for ticket in mine] == [True, *[False] * 8, True]


@pytest.mark.parametrize(("most_tickets", "size_bytes"), [(3, 0), (9, MOST_BYTES)], ids=["too many", "too large"])
def test_a_ticket_that_is_refused_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, most_tickets: int, size_bytes: int
) -> None:
    """Its own files are closed, every other ticket stays; also of an address that has as many as it may."""
    monkeypatch.setattr("grok_app.access.tickets.MOST_TICKETS", most_tickets)
    tickets, file = few(most=2), File()
    others = [tickets.issue("a film", OTHER, size_bytes=1) for _ in range(2)]
    mine = tickets.issue("a film", ADDRESS)
    with pytest.raises(OverloadedError, match="Too many tasks are waiting"), tickets.using(mine):
        tickets.issue("a film", OTHER if size_bytes else ADDRESS, files=file.held(), size_bytes=size_bytes)
    assert file.closed() == 1
    assert all(lives(tickets, ticket) for ticket in (*others, mine))


async def test_tickets_also_expire_while_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their files lie on the disk no longer than a sweep after their time."""
    monkeypatch.setattr("grok_app.access.tickets.LIFE_S", 0.0)
    monkeypatch.setattr("grok_app.access.tickets.SWEEP_S", 0.01)
    closed, files = asyncio.Event(), ExitStack()
    files.callback(closed.set)
    async with open_tickets(3) as tickets:
        ticket = tickets.issue("a film", ADDRESS, files=files)
        await closed.wait()
        assert ticket.withdrawn.is_set()


async def test_all_tickets_end_with_the_service() -> None:
    """And so do their streams; files that are still read are closed by the last reader."""
    file, read = File(), File()
    with ExitStack() as streams:
        async with open_tickets(3) as tickets:
            tickets.issue("a film", ADDRESS, files=file.held())
            ticket = tickets.issue("a film", ADDRESS, files=read.held())
            streams.enter_context(tickets.using(ticket))
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

    def __init__(self) -> None:
        self.clock = Clock()
        self.tickets = few(self.clock, most=2)
        self.known: list[Known] = []

    def living(self) -> list[Known]:
        """Those that have not ended, the one that was used last being the last."""
        for known in self.known:
            if not known.streams and known.used_at_s <= self.clock.now_s - LIFE_S:
                known.has_ended = True
        return sorted((known for known in self.known if not known.has_ended), key=lambda known: known.used_at_s)

    def issue(self, address: str, size_bytes: int) -> None:
        """It is refused exactly when it has no room, and then nothing else has happened."""
        living = self.living()
        waiting = [known for known in living if known.address == address and not known.streams]
        leaving = waiting[: max(0, len(waiting) - 1)]
        staying = [known for known in living if known not in leaving]
        has_room = len(staying) < 5 and sum(known.size_bytes for known in staying) + size_bytes <= 6
        self.clock.now_s += 1
        file = File()
        try:
            ticket = self.tickets.issue("a film", address, files=file.held(), size_bytes=size_bytes)
        except OverloadedError:
            assert not has_room
            assert file.closed() == 1
            return
        assert has_room
        for known in leaving:
            known.has_ended = True
        self.known.append(Known(ticket, address, size_bytes, file, self.clock.now_s))

    def open(self, known: Known, *, once: bool) -> None:
        """Open a stream, if the ticket is still found and may be used."""
        living = known in self.living()
        assert lives(self.tickets, known.ticket) is living
        if living and not (once and known.streams):
            stream = ExitStack()
            stream.enter_context(self.tickets.using(known.ticket, once=once))
            known.streams.append((stream, once))

    def leave(self, known: Known) -> None:
        """Close a stream of it, if there is one."""
        self.living()
        if known.streams:
            stream, once = known.streams.pop(0)
            self.clock.now_s += 1
            known.used_at_s = self.clock.now_s
            known.has_ended = known.has_ended or once
            stream.close()

    def withdraw(self, known: Known) -> None:
        """End it."""
        assert self.tickets.withdraw([known.ticket.id]) == (known in self.living())
        known.has_ended = True

    def check(self) -> None:
        """Who has ended is not found, and knows it; its file is closed once nobody reads it."""
        self.tickets.expire()
        living = self.living()
        for known in self.known:
            assert lives(self.tickets, known.ticket) is (known in living)
            assert known.ticket.withdrawn.is_set() is known.has_ended
            assert known.file.closed() == (known.has_ended and not known.streams)


NUMBERS = st.integers(0, 5)
STEPS = st.one_of(
    st.tuples(st.just("issue"), st.integers(0, 14)),
    st.tuples(st.sampled_from(["open", "open once", "leave", "withdraw"]), NUMBERS),
    st.tuples(st.just("wait"), st.sampled_from([1, 2, 6])),
)


@given(st.lists(STEPS, min_size=20, max_size=50))
def test_they_are_kept_as_a_list_would(steps: list[tuple[str, int]]) -> None:
    """After any history: who is found, whose streams must end, whose files are closed, and what has room."""
    with pytest.MonkeyPatch.context() as small:
        small.setattr("grok_app.access.tickets.MOST_TICKETS", 5)
        small.setattr("grok_app.access.tickets.MOST_BYTES", 6)
        model = Model()
        for step, number in steps:
            known = model.known[-1 - number % len(model.known)] if model.known else None
            if step == "issue":
                model.issue([ADDRESS, ADDRESS, OTHER][number % 3], number % 5)
            elif step == "wait":
                model.clock.now_s += number * LIFE_S / 6
            elif known and step.startswith("open"):
                model.open(known, once=step == "open once")
            elif known:
                (model.leave if step == "leave" else model.withdraw)(known)
            model.check()
