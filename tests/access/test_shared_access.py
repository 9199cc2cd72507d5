"""What several processes know together: limits, places, wrong keys and sign-outs, with Redis and while it is away."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, cast
from uuid import uuid4

import pytest

from grok_app.access import Access, Sessions, Visitors, open_visitors
from grok_app.access.shared_time import LEASE_S
from grok_app.access.shared_visits import SharedVisits
from grok_app.db import Database, Vault
from grok_app.errors import AuthenticationError, RateLimitedError
from grok_app.settings import Settings
from grok_app.shared import Shared, SharedAwayError, open_shared
from tests.access.fixed import OPERATOR_KEY, Clock, FixedSettings, fixed
from tests.redis import Cable, forget

ADDRESS = "192.0.2.1"


def limits(*, requests: int = 5, runs: int = 2) -> Any:
    """Settings with these limits."""
    public = {"requests_per_minute": requests, "max_runs_per_address": runs}
    return FixedSettings(Settings.model_validate({"public": public}))


Start = Callable[..., Awaitable[Shared]]


@pytest.fixture
async def start(redis_url: str) -> AsyncGenerator[Start]:
    """Connects another process of one installation with Redis, perhaps by another way."""
    name = uuid4().hex
    async with AsyncExitStack() as stack:

        async def connect(url: str = "") -> Shared:
            shared = await stack.enter_async_context(open_shared(url or redis_url, name))
            assert shared
            return shared

        yield connect
    forget(redis_url, name)


async def asks(visitors: Visitors, times: int) -> int:
    """How many of so many requests at once are let in."""
    results = await asyncio.gather(*(visitors.count(ADDRESS) for _ in range(times)), return_exceptions=True)
    assert all(result is None or isinstance(result, RateLimitedError) for result in results)
    return results.count(None)


async def may_run(visitors: Visitors, address: str = ADDRESS) -> bool:
    """Whether there is a place, which is given back at once."""
    try:
        (await visitors.running(address)).close()
    except RateLimitedError:
        return False
    return True


async def until(is_so: Callable[[], Any]) -> None:
    """Wait for another process's doing."""
    async with asyncio.timeout(10):
        while not await is_so():  # noqa: ASYNC110 - another process's doing has no event
            await asyncio.sleep(0.01)


async def test_a_minute_has_as_many_requests_as_its_limit_in_all(start: Start) -> None:
    """However they are spread, and however many come at once."""
    processes = [Visitors(limits(requests=20), shared=SharedVisits(await start())) for _ in range(3)]

    assert sum(await asyncio.gather(*(asks(process, 30) for process in processes))) == 20


async def test_places_are_given_back_to_all(start: Start) -> None:
    """A run that has ended at one process makes room at another."""
    async with (
        open_visitors(limits(runs=1), await start()) as here,
        open_visitors(limits(runs=1), await start()) as there,
    ):
        run = await here.running(ADDRESS)
        assert not await may_run(there)
        assert await may_run(there, "192.0.2.2")
        run.close()
        assert await may_run(here)  # its own process need not wait
        await until(lambda: may_run(there))


async def test_a_process_that_dies_leaves_no_places_taken(start: Start) -> None:
    """They come back after `LEASE_S`; those of a process that lives are renewed."""
    clock = Clock()
    dead, living = [SharedVisits(await start(), clock) for _ in range(2)]
    settings = limits(runs=2)
    runs = [await Visitors(settings, clock, visits).running(ADDRESS) for visits in (dead, living)]
    other = Visitors(settings, clock, SharedVisits(await start(), clock))
    clock.now_s += LEASE_S - 1
    await living.renew()
    assert not await may_run(other)

    clock.now_s += 1
    mine = await other.running(ADDRESS)
    assert not await may_run(other)
    for run in (*runs, mine):
        run.close()


async def test_each_process_counts_for_itself_while_redis_is_away(start: Start, cable: Cable) -> None:
    """What it has seen before counts; when Redis is back, so do all together, with the runs that began meanwhile."""
    visits = SharedVisits(await start(cable.url))
    here = Visitors(limits(requests=5, runs=1), shared=visits)
    there = Visitors(limits(requests=5, runs=1), shared=SharedVisits(await start()))
    assert await asks(here, 2) == 2
    await cable.cut()

    assert await asks(here, 9) == 3
    run = await here.running(ADDRESS)
    assert not await may_run(here)
    assert await asks(there, 9) == 3

    await cable.plug()
    await until(lambda: can_renew(visits))
    assert not await may_run(there)
    run.close()


async def can_renew(visits: SharedVisits) -> bool:
    """Whether Redis is back; leases are renewed then."""
    try:
        await visits.renew()
    except SharedAwayError:
        return False
    return True


async def test_more_processes_give_no_more_guesses(start: Start) -> None:
    """Also if all come at once: of many tries only as many learn that they were wrong as cost nothing."""
    doors = [Access(cast("Any", fixed(app_key="right")), shared=await start()) for _ in range(4)]

    tries = (door.check_admin("no", ADDRESS) for door in doors for _ in range(25))
    results = await asyncio.gather(*tries, return_exceptions=True)

    assert sum(isinstance(result, AuthenticationError) for result in results) == 5
    assert sum(isinstance(result, RateLimitedError) for result in results) == 95
    for door in doors:
        with pytest.raises(RateLimitedError):
            await door.check_admin("right", ADDRESS)


async def test_guesses_are_counted_while_redis_is_away(start: Start, cable: Cable) -> None:
    """By each process for itself, with what it has seen before."""
    door = Access(cast("Any", fixed(app_key="right")), shared=await start(cable.url))
    for number in range(5):
        if number == 3:
            await cable.cut()
        with pytest.raises(AuthenticationError):
            await door.check_admin("no", ADDRESS)
    with pytest.raises(RateLimitedError):
        await door.check_admin("right", ADDRESS)


@pytest.mark.parametrize("is_new_key", [False, True], ids=["sign-out", "new key"])
async def test_a_session_that_ends_is_over_everywhere_at_once(
    start: Start, database: Database, vault: Vault, is_new_key: bool
) -> None:
    """No process waits until it looks again: its clock stands still here."""
    clock, settings = Clock(), cast("Any", fixed(app_key=OPERATOR_KEY))
    doors = [Access(settings, shared=await start()) for _ in range(2)]
    here, there = [Sessions(database, vault, settings, door, clock_ms=clock.ms) for door in doors]
    session = await here.sign_in(OPERATOR_KEY, ADDRESS)
    await there.check(session.cookie)

    async def is_over() -> bool:
        if is_new_key:
            settings.change(app_key="another")
            await here.end_those_of_other_keys()
            settings.change(app_key=OPERATOR_KEY)
        else:
            await here.sign_out(session.cookie)
        try:
            await there.check(session.cookie)
        except AuthenticationError:
            return True
        return False

    await until(is_over)


async def test_a_sign_out_needs_no_redis(start: Start, cable: Cable, database: Database, vault: Vault) -> None:
    """It is done, and others see it when they look again."""
    settings = cast("Any", fixed(app_key=OPERATOR_KEY))
    here = Sessions(database, vault, settings, Access(settings, shared=await start(cable.url)))
    session = await here.sign_in(OPERATOR_KEY, ADDRESS)
    await cable.cut()

    await here.sign_out(session.cookie)
    with pytest.raises(AuthenticationError):
        await here.check(session.cookie)
