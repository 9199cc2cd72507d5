"""Drawing pictures of a text: as many sockets as it takes, each with an account of its own."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from grok_app.accounts import Accounts
from grok_app.catalog import IMAGES
from grok_app.errors import UpstreamFailedError
from grok_app.imagine.endless import BUSY_S, Endless
from grok_app.imagine.feed import Feed
from grok_app.imagine.handing import Hand, check, counted, image_usage, shortage
from grok_app.imagine.selection import PER_SOCKET, Selection
from grok_app.imagine.session import told
from grok_app.imagine.types import Drawn, ImagesRequest, Picture, Pictures, Setback, Stage
from grok_app.imagine.work import Work, sizes_of
from grok_app.media import MediaCache
from grok_app.settings import Settings, SettingsService
from grok_app.trace import note_request
from grok_app.upstream import MediaUpstream


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
        _note(request, settings)
        work = Work(self._upstream, self._accounts, settings, request)
        selection = Selection(request.n, sizes_of(settings), shows_partial=True)
        hand = Hand(self._media, request.form, request.own_url)
        with told():
            async with aclosing(work.shown(selection)) as shown:
                async for chosen in shown:
                    yield await hand.over(chosen)
        counted(image_usage(request.prompt, 0, request.n - selection.missing))
        if selection.missing:
            raise UpstreamFailedError(shortage(request.n - selection.missing, request.n, selection.moderated))

    async def endless(self, request: ImagesRequest) -> AsyncGenerator[Drawn | Setback, None]:
        """Give pictures batch after batch, each of six, whatever `n` says, until closed. Consume it under `aclosing`.

        A batch that fails is followed by the next one, on another account, or after a pause and a reason. To a
        consumer who is slow, stages before the last one of a picture may be missing, finished pictures never are.

        Raises:
            OverloadedError: The disk is full, where pictures go as addresses.
        """
        _note(request, self._settings.snapshot)
        feed = Feed()
        run = Endless(
            lambda settings: Work(self._upstream, self._accounts, settings, request, wait_s=BUSY_S),
            lambda: self._settings.snapshot,
            request.form,
        )
        filling = asyncio.create_task(run.fill(feed))
        filling.add_done_callback(lambda _: feed.end())
        batch, hand, finished = 0, Hand(self._media, request.form, request.own_url), 0
        try:
            while (news := await feed.take()) is not None:
                if isinstance(news, Setback):
                    yield news
                    continue
                if news.batch != batch:
                    batch, hand = news.batch, Hand(self._media, request.form, request.own_url)
                finished += news.chosen.stage is Stage.FINAL
                counted(image_usage(request.prompt, 0, finished))
                yield Drawn(await hand.over(news.chosen), news.elapsed_ms)
            await filling  # it ends by a bug alone, which is raised here
        finally:
            filling.cancel()
            await asyncio.gather(filling, return_exceptions=True)

    async def draw(self, request: ImagesRequest) -> Pictures:
        """Give all finished pictures at once; when some can't be had, the others.

        Raises:
            GatewayError: No picture could be had.
        """
        settings = self._settings.snapshot
        _note(request, settings)
        work = Work(self._upstream, self._accounts, settings, request)
        counts = [min(PER_SOCKET, request.n - first) for first in range(0, request.n, PER_SOCKET)]
        results = await asyncio.gather(*(work.finished(count) for count in counts), return_exceptions=True)
        with told():
            check(results)
        finished = [chosen for result in results if isinstance(result, list) for chosen in result]
        hand = Hand(self._media, request.form, request.own_url)
        pictures = await hand.all_over(finished)
        warning = shortage(len(pictures), request.n, work.moderated) if len(pictures) < request.n else None
        return Pictures(pictures, counted(image_usage(request.prompt, 0, len(pictures))), warning)


def _note(request: ImagesRequest, settings: Settings) -> None:
    note_request(IMAGES.id, request.prompt, keeps_content=settings.app.log_content)
