"""One socket: its frames until enough pictures are finished, or none will be. Source: protocol notes, section 4.1."""

import asyncio
import math
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Final

from grok_app.accounts import as_gateway_errors
from grok_app.errors import UpstreamFailedError
from grok_app.imagine.selection import Chosen, Selection
from grok_app.upstream import (
    ErrorKind,
    ImaginePrompt,
    MediaUpstream,
    PictureEnd,
    PictureFrame,
    UpstreamError,
)

_AFTERTHOUGHT_S: Final = 2.0
"""How long another picture may take to begin when all those under way are decided; mostly they begin together."""


class PictureBlockedError(UpstreamError):
    """Grok began a picture and silently didn't finish it. Another account may get it finished."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.WITHHELD, "Grok began the picture and didn't finish it: it was blocked")


@contextmanager
def told() -> Iterator[None]:
    """Tell the caller in our words what Grok's failure means.

    Raises:
        GatewayError: In place of an UpstreamError.
    """
    with as_gateway_errors():
        try:
            yield
        except PictureBlockedError as error:
            raise UpstreamFailedError(str(error), code="blocked") from error


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a picture that has got further than a preview is waited for."""

    final_s: float
    """From then on, for the first finished picture."""
    silence_s: float
    """From the last frame on."""


async def draw(
    upstream: MediaUpstream, credential: str, prompt: ImaginePrompt, selection: Selection, patience: Patience
) -> AsyncGenerator[Chosen, None]:
    """Draw what the selection misses, and give what it chooses.

    Ends without an error when at least one picture was finished, though perhaps not all.

    Raises:
        PictureBlockedError: Nothing was finished in time.
        UpstreamError: Grok refused every picture, hung up before one was finished, or failed.
    """
    selection.begin()
    missing = selection.missing
    watch = _Watch(selection, missing, patience)
    async with aclosing(upstream.imagine(credential, prompt)) as frames:
        while selection.missing and not selection.is_full:
            frame = await watch.next(frames)
            if frame is None:
                break
            for chosen in _take(selection, frame):
                yield chosen
    for chosen in selection.give_up():
        yield chosen
    if selection.missing == missing:
        raise watch.failure()


class _Watch:
    """Reads frames, and knows when no more is to be expected."""

    def __init__(self, selection: Selection, missing: int, patience: Patience) -> None:
        self._selection = selection
        self._wanted = missing
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._begun_at: float | None = None
        self._is_blocked = False

    async def next(self, frames: AsyncGenerator[PictureFrame | PictureEnd, None]) -> PictureFrame | PictureEnd | None:
        """The next frame; None when Grok hangs up, or is silent for too long."""
        if self._begun_at is None and self._selection.has_begun:
            self._begun_at = self._loop.time()
        try:
            async with asyncio.timeout_at(self._until()):
                return await anext(frames, None)
        except TimeoutError:
            self._is_blocked = True
            return None

    def failure(self) -> UpstreamError:
        """Why nothing was finished."""
        if self._selection.moderated:
            return UpstreamError(ErrorKind.MODERATED, "Grok drew the picture and refused to give it")
        if self._is_blocked:
            return PictureBlockedError()
        return UpstreamError(ErrorKind.UNAVAILABLE, "Grok closed the connection before a picture was finished")

    def _until(self) -> float | None:
        if self._selection.is_over:
            return self._loop.time() + min(_AFTERTHOUGHT_S, self._patience.silence_s)
        if self._begun_at is None:
            return None
        has_finished = self._selection.missing < self._wanted
        first_s = math.inf if has_finished else self._begun_at + self._patience.final_s
        return min(first_s, self._loop.time() + self._patience.silence_s)


def _take(selection: Selection, frame: PictureFrame | PictureEnd) -> Iterator[Chosen]:
    return selection.take(frame) if isinstance(frame, PictureFrame) else selection.refuse(frame)
