"""What a request is called: its id, and its place in a trace that may go over several services."""

import os
import re
from typing import Final, NamedTuple

from starlette.types import Scope

from grok_app.trace import TraceContext

_SANE_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_TRACEPARENT: Final = re.compile(
    rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-[!-~]*)?"
)
"""Source: W3C Trace Context, section 3.2; later versions may have more behind it."""
_FIRST_VERSION: Final = b"00"
_SEVERAL: Final = b"several"
"""In place of a header that was sent more than once: nobody can tell which one is meant."""


class Names(NamedTuple):
    """A request's names, each of a form that is safe in a log and in a header."""

    request_id: str
    trace_id: str
    context: TraceContext | None
    """None where the caller told none that is valid."""
    headers: tuple[tuple[bytes, bytes], ...]
    """What an answer tells of them."""


def names_of(scope: Scope) -> Names:
    """The id that the caller wants for this request, if it is a sane one, else a new one; and the trace it belongs to.

    A new trace is called as a new request is. Costs a microsecond or two.
    """
    wanted = told = b""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            wanted = wanted or value
        elif name == b"traceparent":
            told = _SEVERAL if told else value
    is_sane = _SANE_ID.fullmatch(wanted) is not None
    request_id = wanted if is_sane else os.urandom(16).hex().encode()
    header = (b"x-request-id", request_id)
    if told and (context := read_traceparent(told)):
        headers = (header, (b"traceparent", context.traceparent.encode()))
        return Names(request_id.decode(), context.trace_id, context, headers)
    shown = request_id.decode()
    return Names(shown, os.urandom(16).hex() if is_sane else shown, None, (header,))


def read_traceparent(header: bytes) -> TraceContext | None:
    """Our place in the trace that this header tells; None if it is not valid."""
    match = _TRACEPARENT.fullmatch(header)
    if match is None:
        return None
    version, trace_id, parent_id, flags, more = match.groups()
    if version == _FIRST_VERSION and more:
        return None
    return TraceContext(trace_id.decode(), os.urandom(8).hex(), parent_id.decode(), bool(int(flags, 16) & 1))
