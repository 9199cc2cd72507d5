"""What callers of the soak ask for: chats, pictures, videos, files, runs, tasks and the console, with Grok's faults.

Each errand says how it ended. Some callers leave in the middle, some failures are wanted.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import httpx

from benchmarks.processes import APP_KEY, Served
from benchmarks.soak import KINDS, generate

PUBLIC_KEY: Final = "bench-visitor"
_OPERATOR: Final = {"authorization": f"Bearer {APP_KEY}"}
_VISITOR: Final = {"authorization": f"Bearer {PUBLIC_KEY}"}
_CHAT: Final = "/v1/chat/completions"
_DRAW: Final = "/v1/images/generations"
_VIDEO: Final = "grok-imagine-1.0-video"
_LEFT: Final = "left"
_BROKE_OFF: Final = "broke off"
_FAILS: Final = {"@500": "502", "@garbage": "502", "@empty": "502", "@403-moderated": "403"}
_BREAKS: Final = ("@late-error", "@cut", "@half-line")
_HEALS: Final = ("@once-502", "@once-429", "@once-stream-error", "@unknown", "@trickle", "@long")
_OPERATORS_PATHS: Final = ("tokens", "config", "cache", "cache/list", "storage")
_TOKENS: Final = [f"sandbox-basic-{number:06d}-quota999999" for number in range(5)]
"""As `benchmarks.seeding` makes them."""
_PIXEL: Final = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


@dataclass(frozen=True, slots=True)
class Errand:
    """One kind of thing to ask for."""

    name: str
    run: Callable[[httpx.AsyncClient, int], Awaitable[str]]
    """Asks for it, with a number of its own, and says how it ended."""
    ends: tuple[str, ...] = ("200",)
    """How it may end: the status, or what came in its place."""


def make_errands() -> tuple[Errand, ...]:
    """All of them, in an order that mixes them."""
    chats = [
        *(Errand("chat", partial(_chat, word="", is_streamed=streamed)) for streamed in (True, False) * 3),
        *(Errand(f"chat {word}", partial(_chat, word=word)) for word in _HEALS),
        *(Errand(f"chat {word}", partial(_chat, word=word, is_streamed=False), (end,)) for word, end in _FAILS.items()),
        *(Errand(f"chat {word}", partial(_chat, word=word), (_BROKE_OFF,)) for word in _BREAKS),
        Errand("chat left @stall", partial(_chat, word="@stall", pieces=1), (_LEFT,)),
        Errand("chat left @hang", partial(_chat, word="@hang", patience_s=0.1), (_LEFT,)),
        Errand("chat with a picture", _chat_with_picture),
    ]
    others = [
        *(Errand(kind.name, partial(_generate, kind=kind), kind.ends) for kind in KINDS),
        Errand("video", partial(_chat, word="", is_streamed=False, model=_VIDEO)),
        Errand("video left", partial(_chat, word="@video-stall", model=_VIDEO, pieces=1), (_LEFT,)),
        *(Errand("file", _fetch_file) for _ in range(2)),
        *(Errand("run", _follow_run) for _ in range(2)),
        *(Errand(f"admin {path}", partial(_ask_operators, path=path)) for path in _OPERATORS_PATHS),
        Errand("task", _follow_task),
    ]
    return tuple(errand for pair in zip(chats * 2, others, strict=False) for errand in pair)


async def ask_plainly(http: httpx.AsyncClient) -> None:
    """The shortest chat there is, for a measure of the gateway's speed."""
    request = {"model": "grok-3", "stream": False, "messages": [{"role": "user", "content": "Hello"}]}
    (await http.post(_CHAT, json=request)).raise_for_status()


async def ask_sandbox_plainly(http: httpx.AsyncClient, sandbox: Served) -> None:
    """The same, asked of the sandbox in Grok's way."""
    request = {
        "message": "Hello",
        "modelName": "grok-3",
        "modelMode": "MODEL_MODE_GROK_3",
        "temporary": True,
        "toolOverrides": {},
    }
    url = f"http://127.0.0.1:{sandbox.port}/rest/app-chat/conversations/new"
    (
        await http.post(url, json=request, headers={"cookie": f"sso={_TOKENS[0]}; sso-rw={_TOKENS[0]}"})
    ).raise_for_status()


