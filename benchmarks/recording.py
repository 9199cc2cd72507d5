"""What the record of requests costs: on a request's path, off it, and when somebody looks."""

import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from grok_app.api.names import Names
from grok_app.api.recording import begin_trace
from grok_app.db import Vault, open_database, upgrade
from grok_app.requests import RequestQuery, Requests
from grok_app.requests.repository import RequestRepository
from grok_app.settings import open_settings
from grok_app.trace import Trace, current_trace, key_hint, note_attempt, note_first_word, note_request, note_tokens

BAR_US: Final = 5.0
"""Most that a request's own path may be longer."""
ROWS: Final = 1_000_000
_REPEATS: Final = 9
_LOOKS: Final = 7
_SCOPE: Final = {"type": "http", "method": "POST", "path": "/v1/chat/completions"}
_NAMES: Final = Names("0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef", None, ())


@dataclass(frozen=True, slots=True)
class Recording:
    """Processor time of the least disturbed run, and medians of waits."""

    path_us: float
    """All that is noted of one chat while it is served, and its handing over."""
    count_us: float
    """Counting it afterwards, off its path."""
    write_us: float
    """Writing its row afterwards, in batches, to SQLite."""
    looks_ms: dict[str, float]
    """Looking for requests, by what is looked for; empty when the rows for it were not made."""

    @property
    def meets_bar(self) -> bool:
        """Whether a request's path is hardly longer."""
        return self.path_us < BAR_US


def measure_recording(requests: int = 5_000, rows: int = 0) -> Recording:
    """Record so many requests, some times over; then look for some among so many rows."""
    with tempfile.TemporaryDirectory(prefix="grok-app-bench-") as folder:
        return asyncio.run(_measure(Path(folder), requests, rows))


def print_recording(recording: Recording) -> None:
    """Print the figures and the bar."""
    verdict = "met" if recording.meets_bar else "MISSED"
    print("\nRecording requests, us each")
    print(f"  on a request's path {recording.path_us:.2f}   bar: under {BAR_US:.0f} us: {verdict}")
    print(f"  afterwards          {recording.count_us:.2f} to count it, {recording.write_us:.1f} to write its row")
    for name, look_ms in recording.looks_ms.items():
        print(f"  {name:<32} {look_ms:8.1f} ms")


async def _measure(folder: Path, requests: int, rows: int) -> Recording:
    url = f"sqlite:///{folder / 'bench.db'}"
    upgrade(url)
    vault = Vault(["a key for benchmarks"])
    async with open_database(url) as database:
        record = Requests(RequestRepository(database, vault), await open_settings(database, vault, {}))
        times = [await _time_requests(record, requests) for _ in range(_REPEATS)]
        path_us, count_us, write_us = (min(column) / requests * 1e6 for column in zip(*times, strict=True))
        looks_ms = await _time_looks(record, rows) if rows else {}
    return Recording(path_us, count_us, write_us, looks_ms)


async def _time_requests(record: Requests, requests: int) -> tuple[float, float, float]:
    """Seconds of this process on the path, for counting and for writing. Its threads write."""
    began_at = time.process_time()
    for _ in range(requests):
        _serve(record)
    ended_at = time.process_time()
    record.minutes()
    counted_at = time.process_time()
    await record.flush()
    return ended_at - began_at, counted_at - ended_at, time.process_time() - counted_at


def _serve(record: Requests) -> None:
    """All that is noted of a chat that one account answers."""
    trace = begin_trace(_SCOPE, _NAMES)
    current_trace.set(trace)
    assert trace is not None  # noqa: S101 - else nothing was measured
    trace.key = key_hint("a-key-of-the-gateway")
    trace.is_stream = True
    note_request("grok-4", "", keeps_content=False)
    attempt = note_attempt(1)
    attempt.succeed()
    note_first_word()
    note_tokens(10, 100)
    current_trace.set(None)
    record.finish(trace.end(200, 25_000))


async def _time_looks(record: Requests, rows: int) -> dict[str, float]:
    at_ms = time.time_ns() // 1_000_000
    for number in range(rows):
        record.finish(_made_up(number, at_ms - 10 * (rows - number)))
        if number % 5_000 == 0:
            await record.flush()
    await record.flush()
    looks = {
        "the newest": RequestQuery(),
        "the newest errors": RequestQuery(show="errors"),
        "a model, page 100": RequestQuery(model="grok-3", page=100),
        "a search with many results": RequestQuery(search="grok-3"),
        "a search without": RequestQuery(search="nowhere"),
    }
    return {name: await _time_look(record, query) for name, query in looks.items()}


async def _time_look(record: Requests, query: RequestQuery) -> float:
    times_ms: list[float] = []
    for _ in range(_LOOKS):
        began_at = time.perf_counter()
        await record.find(query)
        times_ms.append((time.perf_counter() - began_at) * 1000)
    return statistics.median(times_ms)


def _made_up(number: int, at_ms: int) -> Trace:
    model = ("grok-4", "grok-3", "grok-4.1-fast")[number % 3]
    trace = Trace(f"{number:032x}", _SCOPE["path"], "…cdef", model=model, started_at_ms=at_ms, first_chunk_ms=500)
    if number % 100 == 0:
        trace.error, trace.reason = "rate_limit_exceeded", "No available tokens. Please try again later."
    return trace.end(429 if trace.error else 200, 25_000)
