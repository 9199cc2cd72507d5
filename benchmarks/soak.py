"""Whether the gateway stays as it is over 2,000 generations of pictures: memory, open files, calls at Grok, the cache.

The demo's sandbox draws, without pauses; eight callers ask for all kinds of pictures, some of which fail, and some
callers leave in the middle.
"""

import asyncio
import json
import statistics
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import httpx
import uvloop
from PIL import Image

from benchmarks.processes import API_KEY, Served, memory, open_files

GENERATIONS: Final = 2_000
LIMIT_MIB: Final = 64
"""Of the cache, so that a soak fills it many times."""
SETTINGS: Final = {
    "cache.limit_mb": str(LIMIT_MIB),
    "image.final_timeout": "3",
    "image.blocked_grace_seconds": "1.5",
    "retry.retry_backoff_base": "0.01",
    "retry.retry_backoff_max": "0.02",
    "token.fail_threshold": "100",
}
"""Of the gateway: failures are told at once, and wear no account out."""
BAR_GROWTH: Final = 0.03
"""Most that memory may grow over the second half: more than two runs differ by, and far below a leak's 1,000 pictures.
"""
_MOST_OVER: Final = 1.1
"""Of the cache against its limit: it is cleaned when it is over it."""
_CALLERS: Final = 8
_SAMPLES: Final = 40
_SETTLE_S: Final = 8.0
_POLL_S: Final = 0.1
_TIMEOUT_S: Final = 60.0
_PROMPTS: Final = 4
"""The sandbox remembers what it has drawn of so many; drawing is not what is measured."""
_DRAW: Final = "/v1/images/generations"
_EDIT: Final = "/v1/images/edits"
_CHAT: Final = "/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class Sample:
    """The gateway at one moment."""

    generations: int
    """Made so far."""
    rss_mib: float
    open_files: int
    media_mib: float


