"""From the bytes of a streamed answer to its objects. Source: protocol notes, sections 2.7 and 2.10.2.

One JSON object a line, split anywhere by the network, sometimes behind `data:`. What we don't know is passed over.
"""

import json
from typing import Any, Final

import orjson

from grok_app.upstream.base import ErrorKind, UpstreamError
from grok_app.upstream.grokweb.failures import stream_failure

_LINE_LIMIT_BYTES: Final = 8 << 20
DONE: Final = b"[DONE]"
"""A line that says the end, in some answers."""


class Lines:
    """Puts the lines of one answer together."""

    def __init__(self) -> None:
        self._pending: list[bytes] = []
        self._pending_bytes = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that these bytes complete, without what stands before their content.

        Raises:
            UpstreamError: A line doesn't end.
        """
        lines = data.split(b"\n")
        rest = lines.pop()
        if lines and self._pending:
            lines[0] = b"".join((*self._pending, lines[0]))
            self._pending.clear()
            self._pending_bytes = 0
        if rest:
            self._keep(rest)
        return [line if line.startswith(b"{") else _bare(line) for line in lines]

    def rest(self) -> bytes:
        """A last line without a line break; empty when there is none."""
        return _bare(b"".join(self._pending))

    def _keep(self, rest: bytes) -> None:
        self._pending.append(rest)
        self._pending_bytes += len(rest)
        if self._pending_bytes > _LINE_LIMIT_BYTES:
            raise UpstreamError(ErrorKind.PROTOCOL, "Grok sent a line of more than 8 MiB")


def response_of(line: bytes) -> dict[str, Any]:
    """The `result.response` of a line; empty when the line has none.

    Raises:
        UpstreamError: The line carries an error instead, or one within the response.
    """
    if not line.startswith(b"{"):
        return {}
    try:
        root: dict[str, Any] = orjson.loads(line)
    except orjson.JSONDecodeError:
        root = _parse_cut_character(line) if b"\\u" in line else {}
    result = root.get("result")
    response: dict[str, Any] | None = result.get("response") if isinstance(result, dict) else None
    if not response or not isinstance(response, dict):
        _raise_root_error(root)
        return {}
    if error := response.get("error"):
        raise stream_failure(error)
    return response


def as_object(value: object) -> dict[str, Any]:
    """The value where it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def raise_stream_errors(model_response: dict[str, Any]) -> None:
    """Raise the first of the errors that a final envelope carries, if any.

    Raises:
        UpstreamError: There is one.
    """
    errors = model_response.get("streamErrors")
    if isinstance(errors, list) and errors:
        raise stream_failure(errors[0])


def _bare(line: bytes) -> bytes:
    return line.strip().removeprefix(b"data:").lstrip()


def _parse_cut_character(line: bytes) -> dict[str, Any]:
    # Half of a surrogate pair, where a token ends within an emoji, is JSON to Python and none to orjson.
    try:
        text = json.dumps(json.loads(line), ensure_ascii=False)
        return as_object(orjson.loads(text.encode(errors="replace")))
    except (ValueError, RecursionError):
        return {}


def _raise_root_error(root: dict[str, Any]) -> None:
    if error := root.get("error"):
        raise stream_failure(error)
    event = as_object(root.get("event"))
    if event.get("type") == "error":
        raise stream_failure(event.get("error"))
    failed = event.get("type") == "response.done" and as_object(event.get("response")).get("status") != "completed"
    if failed or event.get("type") == "session.ended":
        raise UpstreamError(ErrorKind.UNAVAILABLE, "Grok ended the session before its answer was complete")
