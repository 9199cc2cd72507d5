"""Which requests are recorded: those that ask for a model, under any of their spellings."""

from typing import Final

from starlette.types import Scope

from grok_app.api.names import Names
from grok_app.trace import Trace

_INFERENCE: Final = ("/v1/chat/completions", "/v1/images/generations", "/v1/images/edits")
_VISITORS: Final = (
    "/v1/public/chat/completions",
    "/v1/public/imagine/sse",
    "/v1/public/video/sse",
    "/v1/public/voice/token",
)
_SOCKET: Final = "/v1/public/imagine/ws"
_VISITOR: Final = "public"
"""Who asks on the public surface. A task's id is enough there, so that no key tells one from another."""
_ROUTES: Final = {
    **{prefix + path: path for path in _INFERENCE for prefix in ("", "/grok")},
    **{prefix + path: path for path in _VISITORS for prefix in ("", "/api")},
}
_SOCKETS: Final = {prefix + _SOCKET: _SOCKET for prefix in ("", "/api")}
_UNANSWERED: Final = ("HEAD", "OPTIONS")


def begin_trace(scope: Scope, names: Names) -> Trace | None:
    """The record of this request or socket; None when it asks for no model."""
    path = scope["path"].rstrip("/")
    is_socket = scope["type"] == "websocket"
    route = (_SOCKETS if is_socket else _ROUTES).get(path)
    if route is None or scope.get("method") in _UNANSWERED:
        return None
    key = "" if route in _INFERENCE else _VISITOR
    return Trace(names.request_id, route, key, is_stream=is_socket, trace_id=names.trace_id, context=names.context)
