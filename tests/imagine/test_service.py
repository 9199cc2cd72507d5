"""Pictures over several sockets and accounts: who is asked, who is spared, and what is left when one of them fails."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import cast

import pytest

from grok_app.accounts import NoAccountError
from grok_app.catalog import IMAGES
from grok_app.errors import GatewayError, PermissionDeniedError, RateLimitedError, UpstreamFailedError
from grok_app.imagine import Form, ImagesRequest, ImagineService, Picture, Stage
from grok_app.media import Kind
from grok_app.upstream import ErrorKind, MediaUpstream, UpstreamError
from tests.crew import Crew
from tests.imagine.frames import blob, frame, frames, id_of, refusal
from tests.imagine.sockets import SILENCE, Sockets, Step

PREVIEW, MEDIUM, FINAL = Stage
BLOCKED: Sequence[Step] = [frame(1, MEDIUM), SILENCE]
TIMEOUT = UpstreamError(ErrorKind.TIMEOUT, "silent")


def service(crew: Crew, sockets: Sockets) -> ImagineService:
    """Under test."""
    return ImagineService(cast("MediaUpstream", sockets), crew.accounts, crew.cache, crew.settings)


def request(n: int, form: Form = "b64_json") -> ImagesRequest:
    """For so many pictures."""
    return ImagesRequest("a cat", n, "2:3", form)


def finals(*pictures: int) -> list[Step]:
    """A socket that draws these, and stays open."""
    return [*(frame(picture) for picture in pictures), SILENCE]


def ids(pictures: Sequence[Picture]) -> list[str]:
    """Which pictures they are."""
    return [picture.id for picture in pictures]


async def reached(sockets: Sockets, count: int) -> None:
    """Return when so many sockets have been opened."""
    await sockets.until(lambda sockets: len(sockets.asked) >= count)


async def watch(pictures: AsyncGenerator[Picture, None], shown: list[Picture]) -> None:
    """Add what is shown until it ends, or fails."""
    async with aclosing(pictures):
        async for picture in pictures:
            shown.append(picture)


async def test_ten_pictures_are_two_sockets_with_an_account_each(crew: Crew) -> None:
    """Six and four, at the same time, numbered through in one list."""
    await crew.hire("anna", "bert", "cora")
    may_end = asyncio.Event()
    sockets = Sockets([may_end, *finals(*range(6))], [*finals(*range(10, 14))])
    drawing = asyncio.create_task(service(crew, sockets).draw(request(10)))
    await reached(sockets, 2)
    may_end.set()
    drawn = await drawing
    assert ids(drawn.pictures) == [id_of(picture) for picture in (*range(6), *range(10, 14))]
    assert [picture.index for picture in drawn.pictures] == list(range(10))
    assert (drawn.warning, drawn.usage.output_tokens) == (None, 10 * 1024)
    assert len(set(sockets.asked)) == 2
    assert crew.used() == dict.fromkeys(sockets.asked, IMAGES.cost)
    assert crew.is_at_rest()


async def test_a_socket_that_fails_costs_its_own_pictures_only(crew: Crew) -> None:
    """The list is shorter, and says why."""
    await crew.hire("anna", "bert", "cora")
    sockets = Sockets(finals(*range(6)), [UpstreamError(ErrorKind.PROTOCOL, "what?")])
    drawn = await service(crew, sockets).draw(request(10))
    assert ids(drawn.pictures) == [id_of(picture) for picture in range(6)]
    assert drawn.warning == "Grok finished 6 of the 10 pictures asked for"
    assert (sockets.open, crew.is_at_rest()) == (0, True)


async def test_one_account_for_two_sockets_serves_them_one_after_the_other(crew: Crew) -> None:
    """As much as an account may serve at once is no reason for fewer pictures."""
    await crew.hire("anna")
    sockets = Sockets(finals(*range(6)), finals(*range(10, 14)))
    drawn = await service(crew, sockets).draw(request(10))
    assert (len(drawn.pictures), drawn.warning) == (10, None)
    assert crew.used() == {"anna": 2 * IMAGES.cost}


async def test_refused_pictures_are_counted(crew: Crew) -> None:
    """Whoever gets fewer is told how many Grok has refused."""
    await crew.hire("anna")
    sockets = Sockets([frame(1, MEDIUM), refusal(1), frame(2), frame(3, PREVIEW), refusal(3)])
    drawn = await service(crew, sockets).draw(request(3))
    assert ids(drawn.pictures) == [id_of(2)]
    assert drawn.warning == "Grok finished 1 of the 3 pictures asked for, and refused 2"


@pytest.mark.parametrize(
    ("failure", "is_moved_on"),
    [(TIMEOUT, True), (UpstreamError(ErrorKind.UNAVAILABLE, "broke off"), False)],
    ids=["silent", "broke off"],
)
async def test_a_socket_that_fails_in_the_middle_is_continued(
    crew: Crew, failure: UpstreamError, is_moved_on: bool
) -> None:
    """What is finished stays, and only the rest is drawn anew; elsewhere, if the account may be to blame."""
    await crew.hire("anna", "bert")
    sockets = Sockets([frame(1), frame(2, MEDIUM), failure], finals(2, 3, 4))
    drawn = await service(crew, sockets).draw(request(3))
    assert ids(drawn.pictures) == [id_of(1), id_of(2), id_of(3)]
    assert drawn.warning is None
    assert len(set(sockets.asked)) == 1 + is_moved_on
    assert (sockets.open, crew.is_at_rest()) == (0, True)


async def test_what_is_finished_is_given_though_nobody_can_go_on(crew: Crew) -> None:
    """The last account's failure is no reason to throw it away."""
    await crew.hire("anna", "bert")
    sockets = Sockets([frame(1), TIMEOUT], [TIMEOUT])
    drawn = await service(crew, sockets).draw(request(2))
    assert ids(drawn.pictures) == [id_of(1)]
    assert drawn.warning == "Grok finished 1 of the 2 pictures asked for"


