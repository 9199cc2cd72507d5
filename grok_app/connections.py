"""What one connection may hold, and for how long: the limits that granian and the kernel keep for us.

Measured with granian 2.8.7 (2026-11-29). Where it looks for HTTP/2 first, a connection that says nothing, or begins
with the preface of HTTP/2, is never closed: so it speaks HTTP/1.1 alone, which is what browsers, SDKs and proxies speak
to a server without TLS.
"""

import os
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from granian.constants import HTTPModes
from granian.http import HTTP1Settings

HEAD_S: Final = 30.0
"""From the connection, or from the last answer on it, to the end of a request's head."""
HEAD_BYTES: Final = 64 << 10
"""Of a request's head: its address and its headers. The server answers 431 itself, as to more than 100 headers.

It looks when its buffer grows, so up to twice as much may pass.
"""
UNREAD_S: Final = 60.0
"""A client that takes nothing of what we have sent for so long is cut off, whatever is being sent."""
_USER_TIMEOUT: Final[int | None] = getattr(socket, "TCP_USER_TIMEOUT", None)
"""Linux alone has it. Elsewhere streams have a limit of their own, see `grok_app.api.sse`; whole answers have none."""


def http_options() -> dict[str, Any]:
    """What granian is told about HTTP."""
    head = HTTP1Settings(header_read_timeout=round(HEAD_S * 1000), max_buffer_size=HEAD_BYTES)
    return {"http": HTTPModes.http1, "http1_settings": head}


def guarded(target: Callable[..., None]) -> Callable[..., None]:
    """What runs in granian's worker, on a socket whose connections don't wait for ever for those who read nothing."""
    return partial(_listen, target) if _USER_TIMEOUT else target


def _listen(target: Callable[..., None], worker: int, name: str | None, loader: Any, sockets: Any, *rest: Any) -> None:
    """Open the worker's socket ourselves: connections inherit what is set on it (granian opens it out of reach)."""
    (spec, holder), own = sockets
    holder = holder or spec.build()
    with socket.socket(fileno=os.dup(holder.get_fd())) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT or 0, round(UNREAD_S * 1000))
    target(worker, name, loader, ((None, holder), own), *rest)
