"""Making a video: a post, the film, perhaps a larger one, all kept here. Source: protocol notes, section 5, [F]."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from grok_app.access import Room
from grok_app.accounts import Accounts, Failover, Lease, as_gateway_errors
from grok_app.catalog import VIDEO, Pool
from grok_app.errors import GatewayError
from grok_app.logs import get_logger
from grok_app.media import Entry, Files, Kind, PerAccount, path_of
from grok_app.settings import SettingsService
from grok_app.trace import note_request
from grok_app.upstream import (
    ErrorKind,
    ImagePost,
    MediaUpstream,
    UpstreamError,
    VideoDone,
    VideoPost,
    VideoPrompt,
)
from grok_app.video.types import Event, Filming, Upscaling, Video, VideoRequest

log = get_logger(__name__)
_LARGE: Final = "720p"
_SHORT_S: Final = 6
_WAIT_S: Final = 600.0
"""For room among the videos: a few of them take so long."""
_SUPER_FIRST: Final = (Pool.SUPER, Pool.BASIC)


class VideoService:
    """Makes videos.

    Args:
        upstream: Who makes them.
        accounts: Who asks.
        files: The picture that a video begins with, and the video.
        settings: How many at once.
    """

    def __init__(self, upstream: MediaUpstream, accounts: Accounts, files: Files, settings: SettingsService) -> None:
        self._upstream = upstream
        self._accounts = accounts
        self._files = files
        self._settings = settings
        self._room = Room(lambda: settings.snapshot.video.concurrent, wait_s=_WAIT_S, what="videos")

    async def check(self, request: VideoRequest) -> None:
        """Look at the picture that a video shall begin with; one that is elsewhere is fetched when its turn comes.

        Raises:
            InvalidRequestError: It is no good.
        """
        if request.image and not isinstance(request.image.content, str):
            async with self._files.sources.open([request.image], request.own_url):
                pass

    async def stream(self, request: VideoRequest) -> AsyncGenerator[Event, None]:
        """Give how far the video is, then the video. Consume it under `aclosing`.

        More than `video.concurrent` at once wait for each other; see `Room`.

        Raises:
            GatewayError: There is no room, the picture is no good, no account could make the video, or nothing came
                of it.
        """
        settings = self._settings.snapshot
        note_request(VIDEO.id, request.prompt, keeps_content=settings.app.log_content)
        await self._room.enter()
        try:
            with as_gateway_errors():
                async with self._files.sources.open([request.image] if request.image else [], request.own_url) as files:
                    given = PerAccount(self._files.transfer, files)
                    events = Failover(self._accounts, settings).run(
                        _pools(request), VIDEO.cost, lambda lease: self._make(lease, request, given)
                    )
                    async with aclosing(events):
                        async for event in events:
                            yield event
        finally:
            self._room.leave()

    async def _make(self, lease: Lease, request: VideoRequest, given: PerAccount) -> AsyncGenerator[Event, None]:
        credential = lease.credential.get_secret_value()
        post_id = await self._post(credential, request, given)
        prompt = VideoPrompt(
            text=request.prompt,
            post_id=post_id,
            aspect_ratio=request.aspect_ratio,
            length_s=request.length_s,
            resolution=request.resolution,
            preset=request.preset,
        )
        done: VideoDone | None = None
        async with aclosing(self._upstream.video(credential, prompt)) as steps:
            async for step in steps:
                if isinstance(step, VideoDone):
                    done = step
                else:
                    yield Filming(step.percent)
        if done is None:
            raise UpstreamError(ErrorKind.PROTOCOL, "Grok ended its answer without a video")
        entry: Entry | None = None
        if request.resolution == _LARGE and lease.pool is Pool.BASIC and done.video_id:
            yield Upscaling()
            entry = await self._larger(credential, done.video_id)
        entry = entry or await self._files.transfer.keep(credential, Kind.VIDEO, done.address)
        still = await self._still(credential, done.thumbnail)
        yield Video(_url(request, entry), _url(request, still) if still else None)

    async def _post(self, credential: str, request: VideoRequest, given: PerAccount) -> str:
        if request.image is None:
            return await self._upstream.create_post(credential, VideoPost(request.prompt))
        [address] = await given.addresses(credential)
        return await self._upstream.create_post(credential, ImagePost(address))

    async def _larger(self, credential: str, video_id: str) -> Entry | None:
        """The larger video; None when it can't be had, for then the original is good enough."""
        try:
            address = await self._upstream.upscale(credential, video_id)
            return await self._files.transfer.keep(credential, Kind.VIDEO, address)
        except (UpstreamError, GatewayError):
            log.warning("a video could not be made larger, the original stays", exc_info=True)
            return None

    async def _still(self, credential: str, address: str | None) -> Entry | None:
        if address is None:
            return None
        try:
            return await self._files.transfer.keep(credential, Kind.IMAGE, address)
        except (UpstreamError, GatewayError):
            log.warning("the still of a video was lost", exc_info=True)
            return None


def _pools(request: VideoRequest) -> tuple[Pool, ...]:
    """Who is asked first: super accounts film at 720p themselves, and longer. Source: API contract, section 7."""
    is_demanding = request.resolution == _LARGE or request.length_s > _SHORT_S
    return _SUPER_FIRST if is_demanding else VIDEO.pools


def _url(request: VideoRequest, entry: Entry) -> str:
    return request.own_url + path_of(entry.kind, entry.name)
