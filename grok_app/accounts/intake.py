"""Texts with accounts on their way in from browsers, slice by slice.

They wait in this process's memory only, not in a page's state: that would be sent on and kept with every event.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from grok_app.accounts.arrivals import Arrivals, read_text
from grok_app.catalog import Pool
from grok_app.errors import InvalidRequestError, NotFoundError, OverloadedError, RequestTooLargeError

LIMIT_CHARS: Final = 30_000_000
"""Of one text: 300,000 tokens of 100 characters."""
KEPT_S: Final = 600.0
"""How long a text waits for the next thing to happen to it."""
MOST_TEXTS: Final = 4
_GONE: Final = "What was handed in is no longer here. Please choose it again."


@dataclass(slots=True, repr=False)
class _Text:
    used_at_s: float
    slices: list[str] = field(default_factory=list)
    size_chars: int = 0


class Intake:
    """The texts that are being handed in, one for each tab.

    Args:
        clock_s: A clock that never goes back.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._texts: dict[str, _Text] = {}

    def begin(self, tab: str) -> None:
        """Expect a text of this tab; an earlier one is forgotten.

        Raises:
            OverloadedError: Too many tabs hand in texts.
        """
        self._forget_stale()
        self.drop(tab)
        if len(self._texts) >= MOST_TEXTS:
            raise OverloadedError("Others are importing accounts. Please try again in some minutes.")
        self._texts[tab] = _Text(self._clock_s())

    def add(self, tab: str, piece: str) -> None:
        """Take the next slice.

        Raises:
            NotFoundError: None is expected any more.
            RequestTooLargeError: The text is too large; it is forgotten.
        """
        text = self._find(tab)
        text.size_chars += len(piece)
        if text.size_chars > LIMIT_CHARS:
            self.drop(tab)
            raise RequestTooLargeError(f"A text has at most {LIMIT_CHARS // 1_000_000} million characters")
        text.slices.append(piece)

    def read(self, tab: str, pool: Pool) -> Arrivals:
        """Read what was handed in; see `read_text`. It stays, so that it can be read for another pool. Blocks.

        Raises:
            InvalidRequestError: There are no accounts in it.
            NotFoundError: It is not there any more.
        """
        arrivals = read_text("".join(self._find(tab).slices), pool)
        if not any(arrivals.items.values()):
            raise InvalidRequestError("There is no account in it")
        return arrivals

    def drop(self, tab: str) -> None:
        """Forget the text of this tab, if there is one."""
        self._texts.pop(tab, None)

    def _find(self, tab: str) -> _Text:
        self._forget_stale()
        if (text := self._texts.get(tab)) is None:
            raise NotFoundError(_GONE)
        text.used_at_s = self._clock_s()
        return text

    def _forget_stale(self) -> None:
        oldest_s = self._clock_s() - KEPT_S
        self._texts = {tab: text for tab, text in self._texts.items() if text.used_at_s >= oldest_s}
