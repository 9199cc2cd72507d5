"""From the lines of a chat answer to typed frames. Source: protocol notes, section 2.8.

Fields that we don't know are passed over.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson

from grok_app.upstream.base import CardFrame, EndFrame, ErrorKind, Frame, StartFrame, TokenFrame, UpstreamError
from grok_app.upstream.grokweb.drawings import Drawings
from grok_app.upstream.grokweb.lines import DONE, Lines, as_object, raise_stream_errors, response_of

_RARE: Final = frozenset(
    ("llmInfo", "cardAttachment", "isSoftStop", "finalMetadata", "modelResponse", "streamingImageGenerationResponse")
)
"""Fields that a mere token doesn't carry, `isSoftStop` aside."""


class FrameReader:
    """Reads one answer. Feed it the bytes as they come, then call `finish`."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._drawn = Drawings()
        self._response_id: str | None = None
        self._cards: set[str] = set()
        self._may_end = False
        self._end: EndFrame | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the last frame of the answer has been read; what may follow has no meaning."""
        return self._end is not None

    @property
    def moderated(self) -> int:
        """How many pictures were drawn and refused, so far."""
        return self._drawn.moderated

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that these bytes complete.

        Raises:
            UpstreamError: The answer carries an error, or a line without an end.
        """
        for line in self._lines.feed(data):
            yield from self._line(line)

    def finish(self) -> Iterator[Frame]:
        """The frames of a last line without a line break, and the end.

        Raises:
            UpstreamError: The answer broke off.
        """
        yield from self._line(self._lines.rest())
        if self._end is None and not self._may_end:
            raise UpstreamError(ErrorKind.PROTOCOL, "Grok's answer broke off before its end")
        yield self._end or EndFrame("", self._drawn.addresses())

    def _line(self, line: bytes) -> Iterable[Frame]:
        if self._end is not None:
            return ()
        if line == DONE:
            self._may_end = True
        response = response_of(line)
        return self._response(response) if response else ()

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
        if "llmInfo" in response:
            yield from self._start(response)
        if "cardAttachment" in response:
            yield from self._card(as_object(response["cardAttachment"]).get("jsonData"))
        if drawing := as_object(response.get("streamingImageGenerationResponse")):
            yield from self._drawn.take(drawing)
        if response.get("isSoftStop") is True or "finalMetadata" in response:
            self._may_end = True
        if model_response := as_object(response.get("modelResponse")):
            yield from self._close(model_response)

    def _start(self, response: dict[str, Any]) -> Iterator[Frame]:
        response_id = response.get("responseId")
        fingerprint = as_object(response.get("llmInfo")).get("modelHash")
        is_new = isinstance(response_id, str) and response_id != self._response_id
        if is_new or isinstance(fingerprint, str):
            self._response_id = response_id if isinstance(response_id, str) else self._response_id
            yield StartFrame(self._response_id, fingerprint if isinstance(fingerprint, str) else None)

    def _close(self, model_response: dict[str, Any]) -> Iterator[Frame]:
        if self._response_id is None:
            yield from self._start(_summary(model_response))
        raise_stream_errors(model_response)
        cards = model_response.get("cardAttachmentsJson")
        for card in cards if isinstance(cards, list) else ():
            yield from self._card(card)
        message = model_response.get("message")
        self._drawn.close(model_response)
        self._end = EndFrame(message if isinstance(message, str) else "", self._drawn.addresses())

    def _card(self, json_data: object) -> Iterator[Frame]:
        try:
            card = orjson.loads(json_data) if isinstance(json_data, str) else json_data
        except orjson.JSONDecodeError:
            return
        self._drawn.take_chunk(as_object(as_object(card).get("image_chunk")))
        image = as_object(as_object(card).get("image"))
        card_id, url, title = as_object(card).get("id"), image.get("original"), image.get("title")
        if not isinstance(card_id, str) or not isinstance(url, str) or card_id in self._cards:
            return
        self._cards.add(card_id)
        yield CardFrame(card_id, title if isinstance(title, str) else "", url)


def _summary(model_response: dict[str, Any]) -> dict[str, Any]:
    """Who answered, as the final envelope says it, in the shape of the earlier frames."""
    info = as_object(as_object(model_response.get("metadata")).get("llm_info"))
    return {"responseId": model_response.get("responseId"), "llmInfo": info}
