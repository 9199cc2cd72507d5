"""What is said to requests that come while the server stops."""

from typing import Final

from starlette.types import Receive, Scope, Send

from grok_app.api.errors import STOPPING, error_response

_GOING_AWAY: Final = 1001
_CLOSE: Final = {"Connection": "close"}


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Take no request and no socket."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": _GOING_AWAY})
    else:
        await error_response(STOPPING, _CLOSE)(scope, receive, send)
