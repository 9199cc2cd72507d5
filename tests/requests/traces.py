"""Finished requests, made up, and a clock that stands still."""

from typing import Any

from grok_app.trace import Trace

NOW_MS = 4_000_000_000_000
"""In the year 2096, so that cleaning by the real clock leaves it alone."""
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
CHAT = "/v1/chat/completions"


class Clock:
    """The time, as it is told."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def __call__(self) -> int:
        """Unix time."""
        return self.now_ms


def finished(request_id: str = "a", *, at_ms: int = NOW_MS, status: int = 200, **fields: Any) -> Trace:
    """A request that began then and took 10 ms; its account is 1."""
    trace = Trace(request_id, CHAT, "…cdef", model="grok-4", started_at_ms=at_ms)
    trace.end(status)
    trace.duration_ms = 10
    for name, value in fields.items():
        setattr(trace, name, value)
    return trace
