"""Runs: what follows a batch that succeeds, fails or breaks off, when, and what the listener is told."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, cast

import pytest

from grok_app.accounts import NoAccountError
from grok_app.errors import GatewayError, OverloadedError
from grok_app.imagine import Drawn, Form, ImagesRequest, ImagineService, Setback, Stage
from grok_app.imagine.endless import BUSY_S, Endless
from grok_app.imagine.feed import ROOM_BYTES, Feed, Shown
from grok_app.imagine.selection import PER_SOCKET, Chosen, Selection
from grok_app.imagine.session import PictureBlockedError
from grok_app.imagine.work import Work
from grok_app.settings import Settings
from grok_app.upstream import ErrorKind, MediaUpstream, UpstreamError
from tests import clock
from tests.crew import Crew
from tests.imagine.frames import blob, frame, frames, id_of
from tests.imagine.sockets import SILENCE, Sockets, Step

PREVIEW, MEDIUM, FINAL = Stage
SIZES = {"medium_min_bytes": 40, "final_min_bytes": 80}
IN_A_ROW = 20
NOBODY = NoAccountError("No available tokens. Please try again later.")
REFUSED = UpstreamError(ErrorKind.MODERATED, "refused")
LIMITED = UpstreamError(ErrorKind.RATE_LIMITED, "enough", status=429)
SILENT = UpstreamError(ErrorKind.TIMEOUT, "silent")
BROKEN = UpstreamError(ErrorKind.UNAVAILABLE, "broke off")
BLOCKED: Sequence[Step] = [frame(1, MEDIUM), PictureBlockedError()]
CUT: Sequence[Step] = [frame(1, PREVIEW), BROKEN]
GOOD: Sequence[Step] = [frame(1)]
of_the_account = pytest.mark.parametrize(
    "kind",
    [ErrorKind.RATE_LIMITED, ErrorKind.INVALID_CREDENTIAL, ErrorKind.BLOCKED_ACCOUNT],
    ids=lambda kind: kind.name,
)


class Batches:
    """Plays one script per batch, each on an account of its own; when there are no more, the run may be left.

    Attributes:
        begun_at: When each of them began.
        tried: Which accounts were left out then.
        settings: Those of each of them.
    """

    def __init__(self, *scripts: Sequence[Step]) -> None:
        self._scripts = list(scripts)
        self.are_over = asyncio.Event()
        self.begun_at: list[float] = []
        self.tried: list[set[int]] = []
        self.settings: list[Settings] = []

    def work(self, settings: Settings) -> Work:
        """The next batch."""
        self.settings.append(settings)
        return cast("Work", self)

    async def shown(self, selection: Selection, tried: set[int]) -> AsyncGenerator[Chosen, None]:
        """Play it."""
        if not self._scripts:
            self.are_over.set()
            await asyncio.Event().wait()
        selection.begin()
        self.tried.append(set(tried))
        self.begun_at.append(clock.now())
        tried.add(len(self.begun_at))
        for step in self._scripts.pop(0):
            if isinstance(step, BaseException):
                raise step
            if isinstance(step, float):
                await asyncio.sleep(step)
            else:
                for chosen in selection.take(cast("Any", step)):
                    yield chosen


class Heard:
    """What a listener hears, and when."""

    def __init__(self) -> None:
        self.news: list[tuple[float, Shown | Setback]] = []

    def setbacks(self) -> list[tuple[float, str]]:
        """When it was told of what, by its code."""
        return [(at_s, news.error.code or "") for at_s, news in self.news if isinstance(news, Setback)]

    def pictures(self) -> list[tuple[int, str, Stage]]:
        """Batch, id and stage of each picture."""
        return [(one.batch, one.chosen.id, one.chosen.stage) for _, one in self.news if isinstance(one, Shown)]

    async def listen(self, feed: Feed) -> None:
        """Hear all."""
        while (news := await feed.take()) is not None:
            self.news.append((clock.now(), news))


def play(*scripts: Sequence[Step], **retry: Any) -> tuple[Batches, Heard]:
    """Let a run go through these batches; what it did, and what its listener heard."""
    settings = Settings.model_validate({"image": SIZES, "retry": retry})

    async def run() -> tuple[Batches, Heard]:
        batches, heard, feed = Batches(*scripts), Heard(), Feed()
        filling = asyncio.create_task(Endless(batches.work, lambda: settings, "b64_json").fill(feed))
        listening = asyncio.create_task(heard.listen(feed))
        await asyncio.wait((asyncio.create_task(batches.are_over.wait()), filling), return_when="FIRST_COMPLETED")
        filling.cancel()
        await asyncio.gather(filling, return_exceptions=True)
        feed.end()
        await listening
        return batches, heard

    return clock.run(run())


def test_batch_follows_batch() -> None:
    """At once, and nothing is said between them; the same id in another batch is another picture."""
    batches, heard = play(frames(1), [2.5, frame(1)], GOOD)
    assert batches.begun_at == [0, 0, 2.5]
    assert batches.tried == [set()] * 3
    assert heard.pictures()[-3:] == [(batch, id_of(1), FINAL) for batch in range(3)]
    assert heard.setbacks() == []


def test_time_is_told_within_a_batch() -> None:
    """In milliseconds since the batch was asked for."""
    _, heard = play([1.5, frame(1, MEDIUM), 0.25, frame(1)], [0.5, frame(1)])
    assert [news.elapsed_ms for _, news in heard.news if isinstance(news, Shown)] == [1500, 1750, 500]


@of_the_account
def test_an_account_that_cannot_draw_is_left_for_the_next(kind: ErrorKind) -> None:
    """At once, and nothing is said, however far it got; those that were tried are left out until a picture is done."""
    failure = UpstreamError(kind, "no")
    batches, heard = play([failure], [frame(1, MEDIUM), failure], [failure], GOOD, GOOD)
    assert batches.begun_at == [0] * 5
    assert batches.tried == [set(), {1}, {1, 2}, {1, 2, 3}, set()]
    assert heard.setbacks() == []


def test_a_pool_that_is_spent_is_no_storm() -> None:
    """After so many in a row the listener is told, and the others are asked a little later."""
    batches, heard = play(*[[LIMITED]] * (IN_A_ROW + 2), GOOD)
    assert batches.begun_at == [*[0] * IN_A_ROW, *[BUSY_S] * 3]
    assert batches.tried[IN_A_ROW] == set()
    assert heard.setbacks() == [(0, "rate_limit_exceeded")]


def test_a_run_looks_again_and_again_for_an_account() -> None:
    """Every three seconds, however long there is none."""
    batches, heard = play(*[[NOBODY]] * 4, GOOD)
    assert batches.begun_at == [0, 3, 6, 9, 12]
    assert heard.setbacks() == [(at_s, "rate_limit_exceeded") for at_s in (0, 3, 6, 9)]


@pytest.mark.parametrize(
    ("failures", "code", "pause_s"),
    [
        ([[UpstreamError(ErrorKind.BLOCKED_ACCOUNT, "blocked")]], "upstream_error", 3),
        ([[LIMITED], CUT], "upstream_error", 2),
        ([BLOCKED], "blocked", 2),
    ],
    ids=["refused", "broke off", "blocked"],
)
def test_when_the_last_account_has_failed_that_is_the_reason(
    failures: list[Sequence[Step]], code: str, pause_s: float
) -> None:
    """There are accounts, so nobody is told that there are none; afterwards each may be asked again."""
    batches, heard = play(*failures, [NOBODY], [NOBODY])
    assert heard.setbacks() == [(0, code), (pause_s, "rate_limit_exceeded")]
    assert batches.tried[-1] == set()


@pytest.mark.parametrize(
    "failed",
    [[REFUSED], [frame(1, MEDIUM), REFUSED], [SILENT], [BROKEN]],
    ids=["refused", "refused late", "silent", "broken"],
)
def test_a_wish_that_fails_again_and_again_is_asked_for_ever_more_rarely(failed: Sequence[Step]) -> None:
    """Each time the listener is told why, and the pause grows, up to half a minute."""
    batches, heard = play(*[failed] * 7)
    assert batches.begun_at == [0, 2, 6, 14, 30, 60, 90]
    assert [at_s for at_s, _ in heard.setbacks()] == batches.begun_at


@pytest.mark.parametrize("success", [GOOD, [frame(1), BROKEN], [frame(1), LIMITED]], ids=["whole", "cut", "limited"])
def test_a_finished_picture_forgives_everything(success: Sequence[Step]) -> None:
    """Though its batch broke off: the next failure is the first one."""
    batches, heard = play([REFUSED], [REFUSED], success, [REFUSED], [REFUSED], GOOD)
    assert batches.begun_at == [0, 2, 6, 6, 8, 12]
    assert len(heard.setbacks()) == 4


def test_pauses_for_want_of_an_account_are_no_refusals() -> None:
    """They neither grow nor let others grow."""
    batches, _ = play([REFUSED], [NOBODY], [NOBODY], [REFUSED], GOOD)
    assert batches.begun_at == [0, 2, 5, 8, 12]


@pytest.mark.parametrize("most", [1, 2, 5])
@pytest.mark.parametrize(("failed", "code"), [(BLOCKED, "blocked"), (CUT, "upstream_error")], ids=["blocked", "cut"])
def test_a_batch_that_broke_off_is_followed_by_the_next(failed: Sequence[Step], code: str, most: int) -> None:
    """At once, so many of them in a row as an operator allows attempts, and then after a pause and the reason."""
    batches, heard = play(*[failed] * most, *[failed] * most, GOOD, max_retry=most)
    assert batches.begun_at == [*[0] * most, *[2] * most, 6]
    assert heard.setbacks() == [(0, code), (2, code)]


def test_a_blocked_picture_is_not_blamed_for_accounts_that_were_spent() -> None:
    """However many of them were left before it: it is asked for as often as after none."""
    batches, heard = play(*[[LIMITED]] * 5, *[BLOCKED] * 3, GOOD, max_retry=3)
    assert batches.begun_at == [*[0] * 8, 2]
    assert heard.setbacks() == [(0, "blocked")]


def test_a_batch_goes_by_the_settings_of_its_beginning() -> None:
    """A change is in force from the next one on: sizes, attempts, what the work is made with."""
    given = Settings.model_validate({"image": SIZES, "retry": {"max_retry": 1}})
    changed = Settings.model_validate({"image": {"medium_min_bytes": 10, "final_min_bytes": 20}})
    in_force = [given]

    async def run() -> tuple[Batches, list[Shown | Setback]]:
        batches, feed = Batches([frame(1, MEDIUM), 5.0, frame(1)], [frame(1, MEDIUM)]), Feed()
        filling = asyncio.create_task(Endless(batches.work, lambda: in_force[0], "b64_json").fill(feed))
        await asyncio.sleep(1)
        in_force[0] = changed
        await batches.are_over.wait()
        filling.cancel()
        feed.end()
        news = [await feed.take(), await feed.take()]
        return batches, cast("list[Shown | Setback]", news)

    batches, news = clock.run(run())
    assert batches.settings[:2] == [given, changed]
    assert [one.chosen.stage for one in news if isinstance(one, Shown)] == [FINAL, FINAL]


def test_a_slow_listener_makes_grok_wait() -> None:
    """What waits is bounded, the rest is not read; nothing finished is lost, and no batch begins before its time."""
    size = ROOM_BYTES * 2 // 5 // 4 * 4
    batch = [frame(picture, FINAL, content=blob(size)) for picture in range(PER_SOCKET)]
    settings = Settings.model_validate({"image": SIZES})

    async def run() -> None:
        batches, feed = Batches(batch, batch), Feed()
        filling = asyncio.create_task(Endless(batches.work, lambda: settings, "b64_json").fill(feed))
        taken: list[tuple[int, int]] = []
        for at_s in range(10, 10 * PER_SOCKET * 2 + 1, 10):
            await asyncio.sleep(10)
            assert feed._size_bytes <= ROOM_BYTES
            assert len(batches.begun_at) == (1 if len(taken) < PER_SOCKET - 2 else 2)
            news = await feed.take()
            assert isinstance(news, Shown)
            taken.append((news.batch, news.chosen.index))
            assert clock.now() == at_s
        assert taken == [(batch, index) for batch in range(2) for index in range(PER_SOCKET)]
        filling.cancel()

    clock.run(run())


WISH = ImagesRequest("a cat", 1, "2:3", "b64_json")
Events = AsyncGenerator[Drawn | Setback, None]


def endless(crew: Crew, sockets: Sockets, form: Form = "b64_json") -> Events:
    """A whole run, on real accounts."""
    service = ImagineService(cast("MediaUpstream", sockets), crew.accounts, crew.cache, crew.settings)
    return service.endless(ImagesRequest(WISH.prompt, 1, WISH.aspect_ratio, form))


async def staff(crew: Crew, *names: str) -> None:
    """Hire accounts, and let no socket end because a test takes its time."""
    await crew.settings.store({"image.final_timeout": 60, "image.blocked_grace_seconds": 60})
    await crew.hire(*names)


async def drawn(events: Events, count: int) -> list[Drawn]:
    """The next pictures; nothing else may come."""
    pictures = [await anext(events) for _ in range(count)]
    assert all(isinstance(one, Drawn) for one in pictures), pictures
    return cast("list[Drawn]", pictures)


async def test_each_batch_counts_anew(crew: Crew) -> None:
    """Indexes are places within a batch, and steps are what was shown of them."""
    await staff(crew, "anna")
    proceed = asyncio.Event()
    rest = [frame(picture) for picture in range(3, 7)]
    sockets = Sockets([frame(1, PREVIEW), frame(2, PREVIEW), proceed, frame(1), frame(2), *rest], [frame(1), SILENCE])
    async with aclosing(endless(crew, sockets)) as events:
        pictures = await drawn(events, 2)
        proceed.set()
        pictures += await drawn(events, 7)
    places = [(one.picture.index, one.picture.step) for one in pictures]
    assert places == [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (3, 0), (4, 0), (5, 0), (0, 0)]
    assert (sockets.open, crew.is_at_rest()) == (0, True)


async def test_an_account_that_is_refused_is_not_asked_again(crew: Crew) -> None:
    """Another one draws, and nothing is said."""
    await staff(crew, "anna", "bert", "cora")
    refused = UpstreamError(ErrorKind.INVALID_CREDENTIAL, "who?", status=401)
    sockets = Sockets([refused], [refused], [frame(1), SILENCE])
    async with aclosing(endless(crew, sockets)) as events:
        await drawn(events, 1)
    assert sorted(sockets.asked) == ["anna", "bert", "cora"]
    assert (sockets.open, crew.is_at_rest()) == (0, True)


@pytest.mark.parametrize("has_shown", [False, True])
async def test_leaving_ends_the_socket_and_costs_nothing(crew: Crew, has_shown: bool) -> None:
    """The account is given back before the generator is closed."""
    await staff(crew, "anna")
    sockets = Sockets([*([frame(1)] if has_shown else []), SILENCE])
    events = endless(crew, sockets)
    reading = asyncio.create_task(drawn(events, 2))
    await sockets.until(lambda sockets: sockets.open == 1)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await events.aclose()
    assert (sockets.open, crew.is_at_rest(), crew.used()) == (0, True, {})


async def test_a_listener_who_only_pauses_keeps_the_run(crew: Crew) -> None:
    """It goes on behind; leaving it then ends it."""
    await staff(crew, "anna")
    sockets = Sockets([frame(1), *[frame(picture) for picture in range(2, 7)]], [frame(1), SILENCE])
    async with aclosing(endless(crew, sockets)) as events:
        await drawn(events, 1)
        await sockets.until(lambda sockets: len(sockets.asked) == 2)
        assert [one.picture.index for one in await drawn(events, 6)] == [1, 2, 3, 4, 5, 0]
    assert (sockets.open, crew.is_at_rest()) == (0, True)


async def test_a_bug_reaches_the_listener_after_what_was_drawn(crew: Crew) -> None:
    """It isn't taken for a failure of Grok's, and the account is given back."""
    await staff(crew, "anna")
    sockets = Sockets([frame(1), RuntimeError("a bug")])
    async with aclosing(endless(crew, sockets)) as events:
        await drawn(events, 1)
        with pytest.raises(RuntimeError, match="a bug"):
            await anext(events)
    assert (sockets.open, crew.is_at_rest()) == (0, True)


async def test_settings_are_those_of_the_batch(crew: Crew) -> None:
    """Adult content is asked for from the next socket on."""
    await staff(crew, "anna")
    may_end = asyncio.Event()
    sockets = Sockets([frame(1), may_end, *[frame(picture) for picture in range(2, 7)]], [SILENCE])
    async with aclosing(endless(crew, sockets)) as events:
        await drawn(events, 1)
        before = crew.settings.snapshot.image.nsfw
        await crew.settings.store({"image.nsfw": not before})
        may_end.set()
        await sockets.until(lambda sockets: len(sockets.asked) == 2)
    assert [prompt.has_adult_content for prompt in sockets.prompts] == [before, not before]


async def test_a_disk_that_is_full_ends_the_run(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pictures go as addresses; the socket is closed and the account given back."""
    await staff(crew, "anna")

    async def refuse(*_: object) -> None:
        raise OverloadedError("The disk is full")

    monkeypatch.setattr(crew.cache, "put", refuse)
    sockets = Sockets([frame(1), SILENCE])
    async with aclosing(endless(crew, sockets, "url")) as events:
        with pytest.raises(GatewayError, match="disk is full"):
            await anext(events)
    assert (sockets.open, crew.is_at_rest()) == (0, True)
