"""The sockets that a request for pictures takes, each with an account of its own."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from grok_app.accounts import Accounts, Failover, Lease
from grok_app.catalog import IMAGES
from grok_app.errors import GatewayError
from grok_app.imagine.selection import Chosen, Selection, Sizes
from grok_app.imagine.session import Patience, PictureBlockedError, draw
from grok_app.imagine.types import ImagesRequest
from grok_app.logs import get_logger
from grok_app.settings import Settings
from grok_app.upstream import ImaginePrompt, MediaUpstream, UpstreamError

log = get_logger(__name__)


class Work:
    """The sockets of one request.

    Args:
        upstream: Who draws.
        accounts: Who asks.
        settings: Those in force.
        request: What is wanted.
        wait_s: How long to wait for accounts that are only busy; None: as long as a chat does.
    """

    def __init__(
        self,
        upstream: MediaUpstream,
        accounts: Accounts,
        settings: Settings,
        request: ImagesRequest,
        *,
        wait_s: float | None = None,
    ) -> None:
        image = settings.image
        has_adult_content = image.nsfw if request.has_adult_content is None else request.has_adult_content
        self._upstream = upstream
        self._settings = settings
        self._failover = Failover(accounts, settings, wait_s)
        self._prompt = ImaginePrompt(request.prompt, request.aspect_ratio, has_adult_content)
        self._patience = Patience(image.final_timeout, image.blocked_grace_seconds)
        self.moderated = 0
        """How many pictures Grok has refused to give."""

    def shown(self, selection: Selection, tried: set[int] | None = None) -> AsyncGenerator[Chosen, None]:
        """Every stage; after the first one nothing is tried again. See `Failover.run` for what was tried."""

        def ask(lease: Lease) -> AsyncGenerator[Chosen, None]:
            return draw(self._upstream, lease.credential.get_secret_value(), self._prompt, selection, self._patience)

        return self._failover.run(IMAGES.pools, IMAGES.cost, ask, tried=tried)

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
        selection = Selection(count, sizes_of(self._settings), shows_partial=False)

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


def sizes_of(settings: Settings) -> Sizes:
    """How stages are told apart."""
    return Sizes(settings.image.medium_min_bytes, settings.image.final_min_bytes)
