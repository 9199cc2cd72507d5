"""What an address may ask of the public surface: requests by the minute, and runs at once."""

import math
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grok_app.access.shared_visits import SharedVisits
from grok_app.access.tally import MOST_CALLERS, WINDOW_S
from grok_app.access.visitors import Visitors
from grok_app.errors import RateLimitedError
from grok_app.settings import Settings, SettingsService
from grok_app.shared import Shared
from tests.access.fixed import Clock, FixedSettings

ADDRESS = "192.0.2.1"
OTHER = "192.0.2.2"
Share = Callable[[], Shared | None]
EIGHTHS = st.integers(0, 90 * 8).map(lambda eighths: eighths / 8)
"""Seconds that add up without a rounding error."""
STEPS = st.one_of(st.tuples(st.just("ask"), EIGHTHS), st.tuples(st.just("limit"), st.integers(1, 5)))


@dataclass
class Door:
    """The visitors' counter, with limits and a time that change when told: one process, or two in turns over Redis."""

    shared: Shared | None = None
    clock: Clock = field(default_factory=Clock)
    settings: FixedSettings = field(default_factory=lambda: FixedSettings(Settings()))

    def __post_init__(self) -> None:
        settings = cast("SettingsService", self.settings)
        self._visits = [SharedVisits(self.shared, self.clock) for _ in range(2)] if self.shared else []
        processes = [Visitors(settings, self.clock, visits) for visits in self._visits]
        self._turns = cycle(processes or [Visitors(settings, self.clock)])

    @property
    def visitors(self) -> Visitors:
        """The process whose turn it is."""
        return next(self._turns)

    async def settle(self) -> None:
        """Let others know of places that were given back, as they do at once while they serve."""
        for visits in self._visits:
            await visits._later.do_all()

    def limit(self, *, requests: int = 60, runs: int = 3) -> "Door":
        """Put these limits in force."""
        public = {"requests_per_minute": requests, "max_runs_per_address": runs}
        self.settings.snapshot = Settings.model_validate({"public": public})
        return self

    async def wait_s(self, address: str = ADDRESS) -> float:
        """Ask once; how long this address must wait, 0 when it was let in."""
        try:
            await self.visitors.count(address)
        except RateLimitedError as refused:
            return refused.retry_after_s or math.nan
        return 0

    async def may_run(self, address: str = ADDRESS) -> bool:
        """Whether this address may have another run now."""
        try:
            (await self.visitors.running(address)).close()
        except RateLimitedError:
            return False
        await self.settle()
        return True


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=60))
async def test_no_minute_has_more_requests_than_its_limit(share: Share, steps: list[tuple[str, float]]) -> None:
    """Whatever was asked before and however the limit changed: each accepted request is within the limit of then.

    And only those that were accepted count: a request is refused exactly when the last minute is full of them.
    """
    door, most, accepted = Door(share()).limit(requests=3), 3, list[float]()
    for step, value in steps:
        if step == "limit":
            most = int(value)
            door.limit(requests=most)
            continue
        door.clock.now_s += value
        now = door.clock.now_s
        lately = [moment for moment in accepted if moment > now - WINDOW_S]
        is_in = not await door.wait_s()
        assert is_in is (len(lately) < most)
        if is_in:
            accepted.append(now)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=60))
async def test_whoever_waits_as_long_as_told_is_let_in(share: Share, steps: list[tuple[str, float]]) -> None:
    """At once, in whole seconds, and a second less would not have been enough."""
    door = Door(share()).limit(requests=2)
    for step, value in steps:
        if step == "limit":
            door.limit(requests=int(value))
            continue
        door.clock.now_s += value / 8
        if wait_s := await door.wait_s():
            assert wait_s in range(1, int(WINDOW_S) + 1)
            door.clock.now_s += wait_s - 1
            assert await door.wait_s() == 1
            door.clock.now_s += 1
            assert not await door.wait_s()


async def test_the_refusal_says_how_long(share: Share) -> None:
    """Whole seconds, rounded up, in words and for the header."""
    door = Door(share()).limit(requests=1)
    await door.wait_s()
    door.clock.now_s += 0.5
    with pytest.raises(RateLimitedError, match=r"^Too many requests\. Please try again in 60 seconds\.$") as refused:
        await door.visitors.count(ADDRESS)
    assert (refused.value.status, refused.value.code, refused.value.retry_after_s) == (429, "rate_limit_exceeded", 60)


