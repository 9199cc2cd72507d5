"""What a refusal means. Source: protocol notes, section 2.10; where the epochs differ, the one that knows more."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import orjson

from grok_app.upstream.base import ErrorKind, GrpcStatus, UpstreamError

_INVALID: Final = (
    "invalid-credentials",
    "bad-credentials",
    "failed to look up session id",
    "session not found",
    "token revoked",
    "token expired",
)
_BLOCKED: Final = ("blocked-user", "user is blocked", "account suspended", "email-domain-rejected")
_MODERATED: Final = ("content-moderated", "content violates usage guidelines", "safety_check_type_")
_ANTI_BOT: Final = ("anti-bot", "anti_bot")
_LIMITED: Final = (
    "too many requests",
    "rate limit",
    "rate_limit",
    "usage limit",
    "usage quota",
    "requests too quickly",
)
_RESETS_IN: Final = re.compile(r"resets in:((?:\s*\d{1,9}\s*[dhms])+)", re.IGNORECASE | re.ASCII)
_SECONDS: Final = re.compile(r"[0-9]{1,9}")
_LONGEST_WAIT_S: Final = 172_800.0
_UNIT_S: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_MESSAGE_LIMIT: Final = 200
_GRPC_DEADLINE_EXCEEDED: Final = 4
_GRPC_RESOURCE_EXHAUSTED: Final = 8
_GRPC_UNAVAILABLE: Final = 14
_GRPC_UNAUTHENTICATED: Final = 16
_STREAM_KINDS: Final = {
    _GRPC_RESOURCE_EXHAUSTED: ErrorKind.RATE_LIMITED,
    _GRPC_UNAUTHENTICATED: ErrorKind.INVALID_CREDENTIAL,
}
_GRPC_KINDS: Final = {
    **_STREAM_KINDS,
    _GRPC_DEADLINE_EXCEEDED: ErrorKind.TIMEOUT,
    _GRPC_UNAVAILABLE: ErrorKind.UNAVAILABLE,
}


def http_failure(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """The error that an HTTP answer other than 200 stands for.

    Args:
        status: The HTTP status.
        headers: By lower-case name.
        body: The beginning of the body, of any type.
    """
    text = body.decode("utf-8", "replace")
    message = f"Grok answered {status}: {_said(body)}" if _said(body) else f"Grok answered {status}"
    wait_s = retry_after_s(headers.get("retry-after"), text)
    return UpstreamError(_http_kind(status, text.lower()), message, status=status, retry_after_s=wait_s)


def stream_failure(error: object) -> UpstreamError:
    """The error that an error object within a stream stands for.

    Numeric codes are gRPC's. Code 7 is said both of blocked users and of bots, so the message decides.
    """
    code = error.get("code") if isinstance(error, dict) else None
    message = _message(error) or "no reason given"
    kind = _stream_kind(code, f"{code} {message}".lower())
    return UpstreamError(kind, f"Grok ended the answer: {message[:_MESSAGE_LIMIT]}")


def grpc_failure(grpc: GrpcStatus, status: int, headers: Mapping[str, str]) -> UpstreamError:
    """The error that a gRPC status other than 0 stands for.

    The words go before the code: code 7 is said of blocked users, of bots and of what an account may not do. The last
    of them, as any code without a meaning of its own here, is PROTOCOL: the request is at fault, not the account.

    Args:
        grpc: How the call ended.
        status: The HTTP status that it came with; usually 200.
        headers: By lower-case name.
    """
    kind = _told_kind(grpc.message.lower()) or _GRPC_KINDS.get(grpc.code, ErrorKind.PROTOCOL)
    said = f": {grpc.message}" if grpc.message else ""
    wait_s = retry_after_s(headers.get("retry-after"), grpc.message)
    message = f"Grok answered gRPC status {grpc.code}{said}"
    return UpstreamError(kind, message, status=status, retry_after_s=wait_s, grpc=grpc)


def retry_after_s(header: str | None, text: str = "") -> float | None:
    """How long to wait, from a `Retry-After` header (seconds or a date) or from `Resets in: 1h 2m 3s` in the text.

    At most two days: the longest window that Grok has (20 h), and some more.
    """
    wait_s = _header_wait_s(header.strip()) if header else None
    if wait_s is None and (match := _RESETS_IN.search(text)):
        parts = re.findall(r"(\d{1,9})\s*([dhms])", match[1].lower())
        wait_s = float(sum(int(number) * _UNIT_S[unit] for number, unit in parts))
    return None if wait_s is None else min(max(wait_s, 0.0), _LONGEST_WAIT_S)


def _header_wait_s(header: str) -> float | None:
    if _SECONDS.fullmatch(header):
        return float(header)
    at = _http_date(header)
    return None if at is None else (at - datetime.now(UTC)).total_seconds()


def _http_kind(status: int, text: str) -> ErrorKind:
    if status in (400, 401, 403):
        if any(marker in text for marker in _BLOCKED):
            return ErrorKind.BLOCKED_ACCOUNT
        if status == 401 or any(marker in text for marker in _INVALID):  # noqa: PLR2004 - HTTP's own number
            return ErrorKind.INVALID_CREDENTIAL
    if status == 403:  # noqa: PLR2004 - HTTP's own number
        return ErrorKind.MODERATED if any(marker in text for marker in _MODERATED) else ErrorKind.ANTI_BOT
    if status in (402, 429):
        return ErrorKind.RATE_LIMITED
    return ErrorKind.UNAVAILABLE if status >= 500 else ErrorKind.PROTOCOL  # noqa: PLR2004 - HTTP's own number


def _stream_kind(code: object, text: str) -> ErrorKind:
    by_code = _STREAM_KINDS.get(code) if isinstance(code, int) else None
    return _told_kind(text) or by_code or ErrorKind.UNAVAILABLE


def _told_kind(text: str) -> ErrorKind | None:
    """What the words of an error mean, in lower case; None when they say nothing that we know."""
    rules = (
        (ErrorKind.BLOCKED_ACCOUNT, _BLOCKED),
        (ErrorKind.INVALID_CREDENTIAL, _INVALID),
        (ErrorKind.MODERATED, _MODERATED),
        (ErrorKind.ANTI_BOT, _ANTI_BOT),
        (ErrorKind.RATE_LIMITED, _LIMITED),
    )
    for kind, markers in rules:
        if any(marker in text for marker in markers):
            return kind
    return None


def _said(body: bytes) -> str:
    """The message of a JSON error body, shortened; empty for HTML and the like, which tell a caller nothing."""
    try:
        parsed: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    return _message(parsed)[:_MESSAGE_LIMIT]


def _message(error: object) -> str:
    """The message in any of the forms seen: a text, `{message|error|detail}`, `{error: {message}}`."""
    if isinstance(error, str):
        return error
    if isinstance(error, dict):
        for key in ("message", "error", "detail"):
            if found := _message(error.get(key)):
                return found
    return ""


def _http_date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
