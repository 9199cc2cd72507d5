"""Guessing takes ever longer."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_app.access.throttle import FORGET_S, LONGEST_WAIT_S, MOST_ADDRESSES, Throttle
from grok_app.errors import RateLimitedError
from tests.access.fixed import Clock

ADDRESS = "192.0.2.1"


def wait_s(throttle: Throttle, address: str = ADDRESS) -> float:
    """How long this address must wait now."""
    try:
        throttle.check(address)
    except RateLimitedError as refused:
        return refused.retry_after_s or math.nan
    return 0


def fail(throttle: Throttle, times: int = 5, address: str = ADDRESS) -> None:
    """Count as many wrong keys."""
    for _ in range(times):
        throttle.fail(address)


def test_waits_double_after_five_wrong_keys() -> None:
    """Four cost nothing, the fifth two seconds, each further one twice as long as the one before, up to 15 minutes."""
    clock, waits = Clock(), []
    throttle = Throttle(clock)
    for _ in range(16):
        throttle.fail(ADDRESS)
        waits.append(wait_s(throttle))
        clock.now_s += waits[-1]
    assert waits == [0, 0, 0, 0, 2, 4, 8, 16, 32, *[60] * 7]


def test_the_refusal_says_how_long() -> None:
    """Whole seconds, rounded up: after as many the next attempt is heard."""
    clock = Clock()
    throttle = Throttle(clock)
    fail(throttle, 6)
    clock.now_s += 0.5
    with pytest.raises(RateLimitedError, match=r"^Too many attempts\. Please wait 4 seconds\.$") as refused:
        throttle.check(ADDRESS)
    assert (refused.value.code, refused.value.retry_after_s, refused.value.status) == ("too_many_attempts", 4, 429)
    clock.now_s += 4
    assert not wait_s(throttle)


def test_an_hour_without_attempts_is_forgiven() -> None:
    """Only a full hour without any attempt; one that was refused is an attempt too."""
    clock = Clock()
    throttle = Throttle(clock)
    fail(throttle, 30)
    clock.now_s += 10
    assert wait_s(throttle)
    clock.now_s += FORGET_S - 1
    throttle.fail(ADDRESS)
    assert wait_s(throttle) == LONGEST_WAIT_S
    clock.now_s += FORGET_S
    throttle.fail(ADDRESS)
    assert not wait_s(throttle)


def test_those_who_tried_longest_ago_are_dropped_first() -> None:
    """However many addresses fail, no more than a fixed number is kept, and one that goes on trying is among them."""
    throttle = Throttle(Clock())
    fail(throttle)
    fail(throttle, address="192.0.2.2")
    for number in range(MOST_ADDRESSES - 1):
        throttle.fail(f"10.0.{number >> 8}.{number & 255}")
        if number == 0:
            assert wait_s(throttle)
    assert wait_s(throttle)
    assert not wait_s(throttle, "192.0.2.2")


@pytest.mark.parametrize(
    ("first", "second", "are_one"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "", True),
        ("unix", "", False),
    ],
    ids=["one /64", "two /64", "with a zone", "IPv4", "no address", "no addresses"],
)
def test_an_ipv6_site_counts_as_one(first: str, second: str, are_one: bool) -> None:
    """A caller with IPv6 has 2^64 addresses at hand, and gets no more attempts for that."""
    throttle = Throttle(Clock())
    fail(throttle, address=first)
    assert bool(wait_s(throttle, second)) is are_one


@given(st.lists(st.sampled_from(["fail", "succeed", "wait", "try"]), max_size=80))
def test_waits_never_shrink_but_by_success(steps: list[str]) -> None:
    """Whatever the order of things: while keys are wrong, each wait is at least the one before; success clears."""
    clock, longest = Clock(), 0.0
    throttle = Throttle(clock)
    for step in steps:
        left = wait_s(throttle)
        if step == "wait":
            clock.now_s += left
            assert not wait_s(throttle)
        elif step == "succeed" and not left:
            throttle.succeed(ADDRESS)
            longest = 0
            assert not wait_s(throttle)
        elif step == "fail" and not left:
            throttle.fail(ADDRESS)
            assert longest <= wait_s(throttle) <= LONGEST_WAIT_S
            longest = wait_s(throttle)
        else:
            assert wait_s(throttle) == left
