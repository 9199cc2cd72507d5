"""From the lines of a chat answer to typed frames. Source: protocol notes, section 2.8.

Fields that we don't know are passed over.
"""

from typing import Annotated, Any, Final

import orjson
from msgspec import UNSET, DecodeError, Meta, Struct, UnsetType
from msgspec.json import Decoder

from grok_app.upstream.base import CardFrame, EndFrame, ErrorKind, Frame, StartFrame, TokenFrame, UpstreamError
from grok_app.upstream.grokweb.drawings import Drawings
from grok_app.upstream.grokweb.lines import DONE, Lines, as_object, raise_stream_errors, response_of

_RARE: Final = frozenset(
    ("llmInfo", "cardAttachment", "isSoftStop", "finalMetadata", "modelResponse", "streamingImageGenerationResponse")
)
"""Fields that a mere token doesn't carry, `isSoftStop` aside."""


class _Said(Struct, rename="camel", gc=False):
    """The `result.response` of a mere token. With any of the unset fields, be it null, it is no such line."""

    token: Annotated[str, Meta(min_length=1)]
    response_id: str = ""
    rollout_id: str = ""
    is_thinking: object = None
    is_soft_stop: object = None
    error: UnsetType = UNSET
    llm_info: UnsetType = UNSET
    card_attachment: UnsetType = UNSET
    final_metadata: UnsetType = UNSET
    model_response: UnsetType = UNSET
    streaming_image_generation_response: UnsetType = UNSET


class _Result(Struct, gc=False):
    response: _Said


class _Line(Struct, gc=False):
    result: _Result


_read: Final = Decoder(_Line).decode
"""A quarter of the time that it takes to make objects of all that a line holds (2026-11-29)."""


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

    def feed(self, data: bytes, found: list[Frame]) -> None:
        """Add the frames that these bytes complete, also those before an error.

        Raises:
            UpstreamError: The answer carries an error, or a line without an end.
        """
        for line in self._lines.feed(data):
            if self._end is None:
                self._line(line, found)

    def finish(self, found: list[Frame]) -> None:
        """Add the frames of a last line without a line break, and the end.

        Raises:
            UpstreamError: The answer broke off.
        """
        if self._end is None:
            self._line(self._lines.rest(), found)
        if self._end is None and not self._may_end:
            raise UpstreamError(ErrorKind.PROTOCOL, "Grok's answer broke off before its end")
        found.append(self._end or EndFrame("", self._drawn.addresses()))

    def _line(self, line: bytes, found: list[Frame]) -> None:
        """Add the frames of one line. Almost all of them are mere tokens, hundreds in an answer."""
        try:
            said = _read(line).result.response
        except (DecodeError, RecursionError):
            self._response(line, found)
            return
        if said.response_id == self._response_id and said.is_soft_stop is not True:
            _add_token(found, said.token, said.is_thinking is True, said.rollout_id or None)
        else:
            self._response(line, found)

    def _response(self, line: bytes, found: list[Frame]) -> None:
        response = response_of(line)
        token = response.get("token")
        if token and isinstance(token, str):
            self._start(response, found)
            rollout = response.get("rolloutId")
            is_thinking = response.get("isThinking") is True
            _add_token(found, token, is_thinking, rollout if rollout and isinstance(rollout, str) else None)
        if not _RARE.isdisjoint(response):
            self._rare(response, found)
        elif line == DONE:
            self._may_end = True

    def _rare(self, response: dict[str, Any], found: list[Frame]) -> None:
        if "llmInfo" in response:
            self._start(response, found)
        if "cardAttachment" in response:
            self._card(as_object(response["cardAttachment"]).get("jsonData"), found)
        drawing = as_object(response.get("streamingImageGenerationResponse"))
        if drawing and (drawn := self._drawn.take(drawing)):
            found.append(drawn)
        if response.get("isSoftStop") is True or "finalMetadata" in response:
            self._may_end = True
        if model_response := as_object(response.get("modelResponse")):
            self._close(model_response, found)

    def _start(self, response: dict[str, Any], found: list[Frame]) -> None:
        response_id = response.get("responseId")
        fingerprint = as_object(response.get("llmInfo")).get("modelHash")
        is_new = isinstance(response_id, str) and response_id != self._response_id
        if is_new or isinstance(fingerprint, str):
            self._response_id = response_id if isinstance(response_id, str) else self._response_id
            found.append(StartFrame(self._response_id, fingerprint if isinstance(fingerprint, str) else None))

    def _close(self, model_response: dict[str, Any], found: list[Frame]) -> None:
        if self._response_id is None:
            self._start(_summary(model_response), found)
        raise_stream_errors(model_response)
        cards = model_response.get("cardAttachmentsJson")
        for card in cards if isinstance(cards, list) else ():
            self._card(card, found)
        message = model_response.get("message")
        self._drawn.close(model_response)
        self._end = EndFrame(message if isinstance(message, str) else "", self._drawn.addresses())

    def _card(self, json_data: object, found: list[Frame]) -> None:
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
        found.append(CardFrame(card_id, title if isinstance(title, str) else "", url))


def _add_token(found: list[Frame], token: str, is_thinking: bool, rollout_id: str | None) -> None:
    last = found[-1] if found else None
    if isinstance(last, TokenFrame) and last.is_thinking is is_thinking and last.rollout_id == rollout_id:
        last.texts.append(token)
    else:
        found.append(TokenFrame([token], is_thinking, rollout_id))


def _summary(model_response: dict[str, Any]) -> dict[str, Any]:
    """Who answered, as the final envelope says it, in the shape of the earlier frames."""
    info = as_object(as_object(model_response.get("metadata")).get("llm_info"))
    return {"responseId": model_response.get("responseId"), "llmInfo": info}
