"""Videos: who is asked, how many at once, and what a failure on the way costs."""

import asyncio
from contextlib import aclosing
from io import BytesIO
from typing import cast

import pytest

from grok_app.catalog import VIDEO, Pool
from grok_app.errors import GatewayError, InvalidRequestError, RateLimitedError, UpstreamFailedError
from grok_app.media import Files, Kind, RemoteFiles, Source, SourceKind, Sources, Transfer
from grok_app.upstream import (
    ErrorKind,
    ImagePost,
    UpstreamError,
    VideoDone,
    VideoPost,
    VideoPreset,
    VideoProgress,
    VideoPrompt,
)
from grok_app.video import Event, Filming, Upscaling, Video, VideoRequest, VideoService
from tests.crew import Crew
from tests.media.grok import PNG, MediaGrok, address_of, file_id

BROKEN = UpstreamError(ErrorKind.PROTOCOL, "what?")
LIMITED = UpstreamError(ErrorKind.RATE_LIMITED, "enough", status=429)
FILM = address_of(1, "generated_video.mp4")
STILL = address_of(1, "preview_image.jpg")
DONE = VideoDone(FILM, STILL, file_id(1))
FILM_URL = f"/v1/files/video/{file_id(1)}-generated_video.mp4"
HD_URL = f"/v1/files/video/{file_id(99)}-generated_video_hd.mp4"
STILL_URL = f"/v1/files/image/{file_id(1)}-preview_image.jpg"


def service(crew: Crew, grok: MediaGrok) -> VideoService:
    """Under test; nothing is fetched from elsewhere."""
    sources = Sources(crew.cache, cast("RemoteFiles", None), crew.settings)
    files = Files(crew.cache, sources, Transfer(grok.face, crew.cache, crew.settings))
    return VideoService(grok.face, crew.accounts, files, crew.settings)


def request(*, image: bytes | None = None, length_s: int = 6, resolution: str = "480p") -> VideoRequest:
    """For one video."""
    source = None if image is None else Source(SourceKind.IMAGE, "messages.0", BytesIO(image))
    return VideoRequest("a wave", source, "3:2", length_s, resolution, VideoPreset.FUN)


async def play(films: VideoService, wanted: VideoRequest) -> list[Event]:
    """All events of one video."""
    async with aclosing(films.stream(wanted)) as events:
        return [event async for event in events]


async def watch(films: VideoService, wanted: VideoRequest, shown: list[Event]) -> None:
    """Add what is shown until it ends, or fails."""
    async with aclosing(films.stream(wanted)) as events:
        async for event in events:
            shown.append(event)


def assert_at_rest(crew: Crew, grok: MediaGrok) -> None:
    """Nothing is open, no account is kept."""
    assert not any(grok.open.values())
    assert crew.is_at_rest()


async def test_a_video_of_a_text(crew: Crew) -> None:
    """A post of the text, the film, and both files kept."""
    await crew.hire("anna")
    grok = MediaGrok([VideoProgress(1), VideoProgress(70), DONE])
    assert await play(service(crew, grok), request()) == [Filming(1), Filming(70), Video(FILM_URL, STILL_URL)]
    assert grok.posts == [VideoPost("a wave")]
    assert grok.prompts == [VideoPrompt("a wave", "post-1", "3:2", 6, "480p", VideoPreset.FUN)]
    assert await crew.cache.read(Kind.VIDEO, FILM_URL.rpartition("/")[2]) == PNG
    assert crew.used() == {"anna": VIDEO.cost}
    assert_at_rest(crew, grok)


async def test_a_video_of_a_picture(crew: Crew) -> None:
    """The post is the uploaded picture's."""
    await crew.hire("anna")
    grok = MediaGrok([DONE])
    await play(service(crew, grok), request(image=PNG))
    assert grok.posts == [ImagePost(grok.uri(1))]
    assert [content for _, _, content in grok.uploads] == [PNG]


@pytest.mark.parametrize(
    ("length_s", "resolution", "first"),
    [(6, "480p", Pool.BASIC), (10, "480p", Pool.SUPER), (6, "720p", Pool.SUPER), (15, "720p", Pool.SUPER)],
)
async def test_demanding_videos_are_for_super_accounts_first(
    crew: Crew, length_s: int, resolution: str, first: Pool
) -> None:
    """The others are for basic ones first. Where there are none of a kind, the other kind is asked."""
    await crew.hire("anna")
    await crew.hire("bert", pool=Pool.SUPER)
    grok = MediaGrok([LIMITED], [DONE])
    await play(service(crew, grok), request(length_s=length_s, resolution=resolution))
    asked = [crew.pool_of(name) for call, name in grok.asked if call == "video"]
    assert asked == [first, Pool.SUPER if first is Pool.BASIC else Pool.BASIC]


