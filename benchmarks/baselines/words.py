"""What both relays say: to Grok as a browser would ask, to the caller in OpenAI's chunks."""

from collections.abc import Iterable
from typing import Any, Final

import orjson

BROWSER: Final = "chrome136"
PATH: Final = "/rest/app-chat/conversations/new"
HEADERS: Final = {"content-type": "application/json", "cookie": "sso=bench; sso-rw=bench"}
DONE: Final = b"data: [DONE]\n\n"
_ID: Final = "chatcmpl-bench"


def question(body: dict[str, Any]) -> bytes:
    """What asks Grok for the answer to a chat completion's last message."""
    return orjson.dumps(
        {
            "message": body["messages"][-1]["content"],
            "modelName": "grok-4",
            "modelMode": "MODEL_MODE_GROK_4",
            "temporary": True,
            "toolOverrides": {},
        }
    )


def token_of(line: bytes) -> str:
    """The text that a line of Grok's answer brings; empty when it brings none."""
    response = orjson.loads(line)["result"].get("response")
    token: str = response.get("token", "") if response else ""
    return token


def chunk(delta: dict[str, str], finish_reason: str | None = None) -> bytes:
    """One event of a streamed answer."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    content = {"id": _ID, "object": "chat.completion.chunk", "created": 0, "model": "grok-4", "choices": [choice]}
    return b"data: " + orjson.dumps(content) + b"\n\n"


def completion(texts: Iterable[str]) -> bytes:
    """The whole answer."""
    message = {"role": "assistant", "content": "".join(texts)}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return orjson.dumps({"id": _ID, "object": "chat.completion", "created": 0, "model": "grok-4", "choices": [choice]})
