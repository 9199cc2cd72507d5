"""What an address may ask of the public surface: requests by the minute, and runs at once."""

import math
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_app.access.visitors import MOST_ADDRESSES, WINDOW_S, Visitors
from grok_app.errors import RateLimitedError
from grok_app.settings import Settings, SettingsService
from tests.access.fixed import Clock, FixedSettings

ADDRESS = "192.0.2.1"
OTHER = "192.0.2.2"
EIGHTHS = st.integers(0, 90 * 8).map(lambda eighths: eighths / 8)
"""Seconds that add up without a rounding error."""
STEPS = st.one_of(st.tuples(st.just("ask"), EIGHTHS), st.tuples(st.just("limit"), st.integers(1, 5)))


@dataclass
class Door:
    """The visitors' counter, with limits and a time that change when told."""

    clock: Clock = field(default_factory=Clock)
    settings: FixedSettings = field(default_factory=lambda: FixedSettings(Settings()))

    def __post_init__(self) -> None:
        self.visitors = Visitors(cast("SettingsService", self.settings), self.clock)

    def limit(self, *, requests: int = 60, runs: int = 3) -> "Door":
        """Put these limits in force."""
        public = {"requests_per_minute": requests, "max_runs_per_address": runs}
        self.settings.snapshot = Settings.model_validate({"public": public})
        return self

    def wait_s(self, address: str = ADDRESS) -> float:
        """Ask once; how long this address must wait, 0 when it was let in."""
        try:
            self.visitors.count(address)
        except RateLimitedError as refused:
            return refused.retry_after_s or math.nan
        return 0

    def may_run(self, address: str = ADDRESS) -> bool:
        """Whether this address may have another run now."""
        try:
            with self.visitors.running(address):
                return True
        except RateLimitedError:
            return False


@given(st.lists(STEPS, max_size=60))
def test_no_minute_has_more_requests_than_its_limit(steps: list[tuple[str, float]]) -> None:
    """Whatever was asked before and however the limit changed: each accepted request is within the limit of then.

    And only those that were accepted count: a request is refused exactly when the last minute is full of them.
    """
    door, most, accepted = Door().limit(requests=3), 3, list[float]()
    for step, value in steps:
        if step == "limit":
            most = int(value)
            door.limit(requests=most)
            continue
        door.clock.now_s += value
        now = door.clock.now_s
        lately = [moment for moment in accepted if moment > now - WINDOW_S]
        is_in = not door.wait_s()
        assert is_in is (len(lately) < most)
        if is_in:
            accepted.append(now)


@given(st.lists(STEPS, max_size=60))
def test_whoever_waits_as_long_as_told_is_let_in(steps: list[tuple[str, float]]) -> None:
    """At once, in whole seconds, and a second less would not have been enough."""
    door = Door().limit(requests=2)
    for step, value in steps:
        if step == "limit":
            door.limit(requests=int(value))
            continue
        door.clock.now_s += value / 8
        if wait_s := door.wait_s():
            assert wait_s in range(1, int(WINDOW_S) + 1)
            door.clock.now_s += wait_s - 1
            assert door.wait_s() == 1
            door.clock.now_s += 1
            assert not door.wait_s()


def test_the_refusal_says_how_long() -> None:
    """Whole seconds, rounded up, in words and for the header."""
    door = Door().limit(requests=1)
    door.wait_s()
    door.clock.now_s += 0.5
    with pytest.raises(RateLimitedError, match=r"^Too many requests\. Please try again in 60 seconds\.$") as refused:
        door.visitors.count(ADDRESS)
    assert (refused.value.status, refused.value.code, refused.value.retry_after_s) == (429, "rate_limit_exceeded", 60)


def test_a_lower_limit_lets_nobody_in_before_enough_requests_are_old() -> None:
    """Whoever asked five times, a second apart, waits under a limit of two for the fourth to be a minute old."""
    door = Door().limit(requests=5)
    for _ in range(5):
        assert not door.wait_s()
        door.clock.now_s += 1
    door.limit(requests=2)
    assert door.wait_s() == WINDOW_S + 3 - 5


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
def test_a_site_counts_as_one(first: str, second: str, are_one: bool) -> None:
    """In requests and in runs."""
    door = Door().limit(requests=1, runs=1)
    door.wait_s(first)
    assert bool(door.wait_s(second)) is are_one
    with door.visitors.running(first):
        assert door.may_run(second) is not are_one


def test_those_who_were_quiet_longest_are_forgotten_first() -> None:
    """However many addresses ask, no more than a fixed number is kept; one that goes on asking is among them."""
    door = Door().limit(requests=1)
    door.wait_s()
    door.wait_s(OTHER)
    for number in range(MOST_ADDRESSES - 1):
        door.wait_s(f"10.0.{number >> 8}.{number & 255}")
        if number == 0:
            assert door.wait_s()
    assert door.wait_s()
    assert not door.wait_s(OTHER)


def test_a_crowd_that_has_gone_leaves_no_runs() -> None:
    """Nothing is kept of an address whose runs have ended."""
    door = Door()
    for number in range(100):
        with door.visitors.running(f"192.0.2.{number}"):
            assert len(door.visitors._runs) == 1
        assert door.may_run()
    assert not door.visitors._runs


@given(st.lists(st.tuples(st.sampled_from(["begin", "end", "limit"]), st.sampled_from([ADDRESS, OTHER])), max_size=60))
def test_an_address_has_as_many_runs_as_it_may(steps: list[tuple[str, str]]) -> None:
    """Whoever begins and ends what, and whichever limit holds: one more is let in exactly when there is room."""
    door, most = Door().limit(runs=2), 2
    under_way: dict[str, list[ExitStack]] = {ADDRESS: [], OTHER: []}
    for step, address in steps:
        mine = under_way[address]
        if step == "limit":
            most = most % 3 + 1
            door.limit(runs=most)
        elif step == "end" and mine:
            mine.pop(0).close()
        elif step == "begin":
            has_room = len(mine) < most
            assert door.may_run(address) is has_room
            if has_room:
                mine.append(ExitStack())
                mine[-1].enter_context(door.visitors.running(address))
    for address, mine in under_way.items():
        for place in mine:
            place.close()
        assert door.may_run(address)


@pytest.mark.parametrize("error", [ValueError, GeneratorExit, KeyboardInterrupt], ids=lambda error: error.__name__)
def test_a_run_is_given_back_however_it_ends(error: type[BaseException]) -> None:
    """And what ended it comes out."""
    door = Door().limit(runs=1)
    with pytest.raises(error), door.visitors.running(ADDRESS):
        raise error
    assert door.may_run()


def test_a_run_that_is_refused_takes_no_place() -> None:
    """However often it is tried; the words name the limit that is in force."""
    door = Door().limit(runs=1)
    with door.visitors.running(ADDRESS):
        for _ in range(3):
            with (
                pytest.raises(RateLimitedError, match=r"^At most 1 runs at once from one address\.") as refused,
                door.visitors.running(ADDRESS),
            ):
                pass
            assert refused.value.retry_after_s
    assert door.may_run()
