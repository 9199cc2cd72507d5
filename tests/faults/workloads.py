"""What clients do, and what each of them got: chats, pictures, videos, files, tasks over accounts, endless runs."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

import httpx
import orjson

from tests.contract.film import MODEL as FILM_MODEL
from tests.contract.media import image, text
from tests.contract.pictures import COMPLETED, DRAW, EDIT, EDITS, GENERATIONS, PARTIAL, picture, upload_of
from tests.contract.public import SSE, START, STOP, WS
from tests.contract.websocket import connected
from tests.contract.wire import CHAT, DONE, body, streamed
from tests.contract.wire import events as events_of
from tests.faults.table import Ask, Seen, Workload

TOKENS: Final = "tokens"
PICTURES: Final = "pictures"
VIDEO: Final = "a video"
PROGRESS: Final = "progress"
REFRESH: Final = "/v1/admin/tokens/refresh/async"
DONE_END: Final = f"`{DONE}`"
CLOSED: Final = "end of stream"
STOPPED: Final = "goes on until it is stopped"
BROKEN: Final = "BROKEN OFF"
"""What is never promised: the stream ended in the middle of nothing."""
_SOURCE: Final = picture("red")


async def chat(ask: Ask) -> Seen:
    """A chat that is waited for."""
    return await _post_chat(ask, body(ask.prompt, stream=False), TOKENS)


async def chat_stream(ask: Ask) -> Seen:
    """A chat that is read as it comes."""
    async with ask.stage.client() as client:
        answer = await client.post(CHAT, json=body(ask.prompt, stream=True))
    if answer.status_code != 200:
        return _refused(answer)
    events = events_of(answer.text)
    chunks = [event for event in events if event != DONE and "error" not in event]
    code = next((event["error"]["code"] for event in events if event != DONE and "error" in event), None)
    has_tokens = bool(streamed(chunks, "content"))
    return Seen(200, code, TOKENS if has_tokens else "", DONE_END if events[-1:] == [DONE] else BROKEN)


async def film(ask: Ask) -> Seen:
    """A video that is waited for."""
    return await _post_chat(ask, body(ask.prompt, stream=False, model=FILM_MODEL, reasoning_effort="none"), VIDEO)


async def attach(ask: Ask) -> Seen:
    """A chat about a picture that the client gives."""
    return await _post_chat(ask, body([text(ask.prompt), image(_SOURCE)], stream=False), TOKENS)


async def drawn(ask: Ask) -> Seen:
    """A chat in whose answer Grok draws."""
    return await _post_chat(ask, body(f"{ask.prompt} @images", stream=False), TOKENS)


async def pictures(ask: Ask) -> Seen:
    """Pictures that are waited for."""
    async with ask.stage.client() as client:
        answer = await client.post(GENERATIONS, json={"model": DRAW, "prompt": ask.prompt, "n": 1})
    return _pictures(answer)


async def pictures_stream(ask: Ask) -> Seen:
    """Pictures that are read as they come."""
    asked = {"model": DRAW, "prompt": ask.prompt, "n": 1, "stream": True}
    async with ask.stage.client() as client:
        answer = await client.post(GENERATIONS, json=asked)
    if answer.status_code != 200:
        return _refused(answer)
    events = [event for event in events_of(answer.text) if event != DONE]
    return Seen(200, _code_in(events), _shown_in(events), CLOSED if _is_over(events) else BROKEN)


async def edit(ask: Ask) -> Seen:
    """A picture that is changed."""
    async with ask.stage.client() as client:
        fields = {"model": EDIT, "prompt": ask.prompt}
        answer = await client.post(EDITS, data=fields, files=[upload_of(_SOURCE)])
    return _pictures(answer)


async def refresh(ask: Ask) -> Seen:
    """The operator's task over all accounts: ask for their quotas."""
    async with ask.stage.operator() as operator:
        started = await operator.post(REFRESH, json={"tokens": ask.stage.accounts})
        watched = await operator.get(f"/v1/admin/batch/{started.json()['task_id']}/stream")
    last = events_of(watched.text)[-1]
    return Seen(watched.status_code, None, f"{last['ok']} refreshed, {last['fail']} failed", last["type"])