@pytest.mark.parametrize(
    ("pool", "resolution", "video_id", "is_upscaled"),
    [
        (Pool.BASIC, "720p", file_id(1), True),
        (Pool.SUPER, "720p", file_id(1), False),
        (Pool.BASIC, "480p", file_id(1), False),
        (Pool.BASIC, "720p", None, False),
    ],
    ids=["basic", "super", "small", "nameless"],
)
async def test_only_720p_of_a_basic_account_is_made_larger(
    crew: Crew, pool: Pool, resolution: str, video_id: str | None, is_upscaled: bool
) -> None:
    """And then the smaller one isn't downloaded at all."""
    await crew.hire("anna", pool=pool)
    grok = MediaGrok([VideoDone(FILM, None, video_id)])
    events = await play(service(crew, grok), request(resolution=resolution))
    film = Video(HD_URL if is_upscaled else FILM_URL, None)
    assert events == ([Upscaling(), film] if is_upscaled else [film])
    assert grok.count(f"upscale {video_id}") == is_upscaled
    assert crew.cache.stats(Kind.VIDEO).count == 1


@pytest.mark.parametrize("is_lost", [False, True], ids=["refused", "lost"])
async def test_a_video_that_cannot_be_made_larger_stays_as_it_is(crew: Crew, is_lost: bool) -> None:
    """Whether Grok refuses or the larger one can't be downloaded."""
    await crew.hire("anna")
    grok = MediaGrok([DONE])
    if is_lost:
        grok.downloads[str(grok.larger)] = [[BROKEN]]
    else:
        grok.larger = LIMITED
    assert await play(service(crew, grok), request(resolution="720p")) == [Upscaling(), Video(FILM_URL, STILL_URL)]
    assert crew.used() == {"anna": VIDEO.cost}


async def test_a_lost_still_is_no_reason_to_lose_the_video(crew: Crew) -> None:
    """It is shown without one."""
    await crew.hire("anna")
    grok = MediaGrok([DONE])
    grok.downloads[STILL] = [[BROKEN]]
    assert await play(service(crew, grok), request()) == [Video(FILM_URL, None)]


@pytest.mark.parametrize("step", ["upscale", "larger", "still"])
async def test_a_bug_is_never_taken_for_such_a_failure(crew: Crew, step: str) -> None:
    """It escapes."""
    await crew.hire("anna")
    bug = RuntimeError("a bug")
    grok = MediaGrok([DONE])
    if step == "upscale":
        grok.larger = bug
    grok.downloads[STILL if step == "still" else address_of(99, "generated_video_hd.mp4")] = [[bug]]
    with pytest.raises(RuntimeError, match="a bug"):
        await play(service(crew, grok), request(resolution="720p"))
    assert_at_rest(crew, grok)


async def test_a_lost_video_is_an_error(crew: Crew) -> None:
    """There is nothing to show."""
    await crew.hire("anna")
    grok = MediaGrok([DONE])
    grok.downloads[FILM] = [[BROKEN]]
    with pytest.raises(UpstreamFailedError, match=r"what\?"):
        await play(service(crew, grok), request())
    assert_at_rest(crew, grok)


async def test_an_answer_without_a_video_is_an_error(crew: Crew) -> None:
    """However far it said it was."""
    await crew.hire("anna")
    shown: list[Event] = []
    with pytest.raises(UpstreamFailedError, match="without a video"):
        await watch(service(crew, MediaGrok([VideoProgress(100)])), request(), shown)
    assert shown == [Filming(100)]


async def test_a_picture_without_an_address_makes_no_video(crew: Crew) -> None:
    """Grok couldn't be told which one it is."""
    await crew.hire("anna")
    grok = MediaGrok()
    grok.uri = lambda _: ""
    with pytest.raises(UpstreamFailedError, match="didn't say where"):
        await play(service(crew, grok), request(image=PNG))
    assert grok.posts == []


async def test_no_account_is_lent_for_a_picture_that_is_none(crew: Crew) -> None:
    """The caller's mistake is told before anybody is asked."""
    with pytest.raises(InvalidRequestError) as raised:
        await play(service(crew, MediaGrok()), request(image=b"<svg>"))
    assert raised.value.param == "messages.0"


async def test_another_account_is_asked_until_there_is_progress(crew: Crew) -> None:
    """It uploads and posts for itself. After the first progress nobody else is asked."""
    await crew.hire("anna", "bert", "cora")
    grok = MediaGrok([LIMITED], [VideoProgress(5), LIMITED])
    shown: list[Event] = []
    with pytest.raises(RateLimitedError):
        await watch(service(crew, grok), request(image=PNG), shown)
    assert shown == [Filming(5)]
    calls = [call for call, _ in grok.asked]
    assert calls == ["upload", "post", "video"] * 2
    assert len({name for _, name in grok.asked}) == 2
    assert_at_rest(crew, grok)


