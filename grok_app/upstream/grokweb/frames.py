"""From the bytes of a chat answer to typed frames. Source: protocol notes, sections 2.7, 2.8 and 2.10.2.

One JSON object a line, split anywhere by the network, sometimes behind `data:`. What we don't know is passed over.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

import orjson

from grok_app.upstream.base import (
    CardFrame,
    EndFrame,
    ErrorKind,
    Frame,
    StartFrame,
    TokenFrame,
    UpstreamError,
)
from grok_app.upstream.grokweb.failures import stream_failure

_LINE_LIMIT_BYTES: Final = 8 << 20
_RARE: Final = frozenset(("error", "llmInfo", "cardAttachment", "isSoftStop", "finalMetadata", "modelResponse"))
"""Fields that a mere token doesn't carry, `isSoftStop` aside."""


class FrameReader:
    """Reads one answer. Feed it the bytes as they come, then call `finish`."""

    def __init__(self) -> None:
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._response_id: str | None = None
        self._cards: set[str] = set()
        self._may_end = False
        self._end: EndFrame | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the last frame of the answer has been read; what may follow has no meaning."""
        return self._end is not None

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that these bytes complete.

        Raises:
            UpstreamError: The answer carries an error, or a line without an end.
        """
        *lines, rest = data.split(b"\n")
        for line in lines:
            if self._pending:
                line = b"".join((*self._pending, line))  # noqa: PLW2901 - the same line, whole now
                self._pending.clear()
                self._pending_bytes = 0
            yield from self._line(line)
        if rest:
            self._keep(rest)

    def finish(self) -> Iterator[Frame]:
        """The frames of a last line without a line break, and the end.

        Raises:
            UpstreamError: The answer broke off.
        """
        yield from self._line(b"".join(self._pending))
        if self._end is None and not self._may_end:
            raise UpstreamError(ErrorKind.PROTOCOL, "Grok's answer broke off before its end")
        yield self._end or EndFrame("")

    def _keep(self, rest: bytes) -> None:
        self._pending.append(rest)
        self._pending_bytes += len(rest)
        if self._pending_bytes > _LINE_LIMIT_BYTES:
            raise UpstreamError(ErrorKind.PROTOCOL, "Grok sent a line of more than 8 MiB")

    def _line(self, line: bytes) -> Iterator[Frame]:
        if self._end is not None:
            return
        line = line.strip().removeprefix(b"data:").lstrip()
        if line == b"[DONE]":
            self._may_end = True
        if not line.startswith(b"{"):
            return
        root = _parse(line)
        response = _object(_object(root.get("result")).get("response"))
        if not response:
            _raise_root_error(root)
            return
        yield from self._response(response)

    def _response(self, response: dict[str, Any]) -> Iterator[Frame]:
        token = response.get("token")
        if token and isinstance(token, str):
            yield from self._start(response)
            rollout = response.get("rolloutId")
            is_thinking = response.get("isThinking") is True
            yield TokenFrame(token, is_thinking, rollout if isinstance(rollout, str) and rollout else None)
        if not _RARE.isdisjoint(response):
            yield from self._rare(response)

    def _rare(self, response: dict[str, Any]) -> Iterator[Frame]:
        if error := response.get("error"):
            raise stream_failure(error)
        if "llmInfo" in response:
            yield from self._start(response)
        if "cardAttachment" in response:
            yield from self._card(_object(response["cardAttachment"]).get("jsonData"))
        if response.get("isSoftStop") is True or "finalMetadata" in response:
            self._may_end = True
        if model_response := _object(response.get("modelResponse")):
            yield from self._close(model_response)

    def _start(self, response: dict[str, Any]) -> Iterator[Frame]:
        response_id = response.get("responseId")
        fingerprint = _object(response.get("llmInfo")).get("modelHash")
        is_new = isinstance(response_id, str) and response_id != self._response_id
        if is_new or isinstance(fingerprint, str):
            self._response_id = response_id if isinstance(response_id, str) else self._response_id
            yield StartFrame(self._response_id, fingerprint if isinstance(fingerprint, str) else None)

    def _close(self, model_response: dict[str, Any]) -> Iterator[Frame]:
        if self._response_id is None:
            yield from self._start(_summary(model_response))
        errors = model_response.get("streamErrors")
        if isinstance(errors, list) and errors:
            raise stream_failure(errors[0])
        cards = model_response.get("cardAttachmentsJson")
        for card in cards if isinstance(cards, list) else ():
            yield from self._card(card)
        message = model_response.get("message")
        self._end = EndFrame(message if isinstance(message, str) else "")

    def _card(self, json_data: object) -> Iterator[Frame]:
        try:
            card = orjson.loads(json_data) if isinstance(json_data, str) else json_data
        except orjson.JSONDecodeError:
            return
        image = _object(_object(card).get("image"))
        card_id, url, title = _object(card).get("id"), image.get("original"), image.get("title")
        if not isinstance(card_id, str) or not isinstance(url, str) or card_id in self._cards:
            return
        self._cards.add(card_id)
        yield CardFrame(card_id, title if isinstance(title, str) else "", url)


def _summary(model_response: dict[str, Any]) -> dict[str, Any]:
    """Who answered, as the final envelope says it, in the shape of the earlier frames."""
    info = _object(_object(model_response.get("metadata")).get("llm_info"))
    return {"responseId": model_response.get("responseId"), "llmInfo": info}


def _parse(line: bytes) -> dict[str, Any]:
    """The object of a line; empty when it is none."""
    try:
        return _object(orjson.loads(line))
    except orjson.JSONDecodeError:
        return _parse_cut_character(line) if b"\\u" in line else {}


def _parse_cut_character(line: bytes) -> dict[str, Any]:
    # Half of a surrogate pair, where a token ends within an emoji, is JSON to Python and none to orjson.
    try:
        text = json.dumps(json.loads(line), ensure_ascii=False)
        return _object(orjson.loads(text.encode(errors="replace")))
    except (ValueError, RecursionError):
        return {}


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _raise_root_error(root: dict[str, Any]) -> None:
    if error := root.get("error"):
        raise stream_failure(error)
    event = _object(root.get("event"))
    if event.get("type") == "error":
        raise stream_failure(event.get("error"))
    failed = event.get("type") == "response.done" and _object(event.get("response")).get("status") != "completed"
    if failed or event.get("type") == "session.ended":
        raise UpstreamError(ErrorKind.UNAVAILABLE, "Grok ended the session before its answer was complete")
