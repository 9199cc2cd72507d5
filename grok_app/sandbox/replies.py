"""Whole HTTP answers: the errors of grok.com and of what stands before it.

Source: protocol notes, sections 2.10.1, 2.10.4, 11.13 and 11.18. Bodies that no snapshot shows are marked INFERRED
there.
"""

import time
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Final

import orjson
from starlette.types import Send

JSON: Final = "application/json"
HTML: Final = "text/html; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer that is not a stream."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    retry_date_s: int | None = None
    """Adds a Retry-After that is an HTTP-date, so many seconds after the answer."""
    is_cut: bool = False
    """The connection breaks in the middle of the body."""

    def head(self) -> list[tuple[bytes, bytes]]:
        """The headers, in the order in which they are sent. A 204 tells nothing of a body (RFC 9110, section 8.6)."""
        content = [("content-type", self.content_type), ("content-length", str(len(self.body)))]
        pairs = [*(content if self.status != HTTPStatus.NO_CONTENT else ()), *self.headers]
        if self.retry_date_s is not None:
            pairs.append(("retry-after", formatdate(time.time() + self.retry_date_s, usegmt=True)))
        return [(name.encode(), value.encode()) for name, value in pairs]

    async def send(self, send: Send) -> None:
        """Send the answer over ASGI."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.head()})
        if self.is_cut:
            await send({"type": "http.response.body", "body": self.body[: len(self.body) // 2], "more_body": True})
        else:
            await send({"type": "http.response.body", "body": self.body})

    async def deny(self, send: Send) -> None:
        """Send the answer in place of a WebSocket (ASGI's extension for that)."""
        await send({"type": "websocket.http.response.start", "status": self.status, "headers": self.head()})
        await send({"type": "websocket.http.response.body", "body": self.body})


class RefusedError(Exception):
    """The request is answered with this reply instead of being served."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def json_reply(body: Any, status: int = 200, *, retry_after_s: int | None = None) -> Reply:
    """Anything orjson can write, with an optional Retry-After in seconds."""
    headers = () if retry_after_s is None else (("retry-after", str(retry_after_s)),)
    return Reply(status, orjson.dumps(body), headers=headers)


def status_body(code: int, message: str) -> dict[str, Any]:
    """An error as gRPC-gateway writes it; `code` is a gRPC status code."""
    return {"code": code, "message": message, "details": []}


def refusal(status: int, code: int, message: str, *, retry_after_s: int | None = None) -> Reply:
    """An error in gRPC-gateway's form."""
    return json_reply(status_body(code, message), status, retry_after_s=retry_after_s)


def nested(status: int, code: int, message: str, *, retry_after_s: int | None = None) -> Reply:
    """The same error inside `{"error": …}`, the other form that grok.com uses."""
    return json_reply({"error": status_body(code, message)}, status, retry_after_s=retry_after_s)


def proxy_page(status: int, title: str) -> Reply:
    """An error that a proxy before grok.com made: HTML, no JSON."""
    page = f"<html><head><title>{status} {title}</title></head><body><h1>{status} {title}</h1></body></html>"
    return Reply(status, page.encode(), "text/html", (("server", "nginx"),))


INVALID_CREDENTIALS: Final = nested(401, 16, "Invalid credentials [WKE=unauthenticated:bad-credentials]")
BIRTH_DATE_LOCKED: Final = refusal(
    429,
    8,
    "Birth date is locked once set. Contact support if you need to update it. "
    "[WKE=account:birth-date-change-limit-reached]",
)
LOST_PAGE: Final = Reply(200, b"<!doctype html><html><head><title>Grok</title></head><body></body></html>", HTML)
"""What a proxy or a redirect makes of a call: a page where JSON should be."""
TOO_LARGE: Final = refusal(413, 8, "The request body is larger than 72 MiB")
CHALLENGE: Final = Reply(
    403,
    b"<!doctype html><html><head><title>Just a moment...</title></head><body>"
    b'<script src="/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1"></script></body></html>',
    HTML,
    (("server", "cloudflare"), ("cf-ray", "test-ray-SIN")),
)
