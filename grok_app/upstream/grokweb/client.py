"""grok.com as an `Upstream`."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import date
from typing import Final

from grok_app.upstream.base import ChatPrompt, Frame, Quota, SetupReply, UpstreamError
from grok_app.upstream.grokweb import limits, setup
from grok_app.upstream.grokweb.chat import CHAT_PATH, chat_body
from grok_app.upstream.grokweb.failures import http_failure
from grok_app.upstream.grokweb.frames import FrameReader
from grok_app.upstream.grokweb.headers import GrokWebOptions, json_headers
from grok_app.upstream.grokweb.transport import Call, Response, Transport
from grok_app.upstream.grokweb.unary import read_refusal

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
                raise http_failure(response.status, response.headers, await read_refusal(response))
            while not reader.has_ended and (data := await response.read()):
                for frame in reader.feed(data):
                    yield frame
            await _drain(response)
            for frame in reader.finish():
                yield frame

    async def quota(self, credential: str) -> Quota:
        """See `Upstream.quota`."""
        return await limits.ask_quota(self._transport, self._options(), credential)

    async def accept_terms(self, credential: str) -> SetupReply:
        """See `Upstream.accept_terms`."""
        return await setup.accept_terms(self._transport, self._options(), credential)

    async def set_birth_date(self, credential: str, birth_date: date) -> SetupReply:
        """See `Upstream.set_birth_date`."""
        return await setup.set_birth_date(self._transport, self._options(), credential, birth_date)

    async def show_adult_content(self, credential: str) -> SetupReply:
        """See `Upstream.show_adult_content`."""
        return await setup.show_adult_content(self._transport, self._options(), credential)


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
    return Call(
        url=options.base_url.rstrip("/") + path,
        headers=json_headers(options, credential),
        body=body,
        proxy=options.proxy,
        browser=options.browser,
        first_byte_timeout_s=options.first_frame_timeout_s,
        idle_timeout_s=options.idle_timeout_s,
    )
