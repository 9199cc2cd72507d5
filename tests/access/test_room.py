"""Room for so many at once: nobody too many, nobody forgotten, whatever becomes of those who wait."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grok_app.access import Room
from grok_app.access.room import SHORTEST_LINE
from grok_app.errors import OverloadedError, StoppingError
from grok_app.stopping import server_stops


class House:
    """A room whose size can be changed."""

    def __init__(self, most: int, wait_s: float = 60) -> None:
        self.most = most
        self.room = Room(lambda: self.most, wait_s=wait_s, what="chats")

    async def fill(self) -> None:
        """Let as many in as it has room for."""
        for _ in range(self.most):
            await self.room.enter()

    async def line_up(self, count: int) -> list[asyncio.Task[None]]:
        """So many who wait before the door."""
        waiting = [asyncio.create_task(self.room.enter()) for _ in range(count)]
        await asyncio.sleep(0)
        return waiting

    async def free(self) -> int:
        """How much room there is, as far as nobody waits."""
        found = 0
        while self.room._inside < self.most:
            await self.room.enter()
            found += 1
        return found


async def test_whoever_waits_comes_in_as_others_leave() -> None:
    """First come, first served, one for each who leaves."""
    house = House(2)
    await house.fill()
    first, second = await house.line_up(2)
    assert not first.done()

    house.room.leave()
    await first
    assert not second.done()
    house.room.leave()
    await second


@pytest.mark.parametrize("most", [1, 2 * SHORTEST_LINE], ids=["shortest", "as many again"])
async def test_the_line_has_an_end(most: int) -> None:
    """One more is sent away at once, and told when to come again."""
    house = House(most)
    await house.fill()
    waiting = await house.line_up(max(most, SHORTEST_LINE))
    with pytest.raises(OverloadedError, match="Too many chats") as refused:
        await house.room.enter()

    assert (refused.value.status, refused.value.code) == (503, "overloaded")
    assert refused.value.retry_after_s
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    house.room.leave()
    assert await house.free() == 1


async def test_nobody_waits_for_long() -> None:
    """Whoever has waited too long is sent away, and stands in nobody's way then."""
    house = House(1, wait_s=0.01)
    await house.fill()
    with pytest.raises(OverloadedError):
        await house.room.enter()

    house.room.leave()
    assert await house.free() == 1


async def test_whoever_waits_is_sent_away_when_the_server_stops() -> None:
    """At once, rather than begin what would be broken off; and who would have to wait then doesn't."""
    house, stopping = House(1), asyncio.Event()
    server_stops.set(stopping)
    await house.fill()
    waiting = await house.line_up(2)
    stopping.set()

    for refused in await asyncio.gather(*waiting, house.room.enter(), return_exceptions=True):
        assert isinstance(refused, StoppingError)
        assert (refused.status, refused.code) == (503, "shutting_down")
    house.room.leave()
    assert await house.free() == 1


async def test_whose_turn_comes_as_they_leave_gives_it_to_the_next() -> None:
    """A caller who goes in the same moment takes no place along."""
    house = House(1)
    await house.fill()
    leaving, staying = await house.line_up(2)
    house.room.leave()
    leaving.cancel()

    await staying
    with pytest.raises(asyncio.CancelledError):
        await leaving
    house.room.leave()
    assert await house.free() == 1


async def test_more_room_is_used_by_those_who_come_next() -> None:
    """A limit that is raised lets those in who wait, as soon as somebody comes or goes."""
    house = House(1)
    await house.fill()
    [waiting] = await house.line_up(1)
    house.most = 3
    await house.room.enter()

    await waiting
    assert await house.free() == 0


class Crowd:
    """Those who come to a house, and what becomes of them."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._guests: list[asyncio.Task[None]] = []

    async def take(self, step: str) -> None:
        """Let one come, leave or give up, or the loop have its turn; nobody too many is ever inside."""
        waiting = [guest for guest in self._guests if not guest.done()]
        if step == "enter":
            self._guests.append(asyncio.create_task(self._house.room.enter()))
        elif step == "give up" and waiting:
            waiting[len(waiting) // 2].cancel()
        elif step == "turn":
            await asyncio.sleep(0)
        elif step == "leave" and (inside := list(filter(is_inside, self._guests))):
            self._guests.remove(inside[0])
            self._house.room.leave()
        assert sum(map(is_inside, self._guests)) <= self._house.most

    async def go(self) -> None:
        """Let all of them give up or leave."""
        for guest in self._guests:
            if not guest.done():
                guest.cancel()
        for end in await asyncio.gather(*self._guests, return_exceptions=True):
            if end is None:
                self._house.room.leave()


def is_inside(guest: asyncio.Task[None]) -> bool:
    """Whether they have come in."""
    return guest.done() and not guest.cancelled() and not guest.exception()


@given(st.lists(st.sampled_from(["enter", "leave", "give up", "turn"]), max_size=60), st.integers(1, 3))
@settings(max_examples=100, deadline=None)
def test_no_place_is_lost(steps: list[str], most: int) -> None:
    """However those who come, wait, leave and give up follow each other, in the end all the room is there again."""

    async def live() -> None:
        house = House(most)
        crowd = Crowd(house)
        for step in steps:
            await crowd.take(step)
        await crowd.go()
        assert await house.free() == most

    asyncio.run(live())
