"""Callers who leave. Source: API contract, section 5.4: Grok's answer is cancelled within a second."""

import asyncio
import socket
import time
from typing import Any

import httpx
import openai
import pytest

from tests.contract.wire import CHAT, ask, body
from tests.servers import Gateway, Sandbox, eventually

LIMIT_S = 3.0
"""A second is promised; the rest is for a busy machine. Nobody would end it for minutes otherwise."""


def _open_request(sandbox: Sandbox, question: str) -> dict[str, Any] | None:
    return next((entry for entry in sandbox.asked(question) if entry["state"] == "open"), None)


def _ended_request(sandbox: Sandbox, question: str) -> dict[str, Any] | None:
    return next((entry for entry in sandbox.asked(question) if entry["state"] != "open"), None)


async def assert_cancelled(sandbox: Sandbox, question: str, left_at: float) -> None:
    """The one request with this question has ended at Grok unfinished, in time."""
    ended = await asyncio.to_thread(eventually, lambda: _ended_request(sandbox, question))

    assert ended["state"] == "cancelled"
    assert ended["ended_ms"] / 1000 - left_at < LIMIT_S
    assert len(sandbox.asked(question)) == 1


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("word", ["hang", "stall", "slow"])
async def test_leaving_cancels_the_request_at_grok(
    http: httpx.AsyncClient, sandbox: Sandbox, question: str, word: str, stream: bool
) -> None:
    """Before the first token or after, streaming or not: whoever leaves stops the work, and no one else is hurt."""
    asking = asyncio.create_task(http.post(CHAT, json=body(f"{question} @{word}", stream=stream)))
    await asyncio.to_thread(eventually, lambda: _open_request(sandbox, question))
    asking.cancel()
    left_at = time.time()
    await asyncio.gather(asking, return_exceptions=True)

    await assert_cancelled(sandbox, question, left_at)
    assert (await http.get("/healthz")).status_code == 200
    assert (await http.post(CHAT, json=body("Are you still there?", stream=False))).status_code == 200


async def test_closing_the_clients_stream_cancels_it(
    async_client: openai.AsyncOpenAI, sandbox: Sandbox, question: str
) -> None:
    """A program that has read enough and closes its stream stops the work too."""
    stream = await async_client.chat.completions.create(
        model="grok-3", messages=[{"role": "user", "content": f"{question} @stall"}], stream=True
    )
    async for _ in stream:
        break
    await stream.close()

    await assert_cancelled(sandbox, question, time.time())


def test_leaving_in_the_middle_of_the_request_is_no_crash(gateway: Gateway) -> None:
    """A caller whose connection breaks before all of its request is sent leaves no traceback and holds up no one."""
    url = httpx.URL(gateway.url)
    head = f"POST {CHAT} HTTP/1.1\r\nHost: {url.host}\r\nx-api-key: {gateway.key}\r\nx-request-id: broke-off\r\n"
    with socket.create_connection((url.host, url.port)) as connection:
        connection.sendall(f'{head}Content-Length: 100\r\n\r\n{{"model":'.encode())

    eventually(lambda: "request_id=broke-off" in gateway.process.log())
    assert "ClientDisconnect" not in gateway.process.news()
    assert "crashed" not in gateway.process.news()


async def test_many_who_leave_at_once_leave_nothing_behind(
    gateway: Gateway, http: httpx.AsyncClient, sandbox: Sandbox, question: str
) -> None:
    """Forty callers leave together; none of their requests stays open at Grok."""
    asking = [asyncio.create_task(http.post(CHAT, json=body(f"{question} @stall", stream=True))) for _ in range(40)]
    await asyncio.to_thread(eventually, lambda: len(sandbox.asked(question)) == len(asking))
    for task in asking:
        task.cancel()
    left_at = time.time()
    await asyncio.gather(*asking, return_exceptions=True)

    await asyncio.to_thread(eventually, lambda: _open_request(sandbox, question) is None)
    assert max(entry["ended_ms"] for entry in sandbox.asked(question)) / 1000 - left_at < LIMIT_S
    assert ask(gateway, "Are you still there?", stream=False).status_code == 200
