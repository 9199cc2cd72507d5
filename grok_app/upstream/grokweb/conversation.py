"""A new conversation: how chats, edits and videos are asked for. Source: protocol notes, sections 2.2 and 2.7."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

import orjson

from grok_app.upstream.base import ErrorKind, UpstreamError
from grok_app.upstream.grokweb.call import Call
from grok_app.upstream.grokweb.failures import http_failure
from grok_app.upstream.grokweb.headers import GrokWebOptions, json_headers
from grok_app.upstream.grokweb.transport import Response, Transport
from grok_app.upstream.grokweb.unary import read_refusal

CONVERSATION_PATH: Final = "/rest/app-chat/conversations/new"
_DRAIN_TIMEOUT_S: Final = 1.0

ItemT = TypeVar("ItemT")


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


class Reader(Protocol[ItemT]):
    """Reads one answer: fed with the bytes as they come, then finished."""

    @property
    def has_ended(self) -> bool:
        """Whether what may follow has no meaning."""
        ...

    def feed(self, data: bytes, found: list[ItemT], /) -> None:
        """Add what these bytes complete, also what comes before an error in them.

        Raises:
            UpstreamError: They say that the answer has failed.
        """
        ...

    def finish(self, found: list[ItemT], /) -> None:
        """Add what is left at the end of the answer.

        Raises:
            UpstreamError: It is not complete.
        """
        ...


async def converse(
    transport: Transport, options: GrokWebOptions, credential: str, asked: Conversation, reader: Reader[ItemT]
) -> AsyncGenerator[list[ItemT], None]:
    """Begin a conversation and give what the reader makes of the answer: what one read brought, as it arrives.

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
        goes_on = True
        unfinished_since: float | None = None
        while goes_on:
            found: list[ItemT] = []
            try:
                data = b"" if reader.has_ended else await response.read()
                goes_on = bool(data)
                if goes_on:
                    reader.feed(data, found)
                    unfinished_since = None if b"\n" in data else _check_line(unfinished_since, asked.waits.idle_s)
                else:
                    await _finish(response, reader, found)
            except UpstreamError:
                if found:
                    yield found
                raise
            if found:
                yield found


async def one_by_one(bursts: AsyncGenerator[list[ItemT], None]) -> AsyncGenerator[ItemT, None]:
    """What arrived together, each on its own."""
    async with aclosing(bursts):
        async for burst in bursts:
            for item in burst:
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


def _check_line(since: float | None, limit_s: float) -> float:
    """Since when a line has been coming without its end: bytes that drip are no silence, and no answer either.

    Raises:
        UpstreamError: For longer than a silence may last.
    """
    now = asyncio.get_running_loop().time()
    if since is not None and now - since > limit_s:
        raise UpstreamError(ErrorKind.TIMEOUT, f"Grok has not finished a line for {limit_s:g} s")
    return now if since is None else since


async def _finish(response: Response, reader: Reader[ItemT], found: list[ItemT]) -> None:
    """Let the reader find what is left at the end of the answer."""
    if reader.has_ended:
        await _drain(response)
    reader.finish(found)


async def _drain(response: Response) -> None:
    """Read what follows the end of an answer, so that the connection can serve again; not for long."""
    await asyncio.sleep(0)  # where the transfer's end came along with the answer's, it is known in the next turn
    if response.is_complete:
        return
    with suppress(TimeoutError, UpstreamError):
        async with asyncio.timeout(_DRAIN_TIMEOUT_S):
            while await response.read():
                pass
