"""How long a socket is waited for, and how it ends. Time passes as the scripts say, see `tests.clock`."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import cast

import pytest

from grok_app.errors import PermissionDeniedError, UpstreamFailedError
from grok_app.imagine.selection import Selection
from grok_app.imagine.session import Patience, PictureBlockedError, draw, told
from grok_app.imagine.types import Stage
from grok_app.upstream import ErrorKind, ImaginePrompt, MediaUpstream, UpstreamError
from tests.clock import now, run
from tests.imagine.frames import NO_PICTURE, SIZES, end, frame, frames, refusal
from tests.imagine.sockets import SILENCE, Sockets, Step

PROMPT = ImaginePrompt("a cat", "2:3", has_adult_content=False)
PATIENCE = Patience(final_s=15, silence_s=10)
PREVIEW, MEDIUM, FINAL = Stage
HELD_UP = [step for picture in range(2, 40) for step in (frame(picture, PREVIEW), 1.0)]
"""Something every second, and nothing that helps."""


@dataclass
class Session:
    """How one socket went."""

    sockets: Sockets
    stages: list[tuple[int, Stage]] = field(default_factory=list)
    error: BaseException | None = None
    ended_s: float = 0.0
    missing: int = 0
    left_open: int = 0
    """Sockets that were still open when it was over."""


def play(*script: Step, count: int = 1, shows_partial: bool = True) -> Session:
    """What comes of this socket, and when it is over."""
    session = Session(Sockets(script))
    selection = Selection(count, SIZES, shows_partial=shows_partial)

    async def watch() -> None:
        pictures = draw(cast("MediaUpstream", session.sockets), "a", PROMPT, selection, PATIENCE)
        try:
            async with aclosing(pictures):
                async for chosen in pictures:
                    session.stages.append((chosen.index, chosen.stage))
        except UpstreamError as error:
            session.error = error
        session.ended_s = now()
        session.missing = selection.missing
        session.left_open = session.sockets.open

    run(watch())
    return session


def kind_of(session: Session) -> ErrorKind | None:
    """Why it failed, if it did."""
    return session.error.kind if isinstance(session.error, UpstreamError) else None


def test_it_ends_with_the_last_picture_that_is_wanted() -> None:
    """Grok would go on; nobody waits for that."""
    session = play(*frames(1), *frames(2), SILENCE, count=2)
    assert session.stages == [(0, PREVIEW), (0, MEDIUM), (0, FINAL), (1, PREVIEW), (1, MEDIUM), (1, FINAL)]
    assert (session.error, session.ended_s, session.left_open) == (None, 0, 0)


@pytest.mark.parametrize("shows_partial", [True, False])
@pytest.mark.parametrize(
    ("script", "ended_s"),
    [
        ([frame(1, MEDIUM), SILENCE], 10),
        ([frame(1, MEDIUM), 9.0, end(1), SILENCE], 15),
        ([frame(1, MEDIUM), 4.0, frame(1, PREVIEW), SILENCE], 14),
        ([frame(1, MEDIUM), *HELD_UP], 15),
        ([3.0, frame(1, PREVIEW), 50.0, frame(1, MEDIUM), *HELD_UP], 68),
    ],
    ids=["silence", "final", "silence again", "held up", "late"],
)
def test_a_picture_that_is_not_finished_in_time_was_blocked(
    script: list[Step], ended_s: float, shows_partial: bool
) -> None:
    """From the first medium picture on, 15 s for a finished one, and never 10 s without a word."""
    session = play(*script, shows_partial=shows_partial)
    assert isinstance(session.error, PictureBlockedError)
    assert (session.ended_s, session.left_open) == (ended_s, 0)


def test_nothing_is_hurried_before_the_first_medium_picture() -> None:
    """Until then the socket's own time limits hold."""
    session = play(600.0, frame(1, PREVIEW), 600.0, *frames(1))
    assert (session.error, session.ended_s) == (None, 1200)


def test_silence_after_a_finished_picture_ends_it_without_an_error() -> None:
    """Others are missing then. A quick one gives the others no more than the silence, but that as often as need be."""
    script: list[Step] = [frame(1, MEDIUM), frame(1), 9.0, frame(2, PREVIEW), 9.0, frame(2, MEDIUM), SILENCE]
    session = play(*script, count=3)
    assert (session.error, session.missing) == (None, 2)
    assert (session.ended_s, session.left_open) == (28, 0)


def test_the_time_for_a_first_finished_picture_is_no_limit_for_the_others() -> None:
    """As long as Grok says something, it is waited for."""
    session = play(frame(1), *HELD_UP, frame(50), count=2)
    assert (session.error, session.missing, session.ended_s) == (None, 0, 38)