async def test_a_blocked_picture_is_asked_for_on_several_other_accounts_at_once(crew: Crew) -> None:
    """The first to have it wins; the others are broken off, and it costs them nothing."""
    await crew.hire("anna", "bert", "cora", "dora")
    may_win = asyncio.Event()
    sockets = Sockets(BLOCKED, [SILENCE], [may_win, *finals(7)], [SILENCE])
    drawing = asyncio.create_task(service(crew, sockets).draw(request(1)))
    await reached(sockets, 4)
    may_win.set()
    assert ids((await drawing).pictures) == [id_of(7)]
    first, _, winner, _ = sockets.asked
    assert sorted(sockets.asked) == ["anna", "bert", "cora", "dora"]
    assert crew.used() == {winner: IMAGES.cost}
    assert first != winner
    assert (sockets.open, crew.is_at_rest()) == (0, True)


async def test_the_number_of_attempts_is_the_operators(crew: Crew) -> None:
    """As many accounts as `image.blocked_parallel_attempts` says."""
    await crew.settings.store({"image.blocked_parallel_attempts": 2})
    await crew.hire("anna", "bert", "cora", "dora", "emil")
    sockets = Sockets(BLOCKED, BLOCKED, BLOCKED)
    with pytest.raises(UpstreamFailedError) as raised:
        await service(crew, sockets).draw(request(1))
    assert (raised.value.code, len(sockets.asked)) == ("blocked", 3)
    assert len(set(sockets.asked)) == 3


async def test_an_attempt_that_fails_leaves_it_to_the_others(crew: Crew) -> None:
    """Only when all of them have failed the picture stays blocked."""
    await crew.hire("anna", "bert", "cora")
    may_win = asyncio.Event()
    sockets = Sockets(BLOCKED, [UpstreamError(ErrorKind.PROTOCOL, "what?")], [may_win, frame(7)])
    drawing = asyncio.create_task(service(crew, sockets).draw(request(1)))
    await sockets.until(lambda sockets: len(sockets.asked) == 3 and sockets.open == 1)
    may_win.set()
    assert ids((await drawing).pictures) == [id_of(7)]


@pytest.mark.parametrize(
    ("names", "is_enabled"), [(["anna", "bert"], False), (["anna"], True)], ids=["switched off", "one account"]
)
async def test_a_blocked_picture_may_have_nowhere_else_to_go(crew: Crew, names: list[str], is_enabled: bool) -> None:
    """The caller is told that it was blocked, not that there is no account."""
    await crew.settings.store({"image.blocked_parallel_enabled": is_enabled})
    await crew.hire(*names)
    sockets = Sockets(BLOCKED)
    with pytest.raises(UpstreamFailedError) as raised:
        await service(crew, sockets).draw(request(1))
    assert (raised.value.code, len(sockets.asked)) == ("blocked", 1)
    assert (sockets.open, crew.is_at_rest()) == (0, True)


async def test_a_block_after_a_finished_picture_is_not_begun_anew(crew: Crew) -> None:
    """Some is better than waiting twice."""
    await crew.hire("anna", "bert")
    sockets = Sockets([frame(1), TIMEOUT], [frame(2, MEDIUM), SILENCE])
    drawn = await service(crew, sockets).draw(request(2))
    assert ids(drawn.pictures) == [id_of(1)]
    assert len(sockets.asked) == 2


@pytest.mark.parametrize("is_blocked", [False, True], ids=["drawing", "asking elsewhere"])
async def test_leaving_ends_everything(crew: Crew, is_blocked: bool) -> None:
    """No socket stays open, no account is kept, and nobody's quota is touched."""
    await crew.hire("anna", "bert", "cora")
    sockets = Sockets(*([BLOCKED] if is_blocked else []), [SILENCE], [SILENCE])
    drawing = asyncio.create_task(service(crew, sockets).draw(request(1 if is_blocked else 10)))
    await reached(sockets, 2 + is_blocked)
    drawing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await drawing
    assert (sockets.open, crew.is_at_rest(), crew.used()) == (0, True, {})