async def _chat(  # noqa: PLR0913 - what chats differ in
    http: httpx.AsyncClient,
    number: int,
    *,
    word: str,
    is_streamed: bool = True,
    model: str = "grok-3",
    pieces: int | None = None,
    patience_s: float = 60,
) -> str:
    """Ask, and leave after so many pieces of the answer, or when it doesn't begin in time."""
    content = f"What about gateway {number}? {word}".strip()
    request = {"model": model, "stream": is_streamed, "messages": [{"role": "user", "content": content}]}
    read = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(patience_s), http.stream("POST", _CHAT, json=request) as answer:
            async for piece in answer.aiter_raw():
                read += 1
                if read == pieces:
                    return _LEFT
                if b'data: {"error"' in piece:
                    return _BROKE_OFF
            return str(answer.status_code)
    return _LEFT


async def _chat_with_picture(http: httpx.AsyncClient, number: int) -> str:
    content = [{"type": "text", "text": f"What is it? {number}"}, {"type": "image_url", "image_url": {"url": _PIXEL}}]
    request = {"model": "grok-4", "stream": False, "messages": [{"role": "user", "content": content}]}
    return str((await http.post(_CHAT, json=request)).status_code)


async def _generate(http: httpx.AsyncClient, number: int, *, kind: Any) -> str:
    return await generate(http, kind, number)


async def _fetch_file(http: httpx.AsyncClient, number: int) -> str:
    """Have a picture drawn, and fetch it whole, in part, and once more where it is unchanged."""
    drawn = await http.post(_DRAW, json={"prompt": f"A gateway at dusk {number % 4}", "n": 1, "response_format": "url"})
    path = httpx.URL(drawn.raise_for_status().json()["data"][0]["url"]).path
    whole = await http.get(path)
    part = await http.get(path, headers={"range": "bytes=0-99"})
    again = await http.get(path, headers={"if-none-match": whole.headers.get("etag", "")})
    statuses = (whole.status_code, part.status_code, again.status_code)
    return "200" if statuses == (200, 206, 304) else str(statuses)


async def _follow_run(http: httpx.AsyncClient, number: int) -> str:
    """Look at a visitor's run for a while, and leave; every other one stops it first."""
    wish = {"prompt": f"A gateway at night {number % 4}", "aspect_ratio": "1:1"}
    started = await http.post("/v1/public/imagine/start", json=wish, headers=_VISITOR)
    task_id = started.raise_for_status().json()["task_id"]
    seen = 0
    async with http.stream("GET", "/v1/public/imagine/sse", params={"task_id": task_id}) as answer:
        async for line in answer.aiter_lines():
            seen += line.startswith("data: ")
            if seen == 3 and number % 2:
                await http.post("/v1/public/imagine/stop", json={"task_ids": [task_id]}, headers=_VISITOR)
            if seen == 6:
                break
    await http.post("/v1/public/imagine/stop", json={"task_ids": [task_id]}, headers=_VISITOR)
    return str(answer.status_code)


async def _ask_operators(http: httpx.AsyncClient, _number: int, *, path: str) -> str:
    return str((await http.get(f"/v1/admin/{path}", headers=_OPERATOR)).status_code)


async def _follow_task(http: httpx.AsyncClient, _number: int) -> str:
    """Refresh some accounts, and watch it to its end."""
    started = await http.post("/v1/admin/tokens/refresh/async", json={"tokens": _TOKENS}, headers=_OPERATOR)
    task_id = started.raise_for_status().json()["task_id"]
    watched = await http.get(f"/v1/admin/batch/{task_id}/stream", headers=_OPERATOR)
    return "200" if b'"type":"done"' in watched.content else "no end"
