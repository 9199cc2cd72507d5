"""One question, one whole answer, within one time limit: how every call but the streaming ones is made."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from grok_app.upstream.base import ErrorKind, UpstreamError
from grok_app.upstream.grokweb.call import Call, Source
from grok_app.upstream.grokweb.failures import http_failure
from grok_app.upstream.grokweb.headers import GrokWebOptions
from grok_app.upstream.grokweb.transport import Response, Transport

_BODY_LIMIT_BYTES: Final = 64 << 10
_REFUSAL_TIMEOUT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Question:
    """One request, and how long its answer may take in all."""

    url: str
    headers: Sequence[bytes] = field(repr=False)
    body: bytes | Source = field(repr=False)
    timeout_s: float
    method: str = "POST"
    limit_bytes: int = _BODY_LIMIT_BYTES
    """The longest answer that makes sense."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer of any status."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """By lower-case name."""
    trailers: Mapping[str, str]
    """Headers that came after the body, by lower-case name."""
    body: bytes
    """As long as the question allows, at most."""

    @property
    def is_success(self) -> bool:
        """Whether the status says yes: any 2xx."""
        return _is_success(self.status)

    def refusal(self) -> UpstreamError:
        """The error that a reply without success stands for."""
        return http_failure(self.status, self.headers, self.body)

    def told(self, about: str) -> dict[str, Any]:
        """The JSON object that a reply with success is.

        Args:
            about: What was asked, for the errors.

        Raises:
            UpstreamError: There is no success, or no JSON object.
        """
        if not self.is_success:
            raise self.refusal()
        try:
            parsed = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise self.nonsense(about, "is not JSON") from error
        if not isinstance(parsed, dict):
            raise self.nonsense(about, "is not a JSON object")
        return parsed

    def told_text(self, about: str, *path: str) -> str:
        """The text at this place in the JSON object; see `told`.

        Raises:
            UpstreamError: There is none.
        """
        value: object = self.told(about)
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if not isinstance(value, str) or not value:
            raise self.nonsense(about, f"has no text '{'.'.join(path)}'")
        return value

    def nonsense(self, about: str, what: str) -> UpstreamError:
        """The error of a reply that can't be understood."""
        return UpstreamError(ErrorKind.PROTOCOL, f"Grok's answer about {about} {what}", status=self.status)


async def ask(transport: Transport, options: GrokWebOptions, question: Question) -> Reply:
    """Send a question and wait for the whole reply, whatever its status.

    Raises:
        UpstreamError: No reply within the time limit, or one that is too long, or the connection failed.
    """
    call = Call(
        url=question.url,
        headers=question.headers,
        body=question.body,
        proxy=options.proxy,
        browser=options.browser,
        first_byte_timeout_s=question.timeout_s,
        idle_timeout_s=question.timeout_s,
        method=question.method,
    )
    try:
        async with asyncio.timeout(question.timeout_s), transport.send(call) as response:
            return await _take(response, question.limit_bytes)
    except TimeoutError:
        message = f"Grok's answer was not complete within {question.timeout_s:g} s"
        raise UpstreamError(ErrorKind.TIMEOUT, message) from None


async def read_refusal(response: Response) -> bytes:
    """What explains a refusal. The status speaks for itself when the explanation doesn't arrive."""
    with suppress(TimeoutError, UpstreamError):
        async with asyncio.timeout(_REFUSAL_TIMEOUT_S):
            return await response.read_all(_BODY_LIMIT_BYTES)
    return b""


async def _take(response: Response, limit_bytes: int) -> Reply:
    is_success = _is_success(response.status)
    body = await response.read_all(limit_bytes + 1) if is_success else await read_refusal(response)
    if len(body) > limit_bytes:
        message = f"Grok's answer is longer than {limit_bytes >> 10} KiB"
        raise UpstreamError(ErrorKind.PROTOCOL, message, status=response.status)
    return Reply(response.status, response.headers, response.trailers, body)


def _is_success(status: int) -> bool:
    return status // 100 == 2  # noqa: PLR2004 - HTTP's own number
