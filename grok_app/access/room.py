"""Room for so many at once, and a line before the door that has an end."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from grok_app.errors import OverloadedError, StoppingError
from grok_app.stopping import server_stops

SHORTEST_LINE: Final = 10
"""So many may wait, however little room there is: else one who is alone inside would have everybody sent away."""
_RETRY_S: Final = 5
"""Nobody knows when there will be room."""


class Room:
    """So many at once in this process. As many again may wait, but not for long; first come, first served.

    Where there is room, entering costs a comparison.

    Args:
        most: How many; asked anew each time.
        wait_s: The longest wait.
        what: Those inside, as a caller reads of them: "chats".
    """

    def __init__(self, most: Callable[[], int], *, wait_s: float, what: str) -> None:
        self._most = most
        self._wait_s = wait_s
        self._what = what
        self._inside = 0
        self._line: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Go in, after a wait if need be. Whoever is in calls `leave` once, whatever happens.

        Raises:
            OverloadedError: Too many wait, or the wait was too long.
            StoppingError: The server stops, and there is no room now.
        """
        if self._line or self._inside >= self._most():
            await self._wait()
        else:
            self._inside += 1

    def leave(self) -> None:
        """Make room for the next."""
        self._inside -= 1
        self._let_in()

    async def _wait(self) -> None:
        if len(self._line) >= max(self._most(), SHORTEST_LINE):
            raise self._refusal()
        turn = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        self._let_in()  # there may be more room than there was when the line began
        stopping = server_stops.get() or asyncio.Event()
        stop = asyncio.ensure_future(stopping.wait())
        try:
            await asyncio.wait((turn, stop), timeout=self._wait_s, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if turn.done():  # in the same moment
                self.leave()
            raise
        finally:
            stop.cancel()
            if not turn.done():
                self._line.remove(turn)
        if not turn.done():
            raise StoppingError if stopping.is_set() else self._refusal()

    def _let_in(self) -> None:
        while self._line and self._inside < self._most():
            self._inside += 1
            self._line.popleft().set_result(None)

    def _refusal(self) -> OverloadedError:
        message = f"Too many {self._what} are under way. Please try again later."
        return OverloadedError(message, retry_after_s=_RETRY_S)
