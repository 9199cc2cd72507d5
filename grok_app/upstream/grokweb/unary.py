"""One question, one whole answer, within one time limit: how every call but the streaming ones is made."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from grok_app.upstream.base import ErrorKind, UpstreamError
from grok_app.upstream.grokweb.failures import http_failure
from grok_app.upstream.grokweb.headers import GrokWebOptions
from grok_app.upstream.grokweb.transport import Call, Response, Transport

_BODY_LIMIT_BYTES: Final = 64 << 10
_REFUSAL_TIMEOUT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Question:
    """One POST, and how long its answer may take in all."""

    url: str
    headers: Sequence[bytes] = field(repr=False)
    body: bytes
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer of any status."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """By lower-case name."""
    trailers: Mapping[str, str]
    """Headers that came after the body, by lower-case name."""
    body: bytes
    """At most 64 KiB."""

    @property
    def is_success(self) -> bool:
        """Whether the status says yes: any 2xx."""
        return _is_success(self.status)

    def refusal(self) -> UpstreamError:
        """The error that a reply without success stands for."""
        return http_failure(self.status, self.headers, self.body)


async def ask(transport: Transport, options: GrokWebOptions, question: Question) -> Reply:
    """Send a question and wait for the whole reply, whatever its status.

    Raises:
        UpstreamError: No reply within the time limit, or one of more than 64 KiB, or the connection failed.
    """
    call = Call(
        url=question.url,
        headers=question.headers,
        body=question.body,
        proxy=options.proxy,
        browser=options.browser,
        first_byte_timeout_s=question.timeout_s,
        idle_timeout_s=question.timeout_s,
    )
    try:
        async with asyncio.timeout(question.timeout_s), transport.post(call) as response:
            return await _take(response)
    except TimeoutError:
        message = f"Grok's answer was not complete within {question.timeout_s:g} s"
        raise UpstreamError(ErrorKind.TIMEOUT, message) from None


async def read_refusal(response: Response) -> bytes:
    """What explains a refusal. The status speaks for itself when the explanation doesn't arrive."""
    with suppress(TimeoutError, UpstreamError):
        async with asyncio.timeout(_REFUSAL_TIMEOUT_S):
            return await response.read_all(_BODY_LIMIT_BYTES)
    return b""


async def _take(response: Response) -> Reply:
    is_success = _is_success(response.status)
    body = await response.read_all(_BODY_LIMIT_BYTES + 1) if is_success else await read_refusal(response)
    if len(body) > _BODY_LIMIT_BYTES:
        message = f"Grok's answer is longer than {_BODY_LIMIT_BYTES >> 10} KiB"
        raise UpstreamError(ErrorKind.PROTOCOL, message, status=response.status)
    return Reply(response.status, response.headers, response.trailers, body)


def _is_success(status: int) -> bool:
    return status // 100 == 2  # noqa: PLR2004 - HTTP's own number
