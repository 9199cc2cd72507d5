"""grok.com as an `Upstream`."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from grok_app.upstream.base import ChatPrompt, ErrorKind, Frame, UpstreamError
from grok_app.upstream.grokweb.chat import CHAT_PATH, chat_body
from grok_app.upstream.grokweb.failures import http_failure
from grok_app.upstream.grokweb.frames import FrameReader
from grok_app.upstream.grokweb.headers import GrokWebOptions, json_headers
from grok_app.upstream.grokweb.transport import Call, Response, Transport

_ERROR_BODY_LIMIT_BYTES: Final = 64 << 10
_DRAIN_TIMEOUT_S: Final = 1.0


class GrokWeb:
    """Speaks to grok.com with an account's SSO token as the credential."""

    def __init__(self, transport: Transport, options: Callable[[], GrokWebOptions]) -> None:
        self._transport = transport
        self._options = options

    async def chat(self, credential: str, prompt: ChatPrompt) -> AsyncGenerator[Frame, None]:
        """See `Upstream.chat`."""
        options = self._options()
        call = _call(options, credential, CHAT_PATH, chat_body(prompt, options))
        reader = FrameReader()
        async with self._transport.post(call) as response:
            if response.status != 200:  # noqa: PLR2004 - exactly 200 in epoch [F], section 2.10
                raise http_failure(response.status, response.headers, await _read_error(response))
            while not reader.has_ended and (data := await response.read()):
                for frame in reader.feed(data):
                    yield frame
            await _drain(response)
            for frame in reader.finish():
                yield frame


async def _read_error(response: Response) -> bytes:
    """What explains a refusal. The status speaks for itself when the explanation doesn't arrive."""
    with suppress(TimeoutError, UpstreamError):
        async with asyncio.timeout(_DRAIN_TIMEOUT_S):
            return await response.read_all(_ERROR_BODY_LIMIT_BYTES)
    return b""


async def _drain(response: Response) -> None:
    """Read what follows the end of an answer, so that the connection can serve again; not for long."""
    with suppress(TimeoutError, UpstreamError):
        async with asyncio.timeout(_DRAIN_TIMEOUT_S):
            while await response.read():
                pass


@asynccontextmanager
async def open_grokweb(options: Callable[[], GrokWebOptions]) -> AsyncGenerator[GrokWeb, None]:
    """A client whose connections are closed when the block ends.

    Args:
        options: Called once per request, so that changed settings are in force at the next one.
    """
    transport = Transport()
    try:
        yield GrokWeb(transport, options)
    finally:
        await transport.close()


def _call(options: GrokWebOptions, credential: str, path: str, body: bytes) -> Call:
    if not credential.isascii() or not credential.isprintable():
        raise UpstreamError(ErrorKind.INVALID_CREDENTIAL, "The account's credential has characters that no cookie has")
    return Call(
        url=options.base_url.rstrip("/") + path,
        headers=json_headers(options, credential),
        body=body,
        proxy=options.proxy,
        browser=options.browser,
        first_byte_timeout_s=options.first_frame_timeout_s,
        idle_timeout_s=options.idle_timeout_s,
    )
