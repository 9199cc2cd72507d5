"""What four pictures cost: at the gateway, against the same asked of the sandbox's socket directly.

The sandbox is the demo's, which really draws. Asked directly, a request is over when the fourth finished picture has
arrived and nothing of it was decoded; at the gateway, when the last byte of the whole answer has. Every request has a
prompt of its own, since the sandbox remembers what it has drawn.
"""

import asyncio
import statistics
import struct
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import orjson

from benchmarks.load import post
from benchmarks.processes import API_KEY, Served
from benchmarks.rounds import percentile

WANTED: Final = 4
BAR_RATIO: Final = 1.3
"""Most that pictures may cost, as a multiple of the sandbox's own time."""
FORMS: Final = ("url", "b64_json")
DIRECT: Final = "sandbox"
_SIZE: Final = "1024x1024"
_LIMIT_S: Final = 300.0
_PROBE_EVERY_S: Final = 0.01
_BUFFER_BYTES: Final = 1 << 20
_DONE: Final = b'"current_status":"completed"'
_UPGRADE: Final = (
    "GET /ws/imagine/listen HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    "sec-websocket-version: 13\r\nsec-websocket-key: YmVuY2htYXJrcyBvZiBpdA==\r\ncookie: sso={0}; sso-rw={0}\r\n\r\n"
)
_numbers = count()


@dataclass(frozen=True, slots=True)
class Plan:
    """One kind of load."""

    is_paced: bool
    """Whether the sandbox has the demo's pauses, or none."""
    at_once: int
    requests: int
    """In one round."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What came of one kind of load: all targets in turn, round by round."""

    plan: Plan
    times_s: dict[str, list[list[float]]]
    """By target, round by round: what each request took."""
    idle_probe_ms: list[float]
    """What a request for the gateway's health took while it did nothing else."""
    probe_ms: list[float]
    """The same while it drew."""

    def median_s(self, target: str) -> float:
        """What one request takes."""
        return statistics.median(time_s for times_s in self.times_s[target] for time_s in times_s)

    def ratio(self, form: str) -> float:
        """The gateway's time divided by the sandbox's own in the same round; the median of all rounds."""
        pairs = zip(self.times_s[form], self.times_s[DIRECT], strict=True)
        return statistics.median(statistics.median(ours) / statistics.median(theirs) for ours, theirs in pairs)

    @property
    def meets_bar(self) -> bool:
        """Whether pictures are quick enough in every form."""
        return all(self.ratio(form) <= BAR_RATIO for form in FORMS)


async def measure_drawing(sandbox: Served, gateway: Served, plan: Plan, rounds: int) -> Drawing:
    """Ask the sandbox and the gateway for four pictures in turn, so many rounds.

    Without pauses, one request to each before the first counts for nothing.

    Raises:
        RuntimeError: A request was not answered with four pictures.
    """
    asks = {DIRECT: _directly(sandbox), **{form: _through(gateway, form) for form in FORMS}}
    drawing = Drawing(plan, {target: [] for target in asks}, [], [])
    async with asyncio.timeout(_LIMIT_S):
        if not plan.is_paced:
            for ask in asks.values():
                await ask()
        await _probe_while(gateway, asyncio.sleep(1), drawing.idle_probe_ms)
        for _ in range(rounds):
            for target, ask in asks.items():
                work = _round(ask, plan.at_once, plan.requests)
                if target == DIRECT:
                    drawing.times_s[target].append(await work)
                else:
                    drawing.times_s[target].append(await _probe_while(gateway, work, drawing.probe_ms))
    return drawing


def print_drawings(drawings: list[Drawing]) -> None:
    """Print a line for each load and form."""
    print(f"\n{WANTED} pictures, not streamed, s (median); the health of the gateway meanwhile, ms (median and p99)")
    for row in drawings:
        pace = "the demo's pace" if row.plan.is_paced else "no pauses"
        probes_ms = (row.idle_probe_ms, row.probe_ms)
        idle, busy = (f"{statistics.median(ms):.1f}/{percentile(ms, 99):.0f}" for ms in probes_ms)
        for form in FORMS:
            verdict = "met" if row.ratio(form) <= BAR_RATIO else "MISSED"
            print(
                f"  {pace:<16} {row.plan.at_once:>2} at once   {form:<9} sandbox {row.median_s(DIRECT):6.3f}   "
                f"gateway {row.median_s(form):6.3f}   ratio {row.ratio(form):.2f}   bar {BAR_RATIO} {verdict}   "
                f"health idle {idle}, meanwhile {busy}"
            )


