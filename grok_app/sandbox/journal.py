"""What the sandbox was asked lately, so that tests and people can see what arrived and how it ended."""

import time
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

from starlette.types import Scope

KEPT_REQUESTS: Final = 200
KEPT_BODY_BYTES: Final = 64 * 1024


class State(StrEnum):
    """How far a request is."""

    OPEN = "open"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class AbandonedError(Exception):
    """The client left, or the sandbox stops, before the answer was complete."""


@dataclass(slots=True)
class Entry:
    """One request and its fate. Times are Unix milliseconds."""

    id: int
    method: str
    path: str
    headers: list[tuple[str, str]]
    """As received, in order, names in lower case. The cookies of an unknown account are hidden."""
    started_ms: int
    account: str | None = None
    body: Any = None
    """The parsed JSON, the bytes of a gRPC-web call in hex, or the messages on a socket so far; None when none of
    these, or larger than `KEPT_BODY_BYTES`."""
    body_bytes: int = 0
    status: int | None = None
    state: State = State.OPEN
    ended_ms: int | None = None

    def note_body(self, body: Any, size_bytes: int) -> None:
        """Remember what was asked, if it is small enough."""
        self.body_bytes = size_bytes
        self.body = body if size_bytes <= KEPT_BODY_BYTES else None

    def note_message(self, message: Any, size_bytes: int) -> None:
        """Remember one more message on a socket, if it and those before are small enough."""
        messages = [] if self.body_bytes == 0 else self.body
        if messages is not None:
            messages.append(message)
        self.note_body(messages, self.body_bytes + max(1, size_bytes))

    def close(self) -> None:
        """Note the end; whoever ends without being finished was cancelled."""
        self.ended_ms = _now_ms()
        if self.state is State.OPEN:
            self.state = State.CANCELLED

    def as_json(self) -> dict[str, Any]:
        """What `/sandbox/requests` shows."""
        shown = asdict(self)
        if self.account is None:
            shown["headers"] = [(name, "(hidden)" if name == "cookie" else value) for name, value in self.headers]
        return shown


@dataclass(slots=True)
class Journal:
    """The last `KEPT_REQUESTS` requests, and how many there were."""

    total: int = 0
    open: int = 0
    sockets: int = 0
    """WebSockets under way; `open` counts all other requests."""
    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=KEPT_REQUESTS))

    @contextmanager
    def record(self, scope: Scope) -> Generator[Entry]:
        """Keep an entry for as long as the request is served. An `AbandonedError` ends here."""
        entry = self._enter(scope)
        is_socket = scope["type"] == "websocket"
        self.open += not is_socket
        self.sockets += is_socket
        try:
            yield entry
            entry.state = State.FINISHED
        except AbandonedError:
            pass
        finally:
            self.open -= not is_socket
            self.sockets -= is_socket
            entry.close()

    def forget(self) -> None:
        """Drop the entries and start counting anew; requests being served are still counted as open."""
        self.entries.clear()
        self.total = 0

    def _enter(self, scope: Scope) -> Entry:
        self.total += 1
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        entry = Entry(self.total, scope.get("method", "GET"), scope["path"], headers, _now_ms())
        self.entries.append(entry)
        return entry


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