async def test_a_lower_limit_lets_nobody_in_before_enough_requests_are_old(share: Share) -> None:
    """Whoever asked five times, a second apart, waits under a limit of two for the fourth to be a minute old."""
    door = Door(share()).limit(requests=5)
    for _ in range(5):
        assert not await door.wait_s()
        door.clock.now_s += 1
    door.limit(requests=2)
    assert await door.wait_s() == WINDOW_S + 3 - 5


@pytest.mark.parametrize(
    ("first", "second", "are_one"),
    [
        (ADDRESS, OTHER, False),
        (ADDRESS, f"::ffff:{ADDRESS}", True),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("", "", True),
    ],
    ids=["IPv4", "IPv4 in IPv6", "one /64", "two /64", "Unix sockets"],
)
async def test_a_site_counts_as_one(share: Share, first: str, second: str, are_one: bool) -> None:
    """In requests and in runs."""
    door = Door(share()).limit(requests=1, runs=1)
    await door.wait_s(first)
    assert bool(await door.wait_s(second)) is are_one
    with await door.visitors.running(first):
        assert await door.may_run(second) is not are_one


async def test_those_who_were_quiet_longest_are_forgotten_first() -> None:
    """However many addresses ask, no more than a fixed number is kept; one that goes on asking is among them."""
    door = Door().limit(requests=1)
    await door.wait_s()
    await door.wait_s(OTHER)
    for number in range(MOST_CALLERS - 1):
        await door.wait_s(f"10.0.{number >> 8}.{number & 255}")
        if number == 0:
            assert await door.wait_s()
    assert await door.wait_s()
    assert not await door.wait_s(OTHER)


async def test_a_crowd_that_has_gone_leaves_no_runs() -> None:
    """Nothing is kept of an address whose runs have ended."""
    door = Door()
    for number in range(100):
        with await door.visitors.running(f"192.0.2.{number}"):
            assert len(door.visitors._tally._taken) == 1
        assert await door.may_run()
    assert not door.visitors._tally._taken


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["begin", "end", "limit"]), st.sampled_from([ADDRESS, OTHER])), max_size=60))
async def test_an_address_has_as_many_runs_as_it_may(share: Share, steps: list[tuple[str, str]]) -> None:
    """Whoever begins and ends what, and whichever limit holds: one more is let in exactly when there is room."""
    door, most = Door(share()).limit(runs=2), 2
    under_way: dict[str, list[ExitStack]] = {ADDRESS: [], OTHER: []}
    for step, address in steps:
        mine = under_way[address]
        if step == "limit":
            most = most % 3 + 1
            door.limit(runs=most)
        elif step == "end" and mine:
            mine.pop(0).close()
            await door.settle()
        elif step == "begin":
            has_room = len(mine) < most
            assert await door.may_run(address) is has_room
            if has_room:
                mine.append(ExitStack())
                mine[-1].enter_context(await door.visitors.running(address))
    for address, mine in under_way.items():
        for place in mine:
            place.close()
        await door.settle()
        assert await door.may_run(address)


@pytest.mark.parametrize("error", [ValueError, GeneratorExit, KeyboardInterrupt], ids=lambda error: error.__name__)
async def test_a_run_is_given_back_however_it_ends(share: Share, error: type[BaseException]) -> None:
    """And what ended it comes out."""
    door = Door(share()).limit(runs=1)
    with pytest.raises(error), await door.visitors.running(ADDRESS):
        raise error
    await door.settle()
    assert await door.may_run()


async def test_a_run_that_is_refused_takes_no_place(share: Share) -> None:
    """However often it is tried; the words name the limit that is in force."""
    door = Door(share()).limit(runs=1)
    with await door.visitors.running(ADDRESS):
        for _ in range(3):
            with (
                pytest.raises(RateLimitedError, match=r"^At most 1 runs at once from one address\.") as refused,
                await door.visitors.running(ADDRESS),
            ):
                pass
            assert refused.value.retry_after_s
    await door.settle()
    assert await door.may_run()