async def _round(ask: Callable[[], Awaitable[float]], at_once: int, requests: int) -> list[float]:
    left = iter(range(requests))

    async def keep_asking() -> list[float]:
        return [await ask() for _ in left]

    return [time_s for times_s in await asyncio.gather(*(keep_asking() for _ in range(at_once))) for time_s in times_s]


def _prompt() -> str:
    return f"A gateway at dawn, number {next(_numbers):08d}"


def _directly(sandbox: Served) -> Callable[[], Awaitable[float]]:
    async def ask() -> float:
        number = next(_numbers)
        account = f"sandbox-basic-direct-{number}-quota999999"
        message = _message(_prompt())
        began_at = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", sandbox.port, limit=_BUFFER_BYTES)
        try:
            writer.write(_UPGRADE.format(account).encode() + message)
            await _read_pictures(reader)
            return time.perf_counter() - began_at
        finally:
            writer.close()

    return ask


def _message(prompt: str) -> bytes:
    """The prompt as a frame of a WebSocket. Clients must mask what they send; with zeros it stays as it is."""
    properties = {"section_count": 0, "is_kids_mode": False, "enable_nsfw": True, "aspect_ratio": "1:1"}
    asked = {"requestId": prompt, "text": prompt, "type": "input_text", "properties": properties}
    item = {"type": "message", "content": [asked]}
    text = orjson.dumps({"type": "conversation.item.create", "timestamp": 0, "item": item})
    return struct.pack("!BBHI", 0x81, 0x80 | 126, len(text), 0) + text


async def _read_pictures(reader: asyncio.StreamReader) -> None:
    """Read until enough pictures are finished: each is followed by a message that says so."""
    found, tail = 0, b""
    while found < WANTED:
        piece = await reader.read(_BUFFER_BYTES)
        if not piece:
            raise RuntimeError("the sandbox hung up before the pictures were finished")
        seen = tail + piece
        found += seen.count(_DONE)
        tail = seen[1 - len(_DONE) :]


def _through(gateway: Served, form: str) -> Callable[[], Awaitable[float]]:
    async def ask() -> float:
        body: dict[str, Any] = {"prompt": _prompt(), "n": WANTED, "size": _SIZE, "response_format": form}
        request = post("/v1/images/generations", orjson.dumps(body), authorization=f"Bearer {API_KEY}")
        began_at = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=_BUFFER_BYTES)
        try:
            writer.write(request)
            answer = await _read_answer(reader)
            elapsed_s = time.perf_counter() - began_at
        finally:
            writer.close()
        if answer.count(f'"{form}":"'.encode()) != WANTED:
            raise RuntimeError(f"the gateway did not give {WANTED} pictures: {answer[:300].decode(errors='replace')}")
        return elapsed_s

    return ask


async def _read_answer(reader: asyncio.StreamReader) -> bytes:
    """The body of an answer whose length its head says."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, _, length = head.partition(b"content-length:")
    return await reader.readexactly(int(length.partition(b"\r\n")[0]))


async def _probe_while(gateway: Served, work: Awaitable[Any], times_ms: list[float]) -> Any:
    """Do the work, and note meanwhile how long the gateway takes to say that it lives."""
    probing = asyncio.create_task(_probe(gateway, times_ms))
    try:
        return await work
    finally:
        probing.cancel()
        await asyncio.gather(probing, return_exceptions=True)


async def _probe(gateway: Served, times_ms: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    try:
        while True:
            began_at = time.perf_counter()
            writer.write(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
            await _read_answer(reader)
            times_ms.append((time.perf_counter() - began_at) * 1000)
            await asyncio.sleep(_PROBE_EVERY_S)
    finally:
        writer.close()
