"""What surrounds requests and sockets: an id, a path without a trailing slash, an answer even when we crash."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from grok_app.api.errors import STOPPING, error_response
from grok_app.api.names import Names, names_of
from grok_app.api.recording import begin_trace
from grok_app.errors import GatewayError
from grok_app.logs import get_logger, request_id, trace_id
from grok_app.trace import Trace, current_trace, note_failure, under_way
from grok_app.usage import byte_length

log = get_logger(__name__)
IS_HEAD: Final = "grok_app.is_head"
"""In the scope of a HEAD, which routes take for a GET: for answers that are costly to make and then left out."""
_PROBES: Final = ("/healthz", "/readyz", "/metrics")
_FILES: Final = "/v1/files/"
_SERVED: Final = (200, 206, 304)
"""A file that was served is not worth a line: pages ask for them in crowds, and the line costs more than the file."""
_POLICY: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_GUARDS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
)
"""Of every answer but files that were served, which have what they need: other sites may show those."""
_ACCEPTED, _REFUSED = 101, 403
"""What a client sees of a WebSocket that is accepted, or closed before."""


Headers = Collection[tuple[bytes, bytes]]


class RequestScope:
    """ASGI middleware. Pure, so that nothing is buffered and a stream is sent as it comes.

    Args:
        app: What it surrounds.
        record: Takes what each request for a model has gathered, at its end; None: nobody wants it.
    """

    def __init__(self, app: ASGIApp, record: Callable[[Trace], None] | None = None) -> None:
        self._app = app
        self._record = record

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        names = names_of(scope)
        trace = self._begin(scope, names)
        status = bytes_sent = 0
        began_at = time.perf_counter()

        def send_with_id(message: Message) -> Awaitable[None]:
            nonlocal status, bytes_sent
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message.get("headers", ())
                message["headers"] = [*headers, *_guards(scope, status, headers), *names.headers]
            bytes_sent += len(message.get("body", b""))
            return send(message)

        try:
            await self._app(_as_routed(scope), receive, send_with_id)
        except ClientDisconnect:
            pass  # in the middle of its own request: nobody is left to be answered
        except asyncio.CancelledError:
            if not status:
                await error_response(STOPPING)(scope, receive, send_with_id)
            raise
        except Exception:  # a bug is answered too, and its traceback logged
            log.exception("request crashed", method=scope["method"], path=scope["path"])
            answer = error_response(GatewayError("Internal server error"))  # noted, be it too late to be told
            if not status:
                await answer(scope, receive, send_with_id)
        finally:
            _log_request(scope, status, time.perf_counter() - began_at)
            self._end(trace, status, bytes_sent)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket; a bug ends it, since it can't be answered."""
        trace = self._begin(scope, names_of(scope))
        status = bytes_sent = 0
        began_at = time.perf_counter()

        async def send_watched(message: Message) -> None:
            nonlocal status, bytes_sent
            status = status or (_ACCEPTED if message["type"] == "websocket.accept" else _REFUSED)
            bytes_sent += byte_length(message.get("text") or "")
            await send(message)

        try:
            await self._app(_as_routed(scope), receive, send_watched)
        except Exception:  # a bug ends the socket, and its traceback is logged; the server would log it twice
            log.exception("socket crashed", path=scope["path"])
            note_failure(GatewayError("Internal server error"))
        finally:
            _log_request(scope, status, time.perf_counter() - began_at)
            self._end(trace, status, bytes_sent)

    def _begin(self, scope: Scope, names: Names) -> Trace | None:
        """Let log lines carry the names, and what this request does be noted, where somebody wants it."""
        request_id.set(names.request_id)
        trace_id.set(names.trace_id)
        trace = begin_trace(scope, names) if self._record else None
        current_trace.set(trace)
        if trace:
            under_way[trace.route] += 1
        return trace

    def _end(self, trace: Trace | None, status: int, bytes_sent: int) -> None:
        current_trace.set(None)
        request_id.set(None)
        trace_id.set(None)
        if trace and self._record:
            under_way[trace.route] -= 1
            self._record(trace.end(status, bytes_sent))


def _guards(scope: Scope, status: int, headers: Headers) -> Headers:
    """What a browser may do with this answer: nothing, unless it says so itself, as the reference's page does."""
    if _is_file(scope, status):
        return ()
    return _GUARDS if any(name == _POLICY[0] for name, _ in headers) else (*_GUARDS, _POLICY)


def _is_file(scope: Scope, status: int) -> bool:
    return _FILES in scope["path"] and status in _SERVED


def _log_request(scope: Scope, status: int, seconds: float) -> None:
    # The query string may hold a key, so the path alone is logged. Status 0: the client left before an answer.
    is_usual = scope["path"] in _PROBES or _is_file(scope, status)
    say = log.debug if is_usual else log.info
    say("request", method=scope.get("method", "WS"), path=scope["path"], status=status, seconds=round(seconds, 4))


def _as_routed(scope: Scope) -> Scope:
    """The scope as routes are written: no trailing slash, and HEAD as GET, whose body the server leaves out."""
    path: str = scope["path"]
    if scope.get("method") == "HEAD":
        scope = {**scope, "method": "GET", IS_HEAD: True}
    if path == "/" or not path.endswith("/"):
        return scope
    bare = path.rstrip("/") or "/"
    return {**scope, "path": bare, "raw_path": bare.encode()}
