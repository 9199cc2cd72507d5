"""JSON answers."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from fastapi import Response

NOBODY_LEFT: Final = Response(status_code=499)
"""For a request whose caller has gone; nobody reads it."""


def json_response(content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with this content as JSON, which nobody on the way keeps: it may hold secrets."""
    kept = {"Cache-Control": "no-store", **(headers or {})}
    return Response(orjson.dumps(content), status_code=status, headers=kept, media_type="application/json")