@pytest.mark.parametrize("n", [2, 10])
@pytest.mark.parametrize("is_after_one", [False, True], ids=["at once", "after a picture"])
async def test_a_bug_is_never_swallowed(crew: Crew, n: int, is_after_one: bool) -> None:
    """Whatever the other sockets have drawn."""
    await crew.hire("anna", "bert")
    broken: list[Step] = [*([frame(50)] if is_after_one else []), RuntimeError("a bug")]
    sockets = Sockets(broken, finals(*range(6)))
    with pytest.raises(RuntimeError, match="a bug"):
        await service(crew, sockets).draw(request(n))
    assert (sockets.open, crew.is_at_rest()) == (0, True)


async def test_a_bug_among_attempts_elsewhere_is_not_swallowed_either(crew: Crew) -> None:
    """It ends the others."""
    await crew.hire("anna", "bert", "cora")
    sockets = Sockets(BLOCKED, [SILENCE], [RuntimeError("a bug")])
    with pytest.raises(RuntimeError, match="a bug"):
        await service(crew, sockets).draw(request(1))
    assert (sockets.open, crew.is_at_rest()) == (0, True)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (UpstreamError(ErrorKind.RATE_LIMITED, "enough"), RateLimitedError),
        (UpstreamError(ErrorKind.MODERATED, "no"), PermissionDeniedError),
        (UpstreamError(ErrorKind.PROTOCOL, "what?"), UpstreamFailedError),
    ],
    ids=["rate limit", "refused", "nonsense"],
)
async def test_when_there_is_no_picture_the_reason_is_told(
    crew: Crew, failure: UpstreamError, error: type[GatewayError]
) -> None:
    """In our words."""
    await crew.hire("anna")
    with pytest.raises(error):
        await service(crew, Sockets([failure])).draw(request(1))
    assert crew.is_at_rest()


async def test_without_an_account_nothing_is_asked(crew: Crew) -> None:
    """And the caller is told to come back."""
    sockets = Sockets()
    with pytest.raises(NoAccountError):
        await service(crew, sockets).draw(request(10))
    assert sockets.asked == []


async def test_every_stage_is_streamed_and_numbered(crew: Crew) -> None:
    """How often a place has shown something before, counted for each place; as an address, each stage is a file."""
    await crew.hire("anna")
    sockets = Sockets([*frames(1)[:2], *frames(2), frame(1), SILENCE])
    shown = [picture async for picture in service(crew, sockets).stream(request(2, "url"))]
    assert [(picture.index, picture.step, picture.stage) for picture in shown] == [
        (0, 0, PREVIEW),
        (0, 1, MEDIUM),
        (1, 0, PREVIEW),
        (1, 1, MEDIUM),
        (1, 2, FINAL),
        (0, 2, FINAL),
    ]
    names = [picture.content.removeprefix("/v1/files/image/") for picture in shown]
    first = [f"{id_of(1)}{end}.png" for end in ("-preview", "-medium", "")]
    assert [name for name in names if name.startswith(id_of(1))] == first
    assert await crew.cache.read(Kind.IMAGE, first[-1]) == b64decode(blob(84))
    assert len(set(names)) == len(names) == crew.cache.stats(Kind.IMAGE).count


async def test_what_is_given_as_base64_is_not_kept(crew: Crew) -> None:
    """Nobody could ask for it."""
    await crew.hire("anna")
    [picture] = [picture async for picture in service(crew, Sockets(finals(1))).stream(request(1))]
    assert picture.content == blob(84)
    assert crew.cache.stats(Kind.IMAGE).count == 0


async def test_a_stream_tries_another_account_until_something_is_shown(crew: Crew) -> None:
    """And none afterwards."""
    await crew.hire("anna", "bert", "cora")
    sockets = Sockets([TIMEOUT], [frame(1, PREVIEW), TIMEOUT])
    shown: list[Picture] = []
    with pytest.raises(GatewayError):
        await watch(service(crew, sockets).stream(request(1)), shown)
    assert [picture.stage for picture in shown] == [PREVIEW]
    assert (len(set(sockets.asked)), sockets.open, crew.is_at_rest()) == (2, 0, True)


async def test_a_stream_that_is_short_ends_with_an_error(crew: Crew) -> None:
    """It has no other way to say so."""
    await crew.hire("anna")
    sockets = Sockets([frame(1), frame(2, MEDIUM), refusal(2), frame(3, PREVIEW)])
    shown: list[Picture] = []
    with pytest.raises(UpstreamFailedError, match="1 of the 2 pictures asked for, and refused 1"):
        await watch(service(crew, sockets).stream(request(2)), shown)
    assert [picture.stage for picture in shown if picture.stage is FINAL] == [FINAL]


async def test_leaving_a_stream_ends_its_socket(crew: Crew) -> None:
    """And gives the account back, unused."""
    await crew.hire("anna")
    sockets = Sockets([*frames(1)[:1], SILENCE])
    async with aclosing(service(crew, sockets).stream(request(1))) as pictures:
        await anext(pictures)
        assert not crew.is_at_rest()
    assert (sockets.open, crew.is_at_rest(), crew.used()) == (0, True, {})
