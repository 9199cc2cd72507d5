"""A run: batch after batch of the same wish, on one account after the other, until nobody listens any more."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from itertools import count
from typing import Final

from grok_app.accounts import NoAccountError
from grok_app.errors import GatewayError
from grok_app.imagine.feed import Feed, Shown
from grok_app.imagine.selection import PER_SOCKET, Chosen, Selection
from grok_app.imagine.session import told
from grok_app.imagine.types import Form, Setback
from grok_app.imagine.work import Work, sizes_of
from grok_app.logs import get_logger
from grok_app.settings import Settings
from grok_app.upstream import ErrorKind, UpstreamError

log = get_logger(__name__)
BUSY_S: Final = 3.0
"""How long a run waits for accounts that are only busy, and how long until it looks again when there are none."""
_PAUSES_S: Final = (2.0, 4.0, 8.0, 16.0, 30.0)
"""Longer each time: a wish that is refused again and again costs quota each time."""
_MOST_IN_A_ROW: Final = 20
"""Accounts that are asked without a pause when each of them turns out to be spent or refused."""
_OF_THE_ACCOUNT: Final = (ErrorKind.RATE_LIMITED, ErrorKind.INVALID_CREDENTIAL, ErrorKind.BLOCKED_ACCOUNT)


class Endless:
    """Draws one wish for as long as it is let.

    Args:
        work: Makes the work of one batch, as the settings are then.
        settings: Those in force.
        form: How pictures are handed over in the end.
    """

    def __init__(self, work: Callable[[Settings], Work], settings: Callable[[], Settings], form: Form) -> None:
        self._work = work
        self._settings = settings
        self._form = form
        self._loop = asyncio.get_running_loop()
        self._tried: set[int] = set()
        """Accounts that failed since the last finished picture or pause."""
        self._failures: list[UpstreamError] = []
        """Of batches without a finished picture since then."""
        self._pauses = 0
        """How often it paused since the last finished picture."""

    async def fill(self, feed: Feed) -> None:
        """Put the pictures into the feed, and why there are none. Never returns."""
        for batch in count():
            settings = self._settings()
            selection = Selection(PER_SOCKET, sizes_of(settings), shows_partial=True)
            try:
                await self._draw(batch, self._work(settings), selection, feed)
            except (UpstreamError, GatewayError) as error:
                await self._bear(error, selection, settings, feed)
            else:
                self._begin_anew()

    async def _draw(self, batch: int, work: Work, selection: Selection, feed: Feed) -> None:
        began_at = self._loop.time()
        async with aclosing(work.shown(selection, self._tried)) as pictures:
            async for chosen in pictures:
                elapsed_ms = int((self._loop.time() - began_at) * 1000)
                await feed.put(Shown(batch, self._as_light(chosen), elapsed_ms))

    async def _bear(
        self, error: UpstreamError | GatewayError, selection: Selection, settings: Settings, feed: Feed
    ) -> None:
        """Go on at once where the next account may do better, else say why nothing comes, and pause."""
        if selection.missing < PER_SOCKET:
            self._begin_anew()
        if isinstance(error, UpstreamError):
            self._failures.append(error)
            if self._may_go_on(error, selection, settings.retry.max_retry):
                log.info("a run goes on with another account", reason=str(error))
                return
        elif self._failures and isinstance(error, NoAccountError):
            error = self._failures[-1]  # there are accounts, and this is what became of them
        feed.put_setback(Setback(_in_our_words(error)))
        await asyncio.sleep(self._pause_s(error))
        self._tried.clear()
        self._failures.clear()

    def _may_go_on(self, error: UpstreamError, selection: Selection, most: int) -> bool:
        if error.kind is ErrorKind.MODERATED:
            return False
        if error.kind in _OF_THE_ACCOUNT:
            return len(self._tried) < _MOST_IN_A_ROW
        broken_off = sum(failure.kind not in _OF_THE_ACCOUNT for failure in self._failures)
        return selection.has_shown and broken_off < most

    def _pause_s(self, error: UpstreamError | GatewayError) -> float:
        if isinstance(error, NoAccountError) or (isinstance(error, UpstreamError) and error.kind in _OF_THE_ACCOUNT):
            return BUSY_S
        pause_s = _PAUSES_S[min(self._pauses, len(_PAUSES_S) - 1)]
        self._pauses += 1
        return pause_s

    def _begin_anew(self) -> None:
        self._tried.clear()
        self._failures.clear()
        self._pauses = 0

    def _as_light(self, chosen: Chosen) -> Chosen:
        """Without what the form doesn't need."""
        return replace(chosen, content=b"") if self._form == "b64_json" else replace(chosen, blob="")


def _in_our_words(error: UpstreamError | GatewayError) -> GatewayError:
    try:
        with told():
            raise error
    except GatewayError as ours:
        return ours