async def run_sse(ask: Ask) -> Seen:
    """An endless run over server-sent events, until its first final picture or error; then it is stopped."""
    async with ask.stage.visitor() as visitor:
        started = await visitor.post(START, json={"prompt": ask.prompt})
        task_id = started.json()["task_id"]
        seen: list[dict[str, Any]] = []
        async with visitor.stream("GET", SSE, params={"task_id": task_id}) as answer:
            async for event in _unnamed(answer):
                seen.append(event)
                if _is_telling(event):
                    await visitor.post(STOP, json={"task_ids": [task_id]})
    return Seen(answer.status_code, _code_in(seen), _shown_in(seen), _end_of(seen))


async def run_ws(ask: Ask) -> Seen:
    """The same over a WebSocket."""
    async with ask.stage.visitor() as visitor:
        started = await visitor.post(START, json={"prompt": ask.prompt})
    seen = await asyncio.to_thread(_watch_socket, ask, started.json()["task_id"])
    return Seen(101, _code_in(seen), _shown_in(seen), _end_of(seen))


CHAT_STREAM: Final = Workload("chat-stream", "Chat, streamed", chat_stream)
CHAT_WHOLE: Final = Workload("chat", "Chat", chat)
FILM: Final = Workload("video", "Video", film)
ATTACH: Final = Workload("attach", "Chat with a picture", attach)
DRAWN: Final = Workload("drawn", "Chat that draws", drawn)
DRAW_WHOLE: Final = Workload("images", "Pictures", pictures)
DRAW_STREAM: Final = Workload("images-stream", "Pictures, streamed", pictures_stream)
EDITED: Final = Workload("edits", "Edit", edit)
BATCH: Final = Workload("batch", "Refresh of three accounts", refresh)
RUN_SSE: Final = Workload("run-sse", "Endless run, SSE", run_sse)
RUN_WS: Final = Workload("run-ws", "Endless run, WebSocket", run_ws)


async def _post_chat(ask: Ask, asked: dict[str, Any], first: str) -> Seen:
    async with ask.stage.client() as client:
        answer = await client.post(CHAT, json=asked)
    if answer.status_code != 200:
        return _refused(answer)
    return Seen(200, None, first if answer.json()["choices"][0]["message"]["content"] else "")


def _pictures(answer: httpx.Response) -> Seen:
    if answer.status_code != 200:
        return _refused(answer)
    return Seen(200, None, PICTURES if answer.json()["data"] else "")


def _refused(answer: httpx.Response) -> Seen:
    error = answer.json()["error"]
    assert error["message"]
    return Seen(answer.status_code, error["code"])


async def _unnamed(answer: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    async for line in answer.aiter_lines():
        if line.startswith("data: "):
            yield orjson.loads(line.removeprefix("data: "))


def _watch_socket(ask: Ask, task_id: str) -> list[dict[str, Any]]:
    seen = []
    with connected(ask.stage.gateway, WS, {"task_id": task_id}) as peer:
        peer.say(type="start")
        for event in peer:
            seen.append(event)
            if _is_telling(event):
                peer.say(type="stop")
            if event.get("status") == "stopped":
                break
    return seen


def _is_telling(event: dict[str, Any]) -> bool:
    """Whether a run has told by this what it has to tell."""
    return event["type"] in (COMPLETED, "error")


def _code_in(events: Iterable[dict[str, Any]]) -> str | None:
    """The code of the first error."""
    for event in events:
        if event.get("type") == "error" or "error" in event:
            code: str = event["error"]["code"] if "error" in event else event["code"]
            return code
    return None


def _shown_in(events: Iterable[dict[str, Any]]) -> str:
    kinds = {event.get("type") for event in events}
    return PICTURES if COMPLETED in kinds else "previews" if PARTIAL in kinds else ""


def _is_over(events: list[dict[str, Any]]) -> bool:
    """Whether a stream of pictures has said how it ended."""
    return bool(events) and ("error" in events[-1] or events[-1].get("type") == COMPLETED)


def _end_of(events: list[dict[str, Any]]) -> str:
    return STOPPED if events and events[-1].get("status") == "stopped" else BROKEN
