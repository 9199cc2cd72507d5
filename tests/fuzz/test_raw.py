"""Bytes against the port: whatever comes, the server answers or hangs up, and goes on."""

from hypothesis import HealthCheck, given, settings

from tests.fuzz.campaign import SERVER_ERRORS
from tests.fuzz.raw import raw_requests, status_of
from tests.servers import Gateway


@settings(max_examples=1_000, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(sent=raw_requests)
def test_no_bytes_are_a_server_error(callers: Gateway, sent: bytes) -> None:
    """Odd methods, targets, headers and bodies, cut anywhere, and noise: never a 5xx, never silence."""
    status = status_of(callers.url, sent)
    assert status is None or status not in SERVER_ERRORS