async def test_so_many_at_once_as_the_operator_says(crew: Crew) -> None:
    """The others wait, and take no account meanwhile. A change holds from the next video on."""
    await crew.settings.store({"video.concurrent": 2})
    await crew.hire("anna", "bert", "cora", "dora")
    may_end = asyncio.Event()
    grok = MediaGrok(*[[may_end, DONE]] * 4)
    films = service(crew, grok)
    playing = [asyncio.create_task(play(films, request())) for _ in range(3)]
    await grok.until(lambda grok: grok.open["video"] == 2)
    async with crew.accounts.lease(VIDEO.pools, 1), crew.accounts.lease(VIDEO.pools, 1):
        assert grok.open["video"] == 2
    await crew.settings.store({"video.concurrent": 3})
    playing.append(asyncio.create_task(play(films, request())))
    await grok.until(lambda grok: grok.open["video"] == 3)
    may_end.set()
    assert await asyncio.gather(*playing) == [[Video(FILM_URL, STILL_URL)]] * 4
    assert grok.most_open["video"] == 3


@pytest.mark.parametrize("ends", ["left", "failed", "cancelled"])
async def test_a_place_is_free_again_however_a_video_ends(crew: Crew, ends: str) -> None:
    """The next one begins."""
    await crew.settings.store({"video.concurrent": 1})
    await crew.hire("anna")
    never = asyncio.Event()
    grok = MediaGrok([VideoProgress(1), BROKEN if ends == "failed" else never], [DONE])
    films = service(crew, grok)
    if ends == "left":
        async with aclosing(films.stream(request())) as events:
            await anext(events)
    elif ends == "failed":
        with pytest.raises(GatewayError):
            await play(films, request())
    else:
        playing = asyncio.create_task(play(films, request()))
        await grok.until(lambda grok: grok.open["video"] == 1)
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
    assert_at_rest(crew, grok)
    assert crew.used() == {}
    assert await play(films, request()) == [Video(FILM_URL, STILL_URL)]


async def test_who_leaves_while_waiting_is_not_waited_for(crew: Crew) -> None:
    """The one behind is next."""
    await crew.settings.store({"video.concurrent": 1})
    await crew.hire("anna")
    may_end = asyncio.Event()
    grok = MediaGrok([may_end, DONE], [DONE])
    films = service(crew, grok)
    first, leaving, last = (asyncio.create_task(play(films, request())) for _ in range(3))
    await grok.until(lambda grok: grok.open["video"] == 1)
    leaving.cancel()
    may_end.set()
    ended = await asyncio.gather(first, leaving, last, return_exceptions=True)
    assert isinstance(ended[1], asyncio.CancelledError)
    assert ended[0] == ended[2] == [Video(FILM_URL, STILL_URL)]


@pytest.mark.parametrize("at", ["upload", "video", "download"])
async def test_leaving_ends_everything(crew: Crew, at: str) -> None:
    """At whatever point: nothing stays open, no quota is touched."""
    await crew.hire("anna")
    never = asyncio.Event()
    grok = MediaGrok([never] if at == "video" else [DONE])
    grok.upload_scripts = [[never]] if at == "upload" else []
    grok.downloads[FILM] = [[PNG, never]]
    playing = asyncio.create_task(play(service(crew, grok), request(image=PNG)))
    await grok.until(lambda grok: grok.open[at] == 1)
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing
    await grok.until(lambda grok: not grok.open[at])
    assert_at_rest(crew, grok)
    assert crew.used() == {}
    assert crew.cache.find(Kind.VIDEO, FILM_URL.rpartition("/")[2]) is None


def given(content: BytesIO | str) -> VideoRequest:
    """For a video of this picture, whose source a test looks at."""
    return VideoRequest("a wave", Source(SourceKind.IMAGE, "image_url", content), "3:2", 6, "480p", VideoPreset.FUN)


@pytest.mark.parametrize("content", [b"<svg>", b""], ids=["no picture", "empty"])
async def test_a_picture_that_is_none_is_told_when_it_is_checked(crew: Crew, content: bytes) -> None:
    """With the name of its field; nobody at Grok's is asked."""
    grok = MediaGrok()
    with pytest.raises(InvalidRequestError) as raised:
        await service(crew, grok).check(given(BytesIO(content)))
    assert raised.value.param == "image_url"
    assert grok.asked == []


async def test_a_picture_can_be_used_after_it_was_checked(crew: Crew) -> None:
    """It is not closed, and goes to Grok whole, wherever it was read to meanwhile."""
    await crew.hire("anna")
    grok, content = MediaGrok([DONE]), BytesIO(PNG)
    films, wanted = service(crew, grok), given(content)
    await films.check(wanted)
    content.seek(0, 2)
    await play(films, wanted)
    assert [uploaded for _, _, uploaded in grok.uploads] == [PNG]


@pytest.mark.parametrize("wanted", [given("https://example.com/a.png"), request()], ids=["elsewhere", "none"])
async def test_what_is_not_here_is_not_checked(crew: Crew, wanted: VideoRequest) -> None:
    """A picture that is elsewhere is fetched when its turn comes, and then may be no good."""
    grok = MediaGrok()
    await service(crew, grok).check(wanted)
    assert grok.asked == []
    assert crew.is_at_rest()
