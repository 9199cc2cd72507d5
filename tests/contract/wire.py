"""Chats over raw HTTP: how to ask, and how to read what comes back."""

from typing import Any

import httpx
import orjson

from tests.servers import Gateway

CHAT = "/v1/chat/completions"
DONE = "[DONE]"
Chunk = dict[str, Any]
ENDINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "finished": ("", {"stream": True}),
    "finished, whole": ("", {"stream": False}),
    "broken off": ("@late-error", {"stream": True}),
    "refused by Grok": ("@403-moderated", {"stream": True}),
    "refused by us": ("", {"temperature": 3}),
}
"""The ways in which a chat ends by itself: what is said with the question, and the request's fields."""


def body(content: Any, **fields: Any) -> dict[str, Any]:
    """A request with one user message, changed by `fields`."""
    return {"model": "grok-3", "messages": [{"role": "user", "content": content}], **fields}


def ask(gateway: Gateway, content: Any, **fields: Any) -> httpx.Response:
    """Ask one thing and wait for all of the answer."""
    return gateway.http.post(CHAT, json=body(content, **fields))


def text_of(gateway: Gateway, content: Any, *, stream: bool, **fields: Any) -> str:
    """Ask one thing; the text of the answer, which must be whole."""
    answer = ask(gateway, content, stream=stream, **fields).raise_for_status()
    if not stream:
        return str(answer.json()["choices"][0]["message"]["content"])
    *chunks, done = events(answer.text)
    assert done == DONE
    return streamed(chunks, "content")


def events(text: str) -> list[Any]:
    """The data of a stream's events: parsed, but for `[DONE]`."""
    data = [line.removeprefix("data: ") for line in text.split("\n") if line.startswith("data: ")]
    return [item if item == DONE else orjson.loads(item) for item in data]


def streamed(chunks: list[Chunk], field: str) -> str:
    """What the deltas of these chunks have in this field, joined."""
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    return "".join(delta.get(field) or "" for delta in deltas)


def error_of(answer: httpx.Response) -> dict[str, Any]:
    """The error of an answer, which must have the contract's shape."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    content = answer.json()
    assert content.keys() == {"error"}
    error: dict[str, Any] = content["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    return error
