"""The error tree against the table of the API contract, section 3."""

import pytest

from grok_app import errors
from grok_app.errors import GatewayError


@pytest.mark.parametrize(
    ("kind", "status", "type_", "code"),
    [
        (errors.InvalidRequestError, 400, "invalid_request_error", "invalid_value"),
        (errors.AuthenticationError, 401, "authentication_error", "invalid_api_key"),
        (errors.PermissionDeniedError, 403, "permission_error", "insufficient_quota"),
        (errors.NotFoundError, 404, "not_found_error", "not_found"),
        (errors.MethodNotAllowedError, 405, "invalid_request_error", "method_not_allowed"),
        (errors.ConflictError, 409, "invalid_request_error", "conflict"),
        (errors.RequestTooLargeError, 413, "invalid_request_error", "request_too_large"),
        (errors.RangeNotSatisfiableError, 416, "invalid_request_error", "range_not_satisfiable"),
        (errors.RateLimitedError, 429, "rate_limit_error", "rate_limit_exceeded"),
        (errors.GatewayError, 500, "server_error", "internal_error"),
        (errors.UpstreamFailedError, 502, "server_error", "upstream_error"),
        (errors.OverloadedError, 503, "service_unavailable_error", "overloaded"),
        (errors.UpstreamTimeoutError, 504, "server_error", "upstream_timeout"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_status_type_and_code(kind: type[GatewayError], status: int, type_: str, code: str) -> None:
    """Each error says what the contract says."""
    error = kind("Why.", param="messages.0.role")
    assert error.status == status
    assert error.body() == {"error": {"message": "Why.", "type": type_, "param": "messages.0.role", "code": code}}


def test_a_code_of_its_own() -> None:
    """A more telling code takes the place of the default one."""
    assert errors.InvalidRequestError("Why.", code="invalid_role").code == "invalid_role"
