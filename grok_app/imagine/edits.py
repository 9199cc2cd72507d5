"""Changing pictures: uploaded, joined in a post, changed two at a call. Source: protocol notes, section 4.3, [F]."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from grok_app.accounts import Accounts, Failover, Lease
from grok_app.catalog import EDITS
from grok_app.errors import UpstreamFailedError
from grok_app.imagine.handing import Hand, check, counted, image_usage, shortage
from grok_app.imagine.session import told
from grok_app.imagine.types import EditRequest, Picture, Pictures, Progress
from grok_app.logs import get_logger
from grok_app.media import Entry, Files, Kind, PerAccount
from grok_app.settings import SettingsService
from grok_app.trace import note_request
from grok_app.upstream import (
    EditPrompt,
    ErrorKind,
    ImagePost,
    ImageProgress,
    ImagesDone,
    MediaUpstream,
    UpstreamError,
    asset_id,
)

log = get_logger(__name__)
PER_CALL: Final = 2
"""Grok changes so many at a call."""


@dataclass(frozen=True, slots=True)
class _Made:
    """What came of all calls; at least one picture."""

    entries: list[Entry]
    moderated: int


class EditService:
    """Changes pictures.

    Args:
        upstream: Who changes them.
        accounts: Who asks.
        files: What callers give, and what comes of it.
        settings: How often to try.
    """

    def __init__(self, upstream: MediaUpstream, accounts: Accounts, files: Files, settings: SettingsService) -> None:
        self._upstream = upstream
        self._accounts = accounts
        self._files = files
        self._settings = settings

    async def stream(self, request: EditRequest) -> AsyncGenerator[Picture | Progress, None]:
        """Give how far the pictures are, then the pictures. Consume it under `aclosing`.

        Raises:
            GatewayError: A given picture is no good, no account could change it, or nothing came of it.
        """
        hand = Hand(self._files.cache, request.form, request.own_url)
        made = _Made([], 0)
        async with aclosing(self._steps(request, is_shown=True)) as steps:
            async for step in steps:
                if isinstance(step, _Made):
                    made = step
                elif isinstance(step, ImageProgress) and step.index < request.n:
                    yield hand.progress(step.index, step.percent)
        counted(image_usage(request.prompt, len(request.images), len(made.entries)))
        for index, entry in enumerate(made.entries):
            yield await hand.kept(index, entry)
        if len(made.entries) < request.n:
            raise UpstreamFailedError(shortage(len(made.entries), request.n, made.moderated))

    async def edit(self, request: EditRequest) -> Pictures:
        """Give all pictures at once; when some can't be had, the others.

        Raises:
            GatewayError: As `stream` does.
        """
        made = _Made([], 0)
        async with aclosing(self._steps(request, is_shown=False)) as steps:
            async for step in steps:
                made = step if isinstance(step, _Made) else made
        hand = Hand(self._files.cache, request.form, request.own_url)
        pictures = tuple([await hand.kept(index, entry) for index, entry in enumerate(made.entries)])
        is_short = len(pictures) < request.n
        warning = shortage(len(pictures), request.n, made.moderated) if is_short else None
        usage = image_usage(request.prompt, len(request.images), len(pictures))
        return Pictures(pictures, counted(usage), warning)

    async def _steps(
        self, request: EditRequest, *, is_shown: bool
    ) -> AsyncGenerator[ImageProgress | ImagesDone | _Made, None]:
        """How far it is, and what was made in the end.

        Raises:
            GatewayError: As `stream` does.
        """
        keeps_content = self._settings.snapshot.app.log_content
        note_request(EDITS.id, request.prompt, keeps_content=keeps_content)
        with told():
            async with self._files.sources.open(request.images, request.own_url) as files:
                given = PerAccount(self._files.transfer, files)
                async with aclosing(self._ask(request, given, is_shown=is_shown)) as steps:
                    async for step in steps:
                        yield step

    def _ask(
        self, request: EditRequest, given: PerAccount, *, is_shown: bool
    ) -> AsyncGenerator[ImageProgress | ImagesDone | _Made, None]:
        calls = -(-request.n // PER_CALL)

        async def ask(lease: Lease) -> AsyncGenerator[ImageProgress | ImagesDone | _Made, None]:
            credential = lease.credential.get_secret_value()
            prompt = await self._prompt(credential, request, given)
            results: list[ImagesDone] = []
            async with aclosing(self._at_once(credential, prompt, calls)) as steps:
                async for step in steps:
                    if isinstance(step, ImagesDone):
                        results.append(step)
                    yield step
            yield await self._keep(credential, results, request.n)

        failover = Failover(self._accounts, self._settings.snapshot)
        # What is finished must not be drawn anew because its download fails.
        return failover.run(
            EDITS.pools, EDITS.cost * calls, ask, begins=lambda step: is_shown or not isinstance(step, ImageProgress)
        )

    async def _prompt(self, credential: str, request: EditRequest, given: PerAccount) -> EditPrompt:
        addresses = await given.addresses(credential)
        return EditPrompt(request.prompt, addresses, await self._post(credential, addresses[0]))

    async def _post(self, credential: str, address: str) -> str:
        """The id of the post that the edit belongs to; where Grok makes none, the picture's own."""
        try:
            return await self._upstream.create_post(credential, ImagePost(address))
        except UpstreamError:
            fallback = asset_id(address)
            if fallback is None:
                raise
            log.info("no post was made for an edit, the picture's id stands in", exc_info=True)
            return fallback

    async def _at_once(
        self, credential: str, prompt: EditPrompt, calls: int
    ) -> AsyncGenerator[ImageProgress | ImagesDone, None]:
        """Make the calls at the same time; pictures are numbered through. Fails when all of them do."""
        news: asyncio.Queue[ImageProgress | ImagesDone | None] = asyncio.Queue()

        async def call(number: int) -> None:
            try:
                async with aclosing(self._upstream.edit_images(credential, prompt)) as steps:
                    async for step in steps:
                        news.put_nowait(_numbered(step, number))
            finally:
                news.put_nowait(None)

        tasks = [asyncio.create_task(call(number)) for number in range(calls)]
        try:
            left = calls
            while left:
                step = await news.get()
                left -= step is None
                if step is not None:
                    yield step
            check(await asyncio.gather(*tasks, return_exceptions=True))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, credential: str, results: Sequence[ImagesDone], wanted: int) -> _Made:
        """Download the pictures.

        Raises:
            UpstreamError: There is none.
        """
        addresses = [address for result in results for address in result.addresses][:wanted]
        moderated = sum(result.moderated for result in results)
        if not addresses and moderated:
            raise UpstreamError(ErrorKind.MODERATED, "Grok made the picture and refused to give it")
        if not addresses:
            raise UpstreamError(ErrorKind.PROTOCOL, "Grok ended its answer without a picture")
        downloads = (self._files.transfer.keep(credential, Kind.IMAGE, address) for address in addresses)
        kept = await asyncio.gather(*downloads, return_exceptions=True)
        check(kept)
        return _Made([entry for entry in kept if isinstance(entry, Entry)], moderated)


def _numbered(step: ImageProgress | ImagesDone, call: int) -> ImageProgress | ImagesDone:
    return ImageProgress(call * PER_CALL + step.index, step.percent) if isinstance(step, ImageProgress) else step