@dataclass(slots=True)
class Soak:
    """What came of it."""

    generations: int = 0
    elapsed_s: float = 0.0
    outcomes: dict[str, int] = field(default_factory=dict)
    """How many ended how, by kind and status."""
    surprises: int = 0
    """How many ended as they should not."""
    samples: list[Sample] = field(default_factory=list)
    open_files_before: int = 0
    open_files_after: int = 0
    calls_after: int = -1
    """Requests and sockets that were still open at the sandbox in the end."""
    parts_after: int = -1
    """Half-written files in the cache in the end."""

    @property
    def growth(self) -> float:
        """What memory grew by over the second half: its last third against its first, as a share."""
        second = [sample.rss_mib for sample in self.samples[len(self.samples) // 2 :]]
        third = max(1, len(second) // 3)
        return statistics.median(second[-third:]) / statistics.median(second[:third]) - 1

    @property
    def media_mib(self) -> float:
        """The most that the cache held."""
        return max(sample.media_mib for sample in self.samples)

    @property
    def is_clean(self) -> bool:
        """Whether all went as it should, and nothing was left behind but a few connections for the next time."""
        has_few_files = self.open_files_after <= self.most_open_files
        return has_few_files and not (self.surprises or self.calls_after or self.parts_after)

    @property
    def most_open_files(self) -> int:
        """How many open files are none left behind: some connections are kept for the next time."""
        return self.open_files_before + _CALLERS

    @property
    def meets_bar(self) -> bool:
        """Whether memory is flat and nothing was left behind."""
        return self.is_clean and self.growth <= BAR_GROWTH and self.media_mib <= LIMIT_MIB * _MOST_OVER


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of generation."""

    name: str
    path: str
    fields: dict[str, Any]
    prompt: str = ""
    """What the prompt has beside its words."""
    ends: tuple[str, ...] = ("200",)
    """How it may end: the status, or what the caller did."""
    leaves_after: int | None = None
    """With how many pieces of the answer the caller leaves; 0: after a moment, before the answer begins."""


def _kinds() -> tuple[Kind, ...]:
    drawing = [{"n": 4, "response_format": form} for form in ("url", "b64_json")]
    streamed = {"n": 2, "stream": True}
    chat = {"model": "grok-imagine-1.0", "stream": False}
    return (
        *(Kind(f"draw {fields['response_format']}", _DRAW, fields) for fields in drawing * 2),
        Kind("draw ten", _DRAW, {"n": 10, "response_format": "url"}),
        *(Kind("stream", _DRAW, {**streamed, "response_format": form}) for form in ("url", "b64_json") * 2),
        Kind("chat", _CHAT, chat),
        *(Kind("edit", _EDIT, {"n": "2", "response_format": form}) for form in ("url", "b64_json")),
        Kind("edit stream", _EDIT, {"n": "2", "stream": "true"}),
        Kind("fail @moderated", _DRAW, drawing[0], "@moderated", ("403",)),
        *(Kind(f"fail {word}", _DRAW, drawing[0], word, ("502",)) for word in ("@ws-close", "@ws-garbage")),
        *(Kind(f"short {word}", _DRAW, drawing[1], word) for word in ("@moderated-one", "@ws-partial")),
        Kind("blocked", _DRAW, {**drawing[0], "n": 1}, "@blocked", ("502",)),
        Kind("leave whole", _DRAW, drawing[1], "@ws-silent", ("left",), leaves_after=0),
        Kind("leave stream", _DRAW, streamed, ends=("left",), leaves_after=1),
        Kind("leave edit", _EDIT, {"n": "1"}, ends=("left", "200"), leaves_after=0),
    )


KINDS: Final = _kinds()


def run_soak(gateway: Served, sandbox: Served, data_dir: Path, generations: int = GENERATIONS) -> Soak:
    """Make so many generations of all kinds in turn. The gateway has `SETTINGS`."""
    result = Soak(open_files_before=open_files(gateway.pid))
    began_at = time.perf_counter()
    uvloop.run(_generate_all(gateway, data_dir, generations, result))
    result.elapsed_s = time.perf_counter() - began_at
    result.calls_after = settled(lambda: open_calls(sandbox), 0)
    result.open_files_after = settled(lambda: open_files(gateway.pid), result.most_open_files)
    result.parts_after = len(list((data_dir / "media").rglob(".*.part")))
    return result


def print_soak(result: Soak) -> None:
    """Print how it went."""
    print(f"\nA soak of {result.generations} generations by {_CALLERS} callers, {result.elapsed_s:.0f} s")
    for name, count in sorted(result.outcomes.items()):
        print(f"  {name:<30} {count:5}")
    for sample in result.samples[:: max(1, len(result.samples) // 8)]:
        print(
            f"  after {sample.generations:>5}: RSS {sample.rss_mib:6.1f} MiB   {sample.open_files} open files   "
            f"cache {sample.media_mib:.0f} MiB"
        )
    verdict = "met" if result.meets_bar else "MISSED"
    print(
        f"  {result.surprises} ended as they should not; {result.calls_after} calls open at Grok; "
        f"{result.parts_after} half-written files; open files {result.open_files_before} before, "
        f"{result.open_files_after} after; the cache at most {result.media_mib:.0f} MiB, its limit {LIMIT_MIB}"
    )
    print(f"  RSS over the second half {result.growth:+.1%}, bar {BAR_GROWTH:.0%}: {verdict}")


async def _generate_all(gateway: Served, data_dir: Path, generations: int, result: Soak) -> None:
    every = max(1, generations // _SAMPLES)
    left = iter(range(generations))
    headers = {"authorization": f"Bearer {API_KEY}"}
    url = f"http://127.0.0.1:{gateway.port}"
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=_TIMEOUT_S, trust_env=False) as http:

        async def keep_asking(numbers: Iterator[int]) -> None:
            for number in numbers:
                kind = KINDS[number % len(KINDS)]
                ended = await generate(http, kind, number)
                outcome = f"{kind.name}: {ended}"
                result.outcomes[outcome] = result.outcomes.get(outcome, 0) + 1
                result.surprises += ended not in kind.ends
                result.generations += 1
                if result.generations % every == 0:
                    result.samples.append(_look(gateway, data_dir, result.generations))

        await asyncio.gather(*(keep_asking(left) for _ in range(_CALLERS)))


async def generate(http: httpx.AsyncClient, kind: Kind, number: int) -> str:
    """Ask for one, and say how it ended."""
    if kind.leaves_after == 0:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.02 + number % 7 / 50):
                return str((await http.send(_request(http, kind, number))).status_code)
        return "left"
    response = await http.send(_request(http, kind, number), stream=True)
    pieces = 0
    try:
        async for piece in response.aiter_raw():
            pieces += 1
            if pieces == kind.leaves_after:
                return "left"
            if kind.leaves_after is None and b"event: error" in piece:
                return "broke off"
    finally:
        await response.aclose()
    return str(response.status_code)


def _request(http: httpx.AsyncClient, kind: Kind, number: int) -> httpx.Request:
    prompt = f"A gateway at dawn {number % _PROMPTS} {kind.prompt}".strip()
    if kind.path == _EDIT:
        files = {"image": ("blue.png", _picture(), "image/png")}
        return http.build_request("POST", _EDIT, data={"prompt": prompt, **kind.fields}, files=files)
    if kind.path == _CHAT:
        messages = [{"role": "user", "content": prompt}]
        return http.build_request("POST", _CHAT, json={"messages": messages, **kind.fields})
    return http.build_request("POST", _DRAW, json={"prompt": prompt, **kind.fields})


def _picture() -> bytes:
    target = BytesIO()
    Image.new("RGB", (640, 480), "blue").save(target, "PNG")
    return target.getvalue()


def _look(gateway: Served, data_dir: Path, generations: int) -> Sample:
    size_bytes = 0
    for path in (data_dir / "media").rglob("*"):
        with suppress(FileNotFoundError):  # cleaned away this moment
            size_bytes += path.stat().st_size if path.is_file() else 0
    return Sample(generations, memory(gateway.pid).rss_mib, open_files(gateway.pid), size_bytes / (1 << 20))


def open_calls(sandbox: Served) -> int:
    """How many requests and sockets are under way at the sandbox."""
    with urllib.request.urlopen(f"http://127.0.0.1:{sandbox.port}/sandbox/state") as answer:
        state = json.load(answer)
    return int(state["open_streams"] + state["open_sockets"])


def settled(look: Callable[[], int], wanted: int) -> int:
    """What is seen once it is no more than wanted, or after a while."""
    deadline = time.monotonic() + _SETTLE_S
    while (seen := look()) > wanted and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return seen
