"""Traces for a collector of OpenTelemetry's, where the environment names one."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from queue import Full, Queue
from threading import Thread
from typing import TYPE_CHECKING, Final

from grok_app.env import wants_traces
from grok_app.logs import get_logger
from grok_app.trace import Trace

if TYPE_CHECKING:  # an extra, and of no use without a collector
    from grok_app.insight.spans import Spans

log = get_logger(__name__)
_CLOSE_LIMIT_S: Final = 3.0
"""A collector that is away must not keep a server that stops: it would be killed, with its other services open."""
_MOST_WAITING: Final = 10_000


class Sender:
    """Makes spans in a thread of its own: one request's take some 200 µs, and a burst's would stop the event loop.

    Args:
        spans: Where they go.
    """

    def __init__(self, spans: "Spans") -> None:
        self._spans = spans
        self._waiting: Queue[Trace | None] = Queue(_MOST_WAITING)
        self._is_full = False
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def add(self, trace: Trace) -> None:
        """Take a finished request, and return at once; one for which there is no room is dropped."""
        try:
            self._waiting.put_nowait(trace)
        except Full:
            if not self._is_full:
                log.warning("requests come faster than their traces can be made: some have none")
            self._is_full = True
        else:
            self._is_full = False

    def close(self) -> bool:
        """Send what waits, if that is quickly done; whether it was. Blocks."""
        try:
            self._waiting.put(None, timeout=_CLOSE_LIMIT_S)
        except Full:
            return False
        self._thread.join(_CLOSE_LIMIT_S)
        return not self._thread.is_alive()

    def _run(self) -> None:
        for trace in iter(self._waiting.get, None):
            try:
                self._spans.add(trace)
            except Exception:  # one odd request must not end the traces of all later ones
                log.exception("a request could not be traced")
        self._spans.close()


@asynccontextmanager
async def open_tracing() -> AsyncGenerator[Callable[[Trace], None] | None, None]:
    """What takes finished requests, off their path, while the block runs; None where no collector is named.

    At the end what waits is sent.

    Raises:
        ConfigurationError: A collector is named, and OpenTelemetry is not installed.
    """
    if not wants_traces():
        yield None
        return
    from grok_app.insight.spans import Spans  # noqa: PLC0415 - an extra, and of no use without a collector

    sender = Sender(Spans())
    try:
        yield sender.add
    finally:
        if not await asyncio.to_thread(sender.close):
            log.warning("the last traces could not be sent in time")
