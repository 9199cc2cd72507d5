"""The frames of a chat response, as lines of bytes. Source: protocol notes, sections 2.8, 11.1, 11.3 and 11.6."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any
from uuid import uuid4

import orjson

Speaker = Callable[[str], bytes]
"""Makes the frame of one token."""


class Frames:
    """The frames of one response, under fresh ids.

    Args:
        model: Names the model; the same name gives the same `modelHash`.
    """

    def __init__(self, model: str) -> None:
        self.model_hash = blake2b(model.encode(), digest_size=6).hexdigest()
        self._response_id = str(uuid4())
        self._parent_id = str(uuid4())

    def opening(self, message: str) -> tuple[bytes, bytes, bytes]:
        """The conversation, the user's stored turn and the fingerprint: what comes before any token."""
        return self._conversation(), self._user_turn(message), self._llm_info()

    def thinking(self, rollout: str, step: int, tag: str) -> Speaker:
        """Speak as an agent that thinks; `tag` is `header` or `summary`."""
        return _speaker(
            {"isThinking": True, "messageTag": tag, "messageStepId": step, "rolloutId": rollout, **self._id()}
        )

    def answering(self) -> Speaker:
        """Speak the answer."""
        return _speaker({"isThinking": False, "messageTag": "final", **self._id()})

    def card(self, card_json: str) -> bytes:
        """A card that answer tokens refer to; `card_json` is JSON text."""
        return response_frame({"cardAttachment": {"jsonData": card_json}, **self._id()})

    def image(self, index: int, progress: int, **fields: Any) -> bytes:
        """How far a generated image is, in percent."""
        body = {"imageIndex": index, "progress": progress, **fields}
        return response_frame({"streamingImageGenerationResponse": body, **self._id()})

    def video(self, progress: int, **fields: Any) -> bytes:
        """How far a video is, in percent."""
        body = {"streamingVideoGenerationResponse": {**fields, "progress": progress}}
        return response_frame({**body, "isThinking": False, **self._id()})

    def closing(
        self, message: str, cards: Sequence[str], images: Sequence[str], files: Sequence[str] = ()
    ) -> tuple[bytes, bytes, bytes]:
        """The soft stop, the final metadata and the whole response: what comes after the last token."""
        metadata = {"finalMetadata": {"followUpSuggestions": [], "toolsUsed": {}}, "isThinking": False, **self._id()}
        whole = {"modelResponse": self._whole(message, cards, images, files)}
        return self._soft_stop(), response_frame(metadata), response_frame(whole)

    def _id(self) -> dict[str, str]:
        return {"responseId": self._response_id}

    def _conversation(self) -> bytes:
        created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        body = {"conversationId": str(uuid4()), "title": "New conversation", "createTime": created}
        return line({"result": {"conversation": body}})

    def _user_turn(self, message: str) -> bytes:
        turn = {"responseId": self._parent_id, "message": message, "sender": "human"}
        return response_frame(
            {"userResponse": turn, "isThinking": False, "isSoftStop": False, "responseId": self._parent_id}
        )

    def _llm_info(self) -> bytes:
        info = {"modelHash": self.model_hash}
        return response_frame({"llmInfo": info, "isThinking": False, "isSoftStop": False, **self._id()})

    def _soft_stop(self) -> bytes:
        fields = {"token": "", "isThinking": False, "isSoftStop": True, "messageTag": "final"}
        return response_frame({**fields, **self._id()})

    def _whole(self, message: str, cards: Sequence[str], images: Sequence[str], files: Sequence[str]) -> dict[str, Any]:
        return {
            **self._id(),
            "parentResponseId": self._parent_id,
            "message": message,
            "sender": "ASSISTANT",
            "generatedImageUrls": images,
            "cardAttachmentsJson": cards,
            "fileAttachments": files,
            "streamErrors": [],
            "webSearchResults": [],
            "metadata": {"llm_info": {"modelHash": self.model_hash}},
        }


def line(value: Any) -> bytes:
    """One line of newline-delimited JSON."""
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


def response_frame(response: dict[str, Any]) -> bytes:
    """A line whose JSON is `{"result": {"response": …}}`."""
    return line({"result": {"response": response}})


def _speaker(fields: dict[str, Any]) -> Speaker:
    """Everything but the text is encoded once: a token costs one string."""
    head = b'{"result":{"response":{"token":'
    tail = b"," + orjson.dumps(fields)[1:] + b"}}\n"
    return lambda text: head + orjson.dumps(text) + tail