def test_a_socket_that_goes_on_for_another_one_is_owed_a_picture_of_its_own() -> None:
    """What others have finished before doesn't excuse it."""
    selection = Selection(2, SIZES, shows_partial=False)
    sockets = Sockets([frame(1)], [frame(2, MEDIUM), SILENCE])

    async def watch() -> float:
        upstream = cast("MediaUpstream", sockets)
        assert [chosen.index async for chosen in draw(upstream, "a", PROMPT, selection, PATIENCE)] == [0]
        with pytest.raises(PictureBlockedError):
            [chosen async for chosen in draw(upstream, "b", PROMPT, selection, PATIENCE)]
        return now()

    assert run(watch()) == 10


def test_grok_may_hang_up_when_something_is_finished() -> None:
    """What is missing doesn't come any more."""
    session = play(frame(1), frame(2, MEDIUM), count=2)
    assert (session.error, session.missing, session.left_open) == (None, 1, 0)


@pytest.mark.parametrize(
    "script",
    [[], [frame(1, PREVIEW)], [frame(1, MEDIUM)], [frame(1, content=NO_PICTURE)]],
    ids=["at once", "preview", "medium", "garbage"],
)
def test_grok_may_not_hang_up_before(script: list[Step]) -> None:
    """That is a failure of the way to Grok, which may pass."""
    session = play(*script)
    assert kind_of(session) is ErrorKind.UNAVAILABLE
    assert not isinstance(session.error, PictureBlockedError)
    assert session.left_open == 0


def test_when_a_whole_socket_is_refused_nobody_waits() -> None:
    """It ends with the last refusal, and says so."""
    all_six = [step for number in range(1, 7) for step in (frame(number, MEDIUM), refusal(number))]
    session = play(*all_six, SILENCE, count=2)
    assert (kind_of(session), session.ended_s, session.left_open) == (ErrorKind.MODERATED, 0, 0)
    assert not isinstance(session.error, PictureBlockedError)


def test_when_all_that_began_is_refused_others_may_still_begin() -> None:
    """For two seconds; the silence after that is no block."""
    session = play(frame(1, MEDIUM), refusal(1), frame(2, MEDIUM), refusal(2), SILENCE, count=2)
    assert (kind_of(session), session.ended_s, session.left_open) == (ErrorKind.MODERATED, 2, 0)
    assert not isinstance(session.error, PictureBlockedError)


def test_a_picture_that_begins_late_counts() -> None:
    """As in section 11.10 of the protocol notes: the first one is refused before the second one is seen."""
    session = play(frame(1, MEDIUM), refusal(1), frame(2))
    assert (session.error, session.missing) == (None, 0)


def test_a_held_back_picture_stands_in_for_one_that_never_comes() -> None:
    """The caller was shown the other one until then."""
    session = play(frame(1, MEDIUM), frame(2), SILENCE)
    assert session.stages == [(0, MEDIUM), (0, FINAL)]
    assert (session.error, session.ended_s) == (None, 10)


def test_a_failure_of_the_socket_is_passed_on() -> None:
    """As it is, and whatever was finished before: it decides what the account is in for."""
    failure = UpstreamError(ErrorKind.RATE_LIMITED, "enough")
    session = play(frame(1), failure, count=2)
    assert session.error is failure
    assert session.left_open == 0


@pytest.mark.parametrize("waits", [True, False], ids=["for a frame", "with one"])
def test_leaving_closes_the_socket_at_once(waits: bool) -> None:
    """Whether the caller is shown something at that moment or waits for it."""
    sockets = Sockets([frame(1, PREVIEW), SILENCE])
    selection = Selection(1, SIZES, shows_partial=True)

    async def leave() -> float:
        pictures = draw(cast("MediaUpstream", sockets), "a", PROMPT, selection, PATIENCE)
        async with aclosing(pictures):
            await anext(pictures)
            assert sockets.open == 1
            if waits:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(1):
                        await anext(pictures)
        assert sockets.open == 0
        return now()

    assert run(leave()) == waits


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (PictureBlockedError(), UpstreamFailedError, "blocked"),
        (UpstreamError(ErrorKind.MODERATED, "no"), PermissionDeniedError, "content_policy_violation"),
    ],
    ids=["blocked", "refused"],
)
def test_the_caller_can_tell_blocked_from_refused(error: UpstreamError, kind: type[Exception], code: str) -> None:
    """The first may be tried again, the second need not."""
    with pytest.raises(kind) as raised, told():
        raise error
    assert getattr(raised.value, "code", None) == code
    assert raised.value.__cause__ is error
