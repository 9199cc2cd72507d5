"""Errors as answers: every one of them JSON of one shape. Source: API contract, section 3."""

import math
from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DatabaseError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from starlette.exceptions import HTTPException

from grok_app.api.responses import json_response
from grok_app.errors import (
    AuthenticationError,
    GatewayError,
    InvalidRequestError,
    MethodNotAllowedError,
    NotFoundError,
    OverloadedError,
    StoppingError,
)
from grok_app.logs import get_logger
from grok_app.trace import note_failure

log = get_logger(__name__)
STOPPING: Final = StoppingError()
"""What is said to those who are still served when the server must end, and to those who come while it does."""

_AWAY: Final = (OperationalError, InterfaceError, InternalError, NoConnectionError)
"""What is raised while the database is away, can only be read, or has no connection left."""
_DATABASE_AWAY: Final = OverloadedError("The database does not answer. Please try again soon.")


class ErrorDetail(BaseModel):
    """What went wrong."""

    message: str
    type: str
    param: str | None
    code: str


class ErrorBody(BaseModel):
    """The body of every error."""

    error: ErrorDetail


ERROR_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"model": ErrorBody, "description": "The request can't be served as it is; `param` names the field."},
    "5XX": {"model": ErrorBody, "description": "Grok or the gateway failed."},
}
"""The errors of every route, for OpenAPI."""

_INVALID_JSON: Final = "Invalid JSON in request body. Please check for trailing commas or syntax errors."


def error_response(error: GatewayError, headers: Mapping[str, str] | None = None) -> Response:
    """The HTTP answer that stands for this error, which is noted in the record of the request."""
    note_failure(error)
    extra = dict(headers or {})
    if isinstance(error, AuthenticationError):
        extra["WWW-Authenticate"] = "Bearer"
    if error.retry_after_s is not None:
        extra["Retry-After"] = str(math.ceil(error.retry_after_s))
    return json_response(error.body(), status=error.status, headers=extra)


def schema_error(error: ValidationError | RequestValidationError) -> InvalidRequestError:
    """The first thing that is wrong with a body or a query, as an error that names the field.

    A rule that looks at more than its own field says in its context, as `at`, which field below it is meant.
    """
    first: Mapping[str, Any] = error.errors()[0]
    if first["type"] == "json_invalid":
        return InvalidRequestError(_INVALID_JSON, code="json_invalid", param="body")
    path = [str(part) for part in first["loc"] if part not in ("body", "query", "path")]
    if at := first.get("ctx", {}).get("at"):
        path.append(at)
    return InvalidRequestError(first["msg"], code=first["type"], param=".".join(path) or "body")


def add_error_handlers(app: FastAPI) -> None:
    """Let every error of this app be answered in the one shape."""
    app.add_exception_handler(GatewayError, _on_gateway_error)
    app.add_exception_handler(RequestValidationError, _on_schema_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    for away in (*_AWAY, DatabaseError):
        app.add_exception_handler(away, _on_database_error)


async def _on_gateway_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, GatewayError)  # noqa: S101 - registered for this type alone
    return error_response(error)


async def _on_schema_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type alone
    return error_response(schema_error(error))


async def _on_database_error(_request: Request, error: Exception) -> Response:
    """Nothing was changed, unless the connection broke during the commit itself: then nobody knows."""
    if not isinstance(error, _AWAY) and type(error) is not DatabaseError:  # itself: a file that is no database any more
        raise error
    log.warning("the database does not answer", exc_info=error)
    return error_response(_DATABASE_AWAY)


async def _on_http_error(request: Request, error: Exception) -> Response:
    """Starlette's own errors: the unknown route and the wrong method, mostly."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type alone
    ours: GatewayError
    headers = error.headers
    if error.status_code == NotFoundError.status:
        ours = NotFoundError(f"There is nothing at {request.url.path}")
    elif error.status_code == MethodNotAllowedError.status:
        ours = MethodNotAllowedError(f"{request.method} is not allowed at {request.url.path}")
        headers = {"Allow": ", ".join(sorted(_methods_of(request)))}
    else:
        ours = InvalidRequestError(str(error.detail))
    return error_response(ours, headers)


def _methods_of(request: Request) -> set[str]:
    """Every method that this path answers. Starlette names those of one route only, and each method is a route."""
    found: set[str] = set()
    for path, methods in request.app.state.methods:
        if path.fullmatch(request.scope["path"]):
            found |= methods
    return found
