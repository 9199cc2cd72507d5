"""Drawing pictures of a text: as many sockets as it takes, each with an account of its own."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from grok_app.accounts import Accounts, Failover, Lease
from grok_app.catalog import IMAGES
from grok_app.errors import GatewayError, UpstreamFailedError
from grok_app.imagine.handing import Hand, check, image_usage, shortage
from grok_app.imagine.selection import PER_SOCKET, Chosen, Selection, Sizes
from grok_app.imagine.session import Patience, PictureBlockedError, draw, told
from grok_app.imagine.types import ImagesRequest, Picture, Pictures
from grok_app.logs import get_logger
from grok_app.media import MediaCache
from grok_app.settings import Settings, SettingsService
from grok_app.upstream import ImaginePrompt, MediaUpstream, UpstreamError

log = get_logger(__name__)


class ImagineService:
    """Draws pictures.

    Args:
        upstream: Who draws.
        accounts: Who asks.
        media: Where pictures are kept that are handed over as addresses.
        settings: How stages are told apart, and how long they may take.
    """

    def __init__(
        self, upstream: MediaUpstream, accounts: Accounts, media: MediaCache, settings: SettingsService
    ) -> None:
        self._upstream = upstream
        self._accounts = accounts
        self._media = media
        self._settings = settings

    async def stream(self, request: ImagesRequest) -> AsyncGenerator[Picture, None]:
        """Give every stage of the pictures as it comes, the final ones included. Consume it under `aclosing`.

        Raises:
            GatewayError: No account could draw, or a picture was blocked, refused or broken off.
        """
        settings = self._settings.snapshot
        work = _Work(self._upstream, self._accounts, settings, request)
        selection = Selection(request.n, _sizes(settings), shows_partial=True)
        hand = Hand(self._media, request.form, request.own_url)
        with told():
            async with aclosing(work.shown(selection)) as shown:
                async for chosen in shown:
                    yield await hand.over(chosen)
        if selection.missing:
            raise UpstreamFailedError(shortage(request.n - selection.missing, request.n, selection.moderated))

    async def draw(self, request: ImagesRequest) -> Pictures:
        """Give all finished pictures at once; when some can't be had, the others.

        Raises:
            GatewayError: No picture could be had.
        """
        work = _Work(self._upstream, self._accounts, self._settings.snapshot, request)
        counts = [min(PER_SOCKET, request.n - first) for first in range(0, request.n, PER_SOCKET)]
        results = await asyncio.gather(*(work.finished(count) for count in counts), return_exceptions=True)
        with told():
            check(results)
        finished = [chosen for result in results if isinstance(result, list) for chosen in result]
        hand = Hand(self._media, request.form, request.own_url)
        pictures = await hand.all_over(finished)
        warning = shortage(len(pictures), request.n, work.moderated) if len(pictures) < request.n else None
        return Pictures(pictures, image_usage(request.prompt, 0, len(pictures)), warning)


class _Work:
    """The sockets of one request."""

    def __init__(self, upstream: MediaUpstream, accounts: Accounts, settings: Settings, request: ImagesRequest) -> None:
        image = settings.image
        has_adult_content = image.nsfw if request.has_adult_content is None else request.has_adult_content
        self._upstream = upstream
        self._settings = settings
        self._failover = Failover(accounts, settings)
        self._prompt = ImaginePrompt(request.prompt, request.aspect_ratio, has_adult_content)
        self._patience = Patience(image.final_timeout, image.blocked_grace_seconds)
        self.moderated = 0
        """How many pictures Grok has refused to give."""

    def shown(self, selection: Selection) -> AsyncGenerator[Chosen, None]:
        """Every stage; after the first one nothing is tried again."""

        def ask(lease: Lease) -> AsyncGenerator[Chosen, None]:
            return draw(self._upstream, lease.credential.get_secret_value(), self._prompt, selection, self._patience)

        return self._failover.run(IMAGES.pools, IMAGES.cost, ask)

    async def finished(self, count: int) -> list[Chosen]:
        """So many finished pictures, or fewer; on other accounts too, since nothing is shown before the end.

        Raises:
            UpstreamError: There is none.
            GatewayError: There is no account.
        """
        finished: list[Chosen] = []
        tried: set[int] = set()
        try:
            await self._collect(count, finished, tried)
        except PictureBlockedError as blocked:
            if not finished and self._settings.image.blocked_parallel_enabled:
                return await self._elsewhere(count, tried, blocked)
            if not finished:
                raise
        except (UpstreamError, GatewayError):
            if not finished:
                raise
            log.warning("pictures are missing", count=count - len(finished), exc_info=True)
        return finished

    async def _collect(self, count: int, finished: list[Chosen], tried: set[int]) -> None:
        """Add finished pictures, those of a socket that breaks off included."""
        selection = Selection(count, _sizes(self._settings), shows_partial=False)

        async def collect(lease: Lease) -> None:
            credential = lease.credential.get_secret_value()
            drawn = draw(self._upstream, credential, self._prompt, selection, self._patience)
            async with aclosing(drawn) as pictures:
                async for chosen in pictures:
                    finished.append(chosen)

        try:
            await self._failover.call(IMAGES.pools, IMAGES.cost, collect, tried=tried)
        finally:
            self.moderated += selection.moderated

    async def _elsewhere(self, count: int, tried: set[int], blocked: PictureBlockedError) -> list[Chosen]:
        """Ask several other accounts at once for a picture that was blocked; the first one to have it counts."""

        async def attempt() -> list[Chosen]:
            finished: list[Chosen] = []
            await self._collect(count, finished, tried)
            return finished

        attempts = [asyncio.create_task(attempt()) for _ in range(self._settings.image.blocked_parallel_attempts)]
        try:
            for attempted in asyncio.as_completed(attempts):
                try:
                    return await attempted
                except (UpstreamError, GatewayError) as error:
                    log.info("a blocked picture was asked for again in vain", reason=str(error))
        finally:
            for task in attempts:
                task.cancel()
            await asyncio.gather(*attempts, return_exceptions=True)
        raise blocked


def _sizes(settings: Settings) -> Sizes:
    return Sizes(settings.image.medium_min_bytes, settings.image.final_min_bytes)
