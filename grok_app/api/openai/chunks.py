"""Answers in OpenAI's words: chunks of a stream, and the whole completion. Source: API contract, section 5.3."""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import cached_property
from typing import Any, Final

import orjson

from grok_app.api.sse import DONE, LastEvent
from grok_app.chat import Answer, Event, Finished, Started, Text, Thought, Usage

_MARK: Final = "\x00"


class ChunkWriter:
    """Writes the chunks of one answer.

    What is the same in all of them is encoded once; a chunk costs the encoding of its text.
    """

    def __init__(self, started: Started, model: str, *, has_think_tags: bool) -> None:
        self._head: dict[str, Any] = {
            "id": started.id,
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": model,
            "system_fingerprint": started.fingerprint,
        }
        self._has_think_tags = has_think_tags
        self._is_thinking = False
        self._content = self._template({"content": _MARK})

    @cached_property
    def _reasoning(self) -> tuple[bytes, bytes]:
        return self._template({"reasoning_content": _MARK})

    def role(self) -> bytes:
        """The first chunk."""
        return self._chunk({"role": "assistant", "content": ""})

    def thought(self, text: str) -> bytes:
        """A piece of the thinking, in a field of its own or between tags."""
        if not self._has_think_tags:
            return _fill(self._reasoning, text)
        opening = "" if self._is_thinking else "<think>\n"
        self._is_thinking = True
        return _fill(self._content, opening + text)

    def text(self, pieces: list[str]) -> bytes:
        """Pieces of the answer, a chunk for each."""
        before, after = self._content
        if self._is_thinking:
            first, *others = pieces
            pieces = [self._close_thinking() + first, *others]
        return before + (after + before).join(map(orjson.dumps, pieces)) + after

    def finish(self, usage: Usage, *, with_usage: bool) -> bytes:
        """What ends the stream: an open tag's end, the finish reason, the usage where it is wanted, `[DONE]`."""
        rest = self._close_thinking()
        parts = [_fill(self._content, rest)] if rest else []
        parts.append(self._chunk({}, finish_reason="stop"))
        if with_usage:
            parts.append(_event({**self._head, "choices": [], "usage": usage_json(usage)}))
        parts.append(DONE)
        return b"".join(parts)

    def _close_thinking(self) -> str:
        if not self._is_thinking:
            return ""
        self._is_thinking = False
        return "\n</think>\n"

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return _event({**self._head, "choices": [choice]})

    def _template(self, delta: dict[str, Any]) -> tuple[bytes, bytes]:
        before, _, after = self._chunk(delta).partition(orjson.dumps(_MARK))
        return before, after


async def write_chunks(
    bursts: AsyncGenerator[Sequence[Event | bytes], None], model: str, *, has_think_tags: bool, with_usage: bool
) -> AsyncGenerator[bytes, None]:
    """The chunks of a streamed answer, one per event; those of what came together are written together.

    What is written already goes through as it is. The end is written only after the service has settled the request.
    """
    writer: ChunkWriter | None = None
    usage = Usage(0, 0, 0)
    async with aclosing(bursts):
        async for burst in bursts:
            chunks: list[bytes] = []
            for event in burst:
                if isinstance(event, Text) and writer:
                    chunks.append(writer.text(event.pieces))
                elif isinstance(event, Thought) and writer:
                    chunks.append(writer.thought(event.text))
                elif isinstance(event, Started):
                    writer = ChunkWriter(event, model, has_think_tags=has_think_tags)
                    chunks.append(writer.role())
                elif isinstance(event, Finished):
                    usage = event.usage
                elif isinstance(event, bytes):
                    chunks.append(event)
            if chunks:
                yield b"".join(chunks)
    if writer is not None:
        yield LastEvent(writer.finish(usage, with_usage=with_usage))


def completion(answer: Answer, model: str, *, has_think_tags: bool) -> dict[str, Any]:
    """The `chat.completion` object of a whole answer."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.text, "refusal": None, "annotations": []}
    if answer.thinking and has_think_tags:
        message["content"] = f"<think>\n{answer.thinking}\n</think>\n{answer.text}"
    elif answer.thinking:
        message["reasoning_content"] = answer.thinking
    return {
        "id": answer.id,
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "system_fingerprint": answer.fingerprint,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": usage_json(answer.usage),
    }


def usage_json(usage: Usage) -> dict[str, Any]:
    """The usage as OpenAI spells it."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens, "audio_tokens": 0},
    }


def _event(content: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(content) + b"\n\n"


def _fill(template: tuple[bytes, bytes], text: str) -> bytes:
    before, after = template
    return before + orjson.dumps(text) + after
