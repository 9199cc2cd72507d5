"""Everything that can be expected to go wrong, as callers see it.

    GatewayError                 what a caller of the API gets: status, type, code, param, message
    ├── InvalidRequestError      400  the request itself is wrong; `param` names the field
    ├── AuthenticationError      401
    ├── PermissionDeniedError    403
    ├── NotFoundError            404
    ├── MethodNotAllowedError    405
    ├── ConflictError            409
    ├── RequestTooLargeError     413
    ├── RangeNotSatisfiableError 416
    ├── RateLimitedError         429  `retry_after_s` when known
    ├── UpstreamFailedError      502
    ├── OverloadedError          503
    │   └── StoppingError             the server stops
    └── UpstreamTimeoutError     504
    ConfigurationError           a setting stops the start; never reaches a caller

Anything else is a bug: a 500 to the caller, a traceback in the log. Source: API contract, section 3.
"""

from typing import Any, ClassVar


class GatewayError(Exception):
    """An error that a caller is told of."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "server_error"
    default_code: ClassVar[str] = "internal_error"

    def __init__(
        self, message: str, *, code: str | None = None, param: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.param = param
        self.retry_after_s = retry_after_s

    def body(self) -> dict[str, Any]:
        """The error as JSON answers carry it."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


class InvalidRequestError(GatewayError):
    """The request can't be served as it is."""

    status = 400
    type = "invalid_request_error"
    default_code = "invalid_value"


class AuthenticationError(GatewayError):
    """The key is missing or wrong."""

    status = 401
    type = "authentication_error"
    default_code = "invalid_api_key"


class PermissionDeniedError(GatewayError):
    """The key is right, the thing is not allowed."""

    status = 403
    type = "permission_error"
    default_code = "insufficient_quota"


class NotFoundError(GatewayError):
    """There is nothing under this name."""

    status = 404
    type = "not_found_error"
    default_code = "not_found"


class MethodNotAllowedError(GatewayError):
    """The route exists for other methods."""

    status = 405
    type = "invalid_request_error"
    default_code = "method_not_allowed"


class ConflictError(GatewayError):
    """The request is right, but something else holds the thing."""

    status = 409
    type = "invalid_request_error"
    default_code = "conflict"


class RequestTooLargeError(GatewayError):
    """The body is larger than the route takes."""

    status = 413
    type = "invalid_request_error"
    default_code = "request_too_large"


class RangeNotSatisfiableError(GatewayError):
    """The file ends before the part that is asked for."""

    status = 416
    type = "invalid_request_error"
    default_code = "range_not_satisfiable"


class RateLimitedError(GatewayError):
    """No account can serve now, or the caller asks too often."""

    status = 429
    type = "rate_limit_error"
    default_code = "rate_limit_exceeded"


class UpstreamFailedError(GatewayError):
    """Grok failed, or answered what we don't understand."""

    status = 502
    default_code = "upstream_error"


class OverloadedError(GatewayError):
    """We can't take the request now."""

    status = 503
    type = "service_unavailable_error"
    default_code = "overloaded"


class StoppingError(OverloadedError):
    """The server stops; another one may take the request now, this one once it is back."""

    default_code = "shutting_down"

    def __init__(self) -> None:
        super().__init__("The server is stopping. Please try again later.", retry_after_s=5.0)


class UpstreamTimeoutError(GatewayError):
    """Grok took too long."""

    status = 504
    default_code = "upstream_timeout"


class ConfigurationError(Exception):
    """A setting is wrong; the message says its name, its value and what was expected."""
