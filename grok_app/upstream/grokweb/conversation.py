"""A new conversation: how chats, edits and videos are asked for. Source: protocol notes, sections 2.2 and 2.7."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

import orjson

from grok_app.upstream.base import UpstreamError
from grok_app.upstream.grokweb.call import Call
from grok_app.upstream.grokweb.failures import http_failure
from grok_app.upstream.grokweb.headers import GrokWebOptions, json_headers
from grok_app.upstream.grokweb.transport import Response, Transport
from grok_app.upstream.grokweb.unary import read_refusal

CONVERSATION_PATH: Final = "/rest/app-chat/conversations/new"
_DRAIN_TIMEOUT_S: Final = 1.0

ItemT_co = TypeVar("ItemT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Waits:
    """How long an answer may be waited for."""

    first_frame_s: float
    idle_s: float
    total_s: float | None = None
    """For the whole answer; None when it may go on as long as it says something."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What differs from one kind of conversation to the other."""

    waits: Waits
    message: str
    model: str
    mode: str | None
    override: Mapping[str, Any]
    """`modelConfigOverride` on the wire."""
    tools: Mapping[str, bool] = field(default_factory=dict)
    """`toolOverrides` on the wire."""
    attachments: tuple[str, ...] = ()


class Reader(Protocol[ItemT_co]):
    """Reads one answer: fed with the bytes as they come, then finished."""

    @property
    def has_ended(self) -> bool:
        """Whether what may follow has no meaning."""
        ...

    def feed(self, data: bytes, /) -> Iterator[ItemT_co]:
        """What these bytes complete."""
        ...

    def finish(self) -> Iterator[ItemT_co]:
        """What is left at the end of the answer."""
        ...


async def converse(
    transport: Transport, options: GrokWebOptions, credential: str, asked: Conversation, reader: Reader[ItemT_co]
) -> AsyncGenerator[ItemT_co, None]:
    """Begin a conversation and give what the reader makes of the answer, as it arrives.

    Raises:
        UpstreamError: At any point.
    """
    call = Call(
        url=options.base_url.rstrip("/") + CONVERSATION_PATH,
        headers=json_headers(options, credential),
        body=conversation_body(asked, options),
        proxy=options.proxy,
        browser=options.browser,
        first_byte_timeout_s=asked.waits.first_frame_s,
        idle_timeout_s=asked.waits.idle_s,
        total_timeout_s=asked.waits.total_s,
    )
    async with transport.send(call) as response:
        if response.status != 200:  # noqa: PLR2004 - exactly 200 in epoch [F], section 2.10
            raise http_failure(response.status, response.headers, await read_refusal(response))
        while not reader.has_ended and (data := await response.read()):
            for item in reader.feed(data):
                yield item
        await _drain(response)
        for item in reader.finish():
            yield item


def conversation_body(asked: Conversation, options: GrokWebOptions) -> bytes:
    """The JSON body that begins a conversation."""
    return orjson.dumps(
        {
            "deviceEnvInfo": {
                "darkModeEnabled": False,
                "devicePixelRatio": 2,
                "screenWidth": 2056,
                "screenHeight": 1329,
                "viewportWidth": 2056,
                "viewportHeight": 1083,
            },
            "disableMemory": options.disable_memory,
            "disableSearch": False,
            "disableSelfHarmShortCircuit": False,
            "disableTextFollowUps": False,
            "enableImageGeneration": True,
            "enableImageStreaming": True,
            "enableSideBySide": True,
            "fileAttachments": asked.attachments,
            "forceConcise": False,
            "forceSideBySide": False,
            "imageAttachments": [],
            "imageGenerationCount": 2,
            "isAsyncChat": False,
            "isReasoning": False,
            "message": asked.message,
            "modelMode": asked.mode,
            "modelName": asked.model,
            "responseMetadata": {
                "requestModelDetails": {"modelId": asked.model},
                "modelConfigOverride": asked.override,
            },
            "returnImageBytes": False,
            "returnRawGrokInXaiRequest": False,
            "sendFinalMetadata": True,
            "temporary": options.is_temporary,
            "toolOverrides": asked.tools,
        }
    )


async def _drain(response: Response) -> None:
    """Read what follows the end of an answer, so that the connection can serve again; not for long."""
    with suppress(TimeoutError, UpstreamError):
        async with asyncio.timeout(_DRAIN_TIMEOUT_S):
            while await response.read():
                pass
