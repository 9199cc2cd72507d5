"""What PostgreSQL's driver is told, so that a server that falls silent holds nobody up for longer than it must."""

import os
import socket
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.abc import PQGen
from sqlalchemy.engine import URL

_SILENCE_S: Final = 10.0
"""Longest wait for any news of what was asked of the server. No statement of ours takes a second."""
_LOOK_S: Final = 0.1
_PATIENCE: Final = {
    "connect_timeout": "5",
    "tcp_user_timeout": "10000",  # ms
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
}
"""Of libpq: a host that is gone is noticed by the kernel, where its own patience is of minutes."""


def patient_url(url: URL) -> URL:
    """The same URL with limits to the waiting for the server; what it says itself stays."""
    return url.update_query_dict({**_PATIENCE, **url.query})


class LimitedConnection(AsyncConnection[Any]):
    """A connection that is cut off when the server says nothing for ten seconds.

    Whoever waits is told what is told of any connection that breaks. To cancel the statement instead takes ten seconds
    more: the driver first asks the server, which says nothing, to agree (psycopg 3.3.9, 2026-11-29).
    """

    async def wait(self, gen: PQGen[Any], interval: float = _LOOK_S, timeout: float | None = None) -> Any:  # noqa: ASYNC109 - the driver's
        """Wait for the server, as each statement does."""
        return await super().wait(self._listen(gen, interval), interval, timeout)

    def _listen(self, gen: PQGen[Any], interval: float) -> PQGen[Any]:
        """The same dialogue with the server. What is counted is looks without news, since a busy loop doesn't look."""
        silent_s = 0.0
        try:
            wanted = next(gen)
            while True:
                news = yield wanted
                silent_s = 0.0 if news else silent_s + interval
                if silent_s >= _SILENCE_S:
                    self._cut_off()
                wanted = gen.send(news)
        except StopIteration as end:
            return end.value

    def _cut_off(self) -> None:
        with socket.socket(fileno=os.dup(self.pgconn.socket)) as line:
            line.shutdown(socket.SHUT_RDWR)
