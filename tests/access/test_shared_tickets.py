"""Tickets that several processes know, with Redis and while it is away."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from io import BytesIO
from typing import IO, Any
from uuid import uuid4

import pytest
from pydantic import TypeAdapter
from redis.asyncio import Redis

from grok_app.access import Tickets
from grok_app.access.shared_tickets import PIECE_BYTES, SharedTickets
from grok_app.access.shared_time import LEASE_S
from grok_app.access.tickets import LIFE_S
from grok_app.errors import NotFoundError, OverloadedError
from grok_app.shared import Shared, SharedAwayError, open_shared
from tests.access.fixed import Clock
from tests.redis import Cable, forget

ADDRESS = "192.0.2.1"


@dataclass(frozen=True)
class Wish:
    """Words, and perhaps a file."""

    words: str
    file: IO[bytes] | None = None


class Writing:
    """How it is written: the words as JSON."""

    def __init__(self) -> None:
        self._words = TypeAdapter(str)

    def file_of(self, wish: Wish) -> IO[bytes] | None:
        """The file."""
        return wish.file

    def write(self, wish: Wish) -> bytes:
        """The words."""
        return self._words.dump_json(wish.words)

    def read(self, text: bytes, file: IO[bytes] | None) -> Wish:
        """The wish."""
        return Wish(self._words.validate_json(text), file)


@dataclass
class Process:
    """One process: its tickets, and its way to Redis."""

    shared: Shared
    tickets: SharedTickets[Wish]

    async def is_back(self) -> bool:
        """Whether Redis is there; leases are renewed then."""
        try:
            await self.shared.ping()
            await self.tickets.renew()
        except SharedAwayError:
            return False
        return True


Start = Callable[..., Awaitable[Process]]


@pytest.fixture
def clock() -> Clock:
    """The time."""
    return Clock()


@pytest.fixture
async def start(redis_url: str, clock: Clock) -> AsyncGenerator[Start]:
    """Starts another process of one installation, perhaps with another way to Redis."""
    name = uuid4().hex
    async with AsyncExitStack() as stack:

        async def start_process(url: str = redis_url) -> Process:
            shared = await stack.enter_async_context(open_shared(url, name))
            assert shared
            tickets = SharedTickets(shared, "films", Writing(), most_per_address=3, clock_s=clock)
            await stack.enter_async_context(tickets.going())
            return Process(shared, tickets)

        yield start_process
    forget(redis_url, name)


async def until(is_so: Callable[[], Awaitable[Any]]) -> None:
    """Wait for another process's doing."""
    async with asyncio.timeout(10):
        while not await is_so():  # noqa: ASYNC110 - another process's doing has no event
            await asyncio.sleep(0.01)


async def finds(tickets: Tickets[Any], ticket_id: str) -> bool:
    """Whether a ticket is known."""
    try:
        await tickets.find(ticket_id)
    except NotFoundError:
        return False
    return True


async def keys(shared: Shared) -> set[str]:
    """What is kept in Redis."""

    async def scan(redis: Redis) -> set[str]:
        return {key.decode() async for key in redis.scan_iter(f"{shared.key()}*", count=10_000)}

    return await shared.call(scan)


