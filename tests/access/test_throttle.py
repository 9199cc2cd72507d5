"""Guessing takes ever longer."""

import math
from collections.abc import Callable
from contextlib import suppress
from itertools import cycle
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grok_app.access.shared_failures import FORGET_S, LONGEST_WAIT_S, MOST_ADDRESSES
from grok_app.access.throttle import Throttle
from grok_app.errors import RateLimitedError
from grok_app.shared import Shared
from tests.access.fixed import Clock

ADDRESS = "192.0.2.1"


Share = Callable[[], Shared | None]


class InTurns:
    """The throttle of one process, or of two in turns over Redis."""

    def __init__(self, clock: Clock, shared: Shared | None) -> None:
        self._turns = cycle([Throttle(clock, shared) for _ in range(2 if shared else 1)])

    def __getattr__(self, name: str) -> Any:
        """Of the process whose turn it is."""
        return getattr(next(self._turns), name)


async def wait_s(throttle: InTurns, address: str = ADDRESS) -> float:
    """How long this address must wait now."""
    try:
        await throttle.check(address)
    except RateLimitedError as refused:
        return refused.retry_after_s or math.nan
    return 0


async def fail(throttle: InTurns, times: int = 5, address: str = ADDRESS) -> None:
    """Count as many wrong keys, also those of tries that were let in before the wait began."""
    for _ in range(times):
        with suppress(RateLimitedError):
            await throttle.fail(address)


async def test_waits_double_after_five_wrong_keys(share: Share) -> None:
    """Four cost nothing, the fifth two seconds, each further one twice as long as the one before, up to 15 minutes."""
    clock, waits = Clock(), []
    throttle = InTurns(clock, share())
    for _ in range(16):
        await throttle.fail(ADDRESS)
        waits.append(await wait_s(throttle))
        clock.now_s += waits[-1]
    assert waits == [0, 0, 0, 0, 2, 4, 8, 16, 32, *[60] * 7]


async def test_the_refusal_says_how_long(share: Share) -> None:
    """Whole seconds, rounded up: after as many the next attempt is heard."""
    clock = Clock()
    throttle = InTurns(clock, share())
    await fail(throttle, 6)
    clock.now_s += 0.5
    with pytest.raises(RateLimitedError, match=r"^Too many attempts\. Please wait 4 seconds\.$") as refused:
        await throttle.check(ADDRESS)
    assert (refused.value.code, refused.value.retry_after_s, refused.value.status) == ("too_many_attempts", 4, 429)
    clock.now_s += 4
    assert not await wait_s(throttle)


async def test_an_hour_without_attempts_is_forgiven(share: Share) -> None:
    """Only a full hour without any attempt; one that was refused is an attempt too."""
    clock = Clock()
    throttle = InTurns(clock, share())
    await fail(throttle, 30)
    clock.now_s += 10
    assert await wait_s(throttle)
    clock.now_s += FORGET_S - 1
    await throttle.fail(ADDRESS)
    assert await wait_s(throttle) == LONGEST_WAIT_S
    clock.now_s += FORGET_S
    await throttle.fail(ADDRESS)
    assert not await wait_s(throttle)


async def test_those_who_tried_longest_ago_are_dropped_first(share: Share) -> None:
    """However many addresses fail, no more than a fixed number is kept, and one that goes on trying is among them."""
    clock = Clock()
    throttle = InTurns(clock, share())
    for address in (ADDRESS, "192.0.2.2"):
        await fail(throttle, address=address)
        clock.now_s += 0.0001
    for number in range(MOST_ADDRESSES - 1):
        clock.now_s += 0.0001
        await throttle.fail(f"10.0.{number >> 8}.{number & 255}")
        if number == 0:
            assert await wait_s(throttle)
    assert await wait_s(throttle)
    assert not await wait_s(throttle, "192.0.2.2")


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
async def test_an_ipv6_site_counts_as_one(share: Share, first: str, second: str, are_one: bool) -> None:
    """A caller with IPv6 has 2^64 addresses at hand, and gets no more attempts for that."""
    throttle = InTurns(Clock(), share())
    await fail(throttle, address=first)
    assert bool(await wait_s(throttle, second)) is are_one


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["fail", "succeed", "wait", "try"]), max_size=80))
async def test_waits_never_shrink_but_by_success(share: Share, steps: list[str]) -> None:
    """Whatever the order of things: while keys are wrong, each wait is at least the one before; success clears."""
    clock, longest = Clock(), 0.0
    throttle = InTurns(clock, share())
    for step in steps:
        left = await wait_s(throttle)
        if step == "wait":
            clock.now_s += left
            assert not await wait_s(throttle)
        elif step == "succeed" and not left:
            await throttle.succeed(ADDRESS)
            longest = 0
            assert not await wait_s(throttle)
        elif step == "fail" and not left:
            await throttle.fail(ADDRESS)
            assert longest <= await wait_s(throttle) <= LONGEST_WAIT_S
            longest = await wait_s(throttle)
        else:
            assert await wait_s(throttle) == left
