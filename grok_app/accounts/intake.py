"""Texts with accounts on their way in from browsers, slice by slice, and what was read of them.

They wait in this process's memory only, not in a page's state: that would be sent on and kept with every event.
Everything here belongs to the event loop; only reading a text is done in a thread.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol
from uuid import uuid4

from grok_app.accounts.arrivals import Arrivals, read_text
from grok_app.catalog import Pool
from grok_app.errors import InvalidRequestError, NotFoundError, OverloadedError, RequestTooLargeError

LIMIT_CHARS: Final = 30_000_000
"""Of one text: 300,000 tokens of 100 characters."""
MOST_ACCOUNTS: Final = 300_000
"""In one text: it waits in memory until it is imported, and a text of `[[],[],…]` would take gigabytes."""
KEPT_S: Final = 600.0
"""How long a text waits for the next thing to happen to it."""
MOST_TEXTS: Final = 4
_GONE: Final = "What was handed in is no longer here. Please choose it again."
_INCOMPLETE: Final = "The text has not arrived as a whole. Please choose it again."


class Timer(Protocol):
    """Something that will happen unless it is called off."""

    def cancel(self) -> None:
        """Call it off."""


def call_later(delay_s: float, work: Callable[[], None]) -> Timer:
    """Do this later, in the running loop."""
    return asyncio.get_running_loop().call_later(delay_s, work)


@dataclass(slots=True, repr=False, eq=False)
class _Text:
    size_chars: int
    serial: str = field(default_factory=lambda: uuid4().hex)
    slices: list[str] = field(default_factory=list)
    taken_chars: int = 0
    arrivals: Arrivals | None = None
    timer: Timer | None = None


class Intake:
    """The texts that are being handed in, one for each tab. Each has a serial, so that none is taken for another.

    Args:
        after: Does something later.
    """

    def __init__(self, after: Callable[[float, Callable[[], None]], Timer] = call_later) -> None:
        self._after = after
        self._texts: dict[str, _Text] = {}

    def begin(self, tab: str, size_chars: int) -> str:
        """Expect a text of this tab; an earlier one is forgotten.

        Args:
            tab: Whose text it is.
            size_chars: As JavaScript counts: in UTF-16.

        Returns:
            Its serial.

        Raises:
            OverloadedError: Too many tabs hand in texts.
        """
        self.drop(tab)
        if len(self._texts) >= MOST_TEXTS:
            raise OverloadedError("Others are importing accounts. Please try again in some minutes.")
        text = self._texts[tab] = _Text(size_chars)
        self._wait_for(tab, text)
        return text.serial

    def add(self, tab: str, serial: str, piece: str) -> None:
        """Take the next slice.

        Raises:
            NotFoundError: This text is not expected any more.
            RequestTooLargeError: The text is too large; it is forgotten.
        """
        text = self._find(tab, serial)
        text.taken_chars += len(piece.encode("utf-16-le", "surrogatepass")) // 2
        if text.taken_chars > LIMIT_CHARS:
            self.drop(tab)
            raise RequestTooLargeError(f"A text has at most {LIMIT_CHARS // 1_000_000} million characters")
        text.slices.append(piece)

    async def read(self, tab: str, serial: str, pool: Pool) -> Arrivals:
        """Read what was handed in; see `read_text`. What was read stays until it is dropped, the text itself doesn't.

        Raises:
            InvalidRequestError: It is incomplete, or there are no accounts in it.
            NotFoundError: It is not there any more.
            RequestTooLargeError: There are too many accounts in it.
        """
        text = self._find(tab, serial)
        if text.taken_chars != text.size_chars:
            raise InvalidRequestError(_INCOMPLETE)
        slices, text.slices = text.slices, []
        arrivals = await asyncio.to_thread(_read, slices, pool)
        self._find(tab, serial).arrivals = arrivals
        return arrivals

    def arrived(self, tab: str, serial: str) -> Arrivals:
        """What was read of this text.

        Raises:
            NotFoundError: Nothing was, or it is not there any more.
        """
        if (arrivals := self._find(tab, serial).arrivals) is None:
            raise NotFoundError(_GONE)
        return arrivals

    def drop(self, tab: str) -> None:
        """Forget the text of this tab, if there is one."""
        if (text := self._texts.pop(tab, None)) and text.timer:
            text.timer.cancel()

    def _find(self, tab: str, serial: str) -> _Text:
        text = self._texts.get(tab)
        if text is None or text.serial != serial:
            raise NotFoundError(_GONE)
        self._wait_for(tab, text)
        return text

    def _wait_for(self, tab: str, text: _Text) -> None:
        """Forget the text by itself when nothing happens to it: a closed tab says nothing."""
        if text.timer:
            text.timer.cancel()
        text.timer = self._after(KEPT_S, lambda: self.drop(tab))


def _read(slices: Sequence[str], pool: Pool) -> Arrivals:
    arrivals = read_text("".join(slices), pool)
    count = sum(len(items) for items in arrivals.items.values())
    if count == 0:
        raise InvalidRequestError("There is no account in it")
    if count > MOST_ACCOUNTS:
        raise RequestTooLargeError(f"A text has at most {MOST_ACCOUNTS:,} accounts")
    return arrivals