async def test_a_wish_reaches_another_process_with_its_file(start: Start) -> None:
    """However large that is; both files are closed when they aren't needed any more, and nothing stays in Redis."""
    here, there = await start(), await start()
    content = bytes(range(256)) * (3 * PIECE_BYTES // 256) + b"the end"
    files, given = ExitStack(), BytesIO(content)
    files.enter_context(given)
    given.seek(5)
    wish = Wish("a film", given)
    ticket_id = (await here.tickets.issue(wish, ADDRESS, files=files, size_bytes=len(content))).id
    assert given.closed

    ticket = await there.tickets.find(ticket_id)
    assert ticket.asked == Wish("a film")
    with await there.tickets.use(ticket, once=True):
        file = ticket.asked.file
        assert file
        assert file.read() == content
    assert file.closed

    async def is_clean() -> bool:
        left = {key.removeprefix(there.shared.key("tickets", "films")) for key in await keys(there.shared)}
        return left == {":bytes", f":gone:{ticket_id}"}

    await until(is_clean)
    assert await there.shared.call(lambda redis: redis.get(there.shared.key("tickets", "films:bytes"))) == b"0"
    with await here.tickets.use(await here.tickets.issue(Wish("another"), ADDRESS)):
        pass


async def test_one_of_many_uses_a_ticket_for_one(start: Start) -> None:
    """Whoever they are, and if all come at once."""
    processes = [await start() for _ in range(3)]
    ticket = await processes[0].tickets.issue(Wish("a film"), ADDRESS)

    uses = (process.tickets.use(ticket, once=True) for process in processes for _ in range(10))
    results = await asyncio.gather(*uses, return_exceptions=True)

    [stream] = [result for result in results if isinstance(result, ExitStack)]
    assert sum(isinstance(result, NotFoundError) for result in results) == 29
    assert await finds(processes[1].tickets, ticket.id)
    stream.close()

    async def is_over() -> bool:
        return not any([await finds(process.tickets, ticket.id) for process in processes])

    await until(is_over)


async def test_who_withdraws_a_ticket_ends_its_streams_everywhere(start: Start) -> None:
    """At once."""
    here, there = await start(), await start()
    await until_subscribed(there)
    ticket = await here.tickets.issue(Wish("a cat"), ADDRESS)
    mine, theirs = await here.tickets.find(ticket.id), await there.tickets.find(ticket.id)
    with await here.tickets.use(mine), await there.tickets.use(theirs):
        assert await here.tickets.withdraw([ticket.id, "unknown"]) == 1
        assert mine.withdrawn.is_set()
        async with asyncio.timeout(1):
            await theirs.withdrawn.wait()
    assert await there.tickets.withdraw([ticket.id]) == 0


async def until_subscribed(process: Process) -> None:
    """Wait until it hears messages."""
    heard = asyncio.Event()
    process.shared.on_message("hello", lambda _: heard.set())

    async def is_heard() -> bool:
        await process.shared.tell("hello", "")
        return heard.is_set()

    await until(is_heard)


async def test_a_withdrawal_that_was_not_heard_is_seen(start: Start) -> None:
    """With the next renewal. What Redis has merely forgotten ends no stream."""
    here, there = await start(), await start()
    there.shared.on_message("tickets:films", lambda _: None)
    withdrawn, lost = [await here.tickets.issue(Wish("a cat"), ADDRESS) for _ in range(2)]
    with await there.tickets.use(withdrawn), await there.tickets.use(lost):
        await here.tickets.withdraw([withdrawn.id])
        kind = here.shared.key("tickets", "films")
        await here.shared.call(lambda redis: redis.delete(f"{kind}:sites", f"{kind}:wish:{lost.id}"))
        await there.tickets.renew()
        assert (withdrawn.withdrawn.is_set(), lost.withdrawn.is_set()) == (True, False)
        assert not await finds(here.tickets, lost.id)


async def test_a_process_that_dies_holds_no_ticket(start: Start, clock: Clock) -> None:
    """What it had open counts as used until `LEASE_S` have passed, and lives on as after any use."""
    dead, here = await start(), await start()
    ticket = await here.tickets.issue(Wish("a film"), ADDRESS)
    stream = await dead.tickets.use(ticket, once=True)
    clock.now_s += LEASE_S - 1
    with pytest.raises(NotFoundError):
        await here.tickets.use(ticket, once=True)
    clock.now_s += 1
    (await here.tickets.use(ticket)).close()
    clock.now_s += LIFE_S
    assert not await finds(here.tickets, ticket.id)
    stream.close()


async def test_what_another_version_has_written_is_not_found(start: Start) -> None:
    """While processes are replaced one by one."""
    here = await start()
    ticket = await here.tickets.issue(Wish("a cat"), ADDRESS)
    name = here.shared.key("tickets", f"films:wish:{ticket.id}")
    await here.shared.call(lambda redis: redis.set(name, b'{"words": "a cat"}'))
    assert not await finds(here.tickets, ticket.id)


async def test_without_redis_a_ticket_stays_with_its_process(start: Start, cable: Cable) -> None:
    """With its file, and also when Redis is back; nobody else knows it."""
    here, there = await start(cable.url), await start()
    await cable.cut()
    files, given = ExitStack(), BytesIO(b"content")
    files.enter_context(given)
    issued = await here.tickets.issue(Wish("a film", given), ADDRESS, files=files, size_bytes=7)

    ticket = await here.tickets.find(issued.id)
    with await here.tickets.use(ticket):
        assert ticket.asked.file is given
    await cable.plug()
    await until(here.is_back)
    assert not await finds(there.tickets, issued.id)
    assert await here.tickets.withdraw([issued.id]) == 1
    assert given.closed


async def test_without_redis_nobody_says_that_a_task_is_gone(start: Start, cable: Cable) -> None:
    """It can't be used, its streams go on and can be ended; when Redis is back, it is used as before."""
    here = await start(cable.url)
    first, second = [await here.tickets.issue(Wish("a cat"), ADDRESS) for _ in range(2)]
    found = await here.tickets.find(second.id)
    with await here.tickets.use(first):
        await cable.cut()
        for work in (here.tickets.find(second.id), here.tickets.use(found)):
            with pytest.raises(OverloadedError):
                await work
        with pytest.raises(NotFoundError):
            await here.tickets.find("")
        assert not first.withdrawn.is_set()
        assert await here.tickets.withdraw([first.id, second.id]) == 1
        assert first.withdrawn.is_set()

    await cable.plug()
    await until(here.is_back)
    with await here.tickets.use(await here.tickets.find(second.id)):
        pass


async def test_a_process_that_ends_leaves_its_tickets_to_others(start: Start, redis_url: str) -> None:
    """They need not be handed in again."""
    here = await start()
    async with open_shared(redis_url, here.shared.name) as shared:
        assert shared
        leaving = SharedTickets(shared, "films", Writing(), most_per_address=3)
        async with leaving.going():
            ticket = await leaving.issue(Wish("a cat"), ADDRESS)
            await leaving.use(ticket)
        leaving.close()
    assert await finds(here.tickets, ticket.id)
