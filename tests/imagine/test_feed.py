"""The feed between Grok and a listener who may be slow."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grok_app.errors import RateLimitedError
from grok_app.imagine import Stage
from grok_app.imagine.feed import Feed, Shown
from grok_app.imagine.selection import Chosen
from grok_app.imagine.types import Setback
from tests import clock

PREVIEW, MEDIUM, FINAL = Stage
ROOM = 10


def shown(picture: int, stage: Stage = FINAL, size_bytes: int = 1, batch: int = 0) -> Shown:
    """A picture of this size, in base64."""
    return Shown(batch, Chosen(picture, str(picture), stage, "x" * size_bytes, b"", "image/png"), 0)


def setback(words: str = "no account") -> Setback:
    """Why nothing comes."""
    return Setback(RateLimitedError(words))


async def taken(feed: Feed) -> list[Shown | Setback]:
    """All that still comes, until the end."""
    news = []
    while (one := await feed.take()) is not None:
        news.append(one)
    return news


async def filled(*pictures: Shown, room: int = ROOM) -> Feed:
    """A feed in which these wait, and that has ended."""
    feed = Feed(room)
    for picture in pictures:
        await feed.put(picture)
    feed.end()
    return feed


async def test_a_later_stage_takes_the_place_of_an_earlier_one() -> None:
    """Whoever is slow sees the newest, in the order in which the pictures began."""
    feed = await filled(shown(1, PREVIEW), shown(2, PREVIEW), shown(1, MEDIUM))
    assert await taken(feed) == [shown(1, MEDIUM), shown(2, PREVIEW)]


async def test_finished_pictures_come_in_the_order_of_their_finishing() -> None:
    """Behind what waited before they were finished; nothing is left of their earlier stages."""
    feed = await filled(shown(1, PREVIEW), shown(2, PREVIEW), shown(1), shown(3), shown(2))
    assert await taken(feed) == [shown(1), shown(3), shown(2)]


async def test_a_picture_of_another_batch_is_another_one() -> None:
    """Whatever its id."""
    feed = await filled(shown(1, MEDIUM), shown(1, PREVIEW, batch=1))
    assert await taken(feed) == [shown(1, MEDIUM), shown(1, PREVIEW, batch=1)]


async def test_an_unfinished_picture_without_room_is_dropped() -> None:
    """At once; its earlier stage still waits, and room that it would leave counts as room."""
    feed = await filled(shown(1, PREVIEW, 4), shown(2, PREVIEW, 6), shown(1, MEDIUM, 5), shown(2, MEDIUM, 5))
    assert await taken(feed) == [shown(1, PREVIEW, 4), shown(2, MEDIUM, 5)]


async def test_unfinished_pictures_make_way_for_a_finished_one() -> None:
    """The oldest first, and no more of them than must."""
    feed = await filled(shown(1, PREVIEW, 4), shown(2, PREVIEW, 4), shown(3, FINAL, 5))
    assert await taken(feed) == [shown(2, PREVIEW, 4), shown(3, FINAL, 5)]


async def test_a_finished_picture_waits_for_room() -> None:
    """Its writer reads no more from Grok meanwhile."""
    feed = await filled(shown(1, FINAL, 6))
    writing = asyncio.create_task(feed.put(shown(2, FINAL, 6)))
    await asyncio.sleep(0)
    assert not writing.done()
    assert await feed.take() == shown(1, FINAL, 6)
    await writing
    assert await feed.take() == shown(2, FINAL, 6)


@pytest.mark.parametrize("before", [[], [shown(1)], [shown(1, PREVIEW)], [setback()]], ids=["nothing", *"123"])
async def test_a_picture_larger_than_the_room_passes(before: list[Shown | Setback]) -> None:
    """Alone, once what waited before it is taken."""
    feed, large = Feed(ROOM), shown(2, FINAL, 3 * ROOM)
    for news in before:
        await _put(feed, news)
    writing = asyncio.create_task(feed.put(large))
    while (taken_next := await feed.take()) != large:
        assert taken_next in before
    await writing


async def test_the_newest_setback_counts() -> None:
    """It stands behind what waited before it was told."""
    feed = await filled(shown(1))
    feed.put_setback(setback("first"))
    await feed.put(shown(2))
    feed.put_setback(newest := setback("second"))
    assert await taken(feed) == [shown(1), shown(2), newest]


async def test_a_reader_who_waits_is_woken() -> None:
    """By a picture, by a setback, and by the end, which stays the end."""
    feed = Feed(ROOM)
    for news in (shown(1), setback(), None):
        reading = asyncio.create_task(feed.take())
        await asyncio.sleep(0)
        assert not reading.done()
        await _put(feed, news)
        assert await reading is news
    assert await feed.take() is None


async def test_a_reader_who_gives_up_loses_nothing() -> None:
    """Not even what came in the same moment: it is for the next one to read."""
    feed = Feed(ROOM)
    reading = asyncio.create_task(feed.take())
    await asyncio.sleep(0)
    await feed.put(shown(1))
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    feed.end()
    assert await taken(feed) == [shown(1)]


PICTURES = st.builds(
    shown, st.integers(0, 2), st.sampled_from([PREVIEW, PREVIEW, MEDIUM, FINAL]), st.integers(0, ROOM + 5)
)
"""Most of them unfinished, a few larger than the room."""
PAUSE = st.sampled_from([0.0, 0.0, 1.0, 5.0])
WRITTEN = st.lists(st.tuples(st.one_of(PICTURES, PICTURES, st.builds(setback)), PAUSE), min_size=10, max_size=40)


def _as_grok_sends(written: Sequence[tuple[Shown | Setback, float]]) -> list[tuple[Shown | Setback, float]]:
    """Only those that bring a picture further; a new batch begins when a finished one would come again."""
    batch, stages, sent = 0, dict[int, Stage](), list[tuple[Shown | Setback, float]]()
    for news, pause_s in written:
        if isinstance(news, Setback):
            sent.append((news, pause_s))
            continue
        picture, stage = news.chosen.index, news.chosen.stage
        if stages.get(picture) is FINAL:
            batch, stages = batch + 1, {}
        if stage > stages.get(picture, 0):
            stages[picture] = stage
            sent.append((shown(picture, stage, news.size_bytes, batch), pause_s))
    return sent


@given(WRITTEN.map(_as_grok_sends), st.lists(PAUSE, min_size=5, max_size=40))
def test_a_reader_misses_nothing_that_counts(written: list[tuple[Shown | Setback, float]], pauses: list[float]) -> None:
    """Whoever is fast or slow when: the laws of the feed hold, and both come to an end."""
    read: list[Shown | Setback] = []

    async def both() -> None:
        feed = Feed(ROOM)
        async with asyncio.TaskGroup() as group:
            group.create_task(_write(feed, written))
            group.create_task(_read(feed, pauses, read))

    clock.run(both())
    pictures = [news for news in read if isinstance(news, Shown)]
    told = [news for news, _ in written]
    finished = [news for news in told if isinstance(news, Shown) and news.is_final]
    assert [picture for picture in pictures if picture.is_final] == finished
    assert [picture.batch for picture in pictures] == sorted(picture.batch for picture in pictures)
    stages: dict[tuple[int, str], Stage] = {}
    for picture in pictures:
        key = (picture.batch, picture.chosen.id)
        assert picture.chosen.stage > stages.get(key, 0)
        stages[key] = picture.chosen.stage
    assert all(any(news is one for one in told) for news in read)
    setbacks = [news for news in told if isinstance(news, Setback)]
    assert [news for news in read if isinstance(news, Setback)][-1:] == setbacks[-1:]


async def _write(feed: Feed, written: list[tuple[Shown | Setback, float]]) -> None:
    for news, pause_s in written:
        if pause_s:
            await asyncio.sleep(pause_s)
        await _put(feed, news)
        waiting = [one for one in feed._waiting.values() if isinstance(one, Shown)]
        assert feed._size_bytes == sum(one.size_bytes for one in waiting)
        assert feed._size_bytes <= ROOM or len(waiting) == 1
    feed.end()


async def _read(feed: Feed, pauses: list[float], read: list[Shown | Setback]) -> None:
    for pause_s in pauses:
        await asyncio.sleep(pause_s)
        if (news := await feed.take()) is not None:
            read.append(news)
    read += await taken(feed)


async def _put(feed: Feed, news: Shown | Setback | None) -> None:
    if isinstance(news, Shown):
        await feed.put(news)
    elif news:
        feed.put_setback(news)
    else:
        feed.end()
