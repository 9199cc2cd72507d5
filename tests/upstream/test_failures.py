"""What a refusal means, case by case of section 2.10 of the protocol notes."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from grok_app.upstream import ErrorKind, GrpcStatus
from grok_app.upstream.grokweb.failures import grpc_failure, http_failure, retry_after_s, stream_failure

CHALLENGE = '<!doctype html><html><head><title>Just a moment...</title></head><body><script src="/cdn-cgi/x"></script>'
SAFETY = "Content violates usage guidelines. SAFETY_CHECK_TYPE_X"
BLOCKED = "User is blocked [WKE=unauthorized:blocked-user]"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, "", ErrorKind.INVALID_CREDENTIAL),
        (401, '{"error":{"code":16,"message":"Invalid credentials"}}', ErrorKind.INVALID_CREDENTIAL),
        (400, "Failed to look up session ID. [WKE=unauthenticated:invalid-credentials]", ErrorKind.INVALID_CREDENTIAL),
        (403, f'{{"code":7,"message":"{BLOCKED}","details":[]}}', ErrorKind.BLOCKED_ACCOUNT),
        (403, f'{{"error":{{"code":7,"message":"{BLOCKED}"}}}}', ErrorKind.BLOCKED_ACCOUNT),
        (403, '{"code":"unauthorized:blocked-user","error":"User is blocked"}', ErrorKind.BLOCKED_ACCOUNT),
        (403, '{"error":{"code":7,"message":"Request rejected by anti-bot rules."}}', ErrorKind.ANTI_BOT),
        (403, CHALLENGE, ErrorKind.ANTI_BOT),
        (403, "", ErrorKind.ANTI_BOT),
        (403, '{"error":{"code":"content-moderated","message":"rejected"}}', ErrorKind.MODERATED),
        (403, f'{{"code":"permission-denied","error":"{SAFETY}"}}', ErrorKind.MODERATED),
        (403, '{"message":"temporary rejection"}', ErrorKind.ANTI_BOT),
        (429, '{"code":8,"message":"Too many requests","details":[]}', ErrorKind.RATE_LIMITED),
        (402, "{}", ErrorKind.RATE_LIMITED),
        (500, "oops", ErrorKind.UNAVAILABLE),
        (503, '{"error":{"code":14,"message":"temporarily unavailable"}}', ErrorKind.UNAVAILABLE),
        (404, "{}", ErrorKind.PROTOCOL),
        (204, "", ErrorKind.PROTOCOL),
    ],
)  # fmt: skip
def test_an_http_answer_is_classified(status: int, body: str, kind: ErrorKind) -> None:
    """Each answer that is not 200 has one meaning, and keeps its status."""
    error = http_failure(status, {}, body.encode())
    assert (error.kind, error.status) == (kind, status)


def test_a_message_is_quoted_and_html_is_not() -> None:
    """The caller reads what Grok said, shortened, but no web page."""
    assert str(http_failure(503, {}, b'{"error":{"message":"try later"}}')) == "Grok answered 503: try later"
    assert str(http_failure(403, {}, CHALLENGE.encode())) == "Grok answered 403"
    assert len(str(http_failure(500, {}, b'{"message":"' + b"x" * 5000 + b'"}'))) < 300


@pytest.mark.parametrize(
    ("header", "text", "seconds"),
    [
        ("37", "", 37),
        (None, "Resets in: 1h 2m 3s", 3723),
        (None, "", None),
        ("soon", "", None),
        ("-5", "", None),
        ("9" * 400, "", None),
        ("²", "", None),
        ("999999999", "", 172_800),
    ],
    ids=["seconds", "text", "nothing", "nonsense", "negative", "endless", "no digit", "years"],
)
def test_how_long_to_wait(header: str | None, text: str, seconds: float | None) -> None:
    """Waiting times are read from the header or the text, and nonsense is nothing."""
    assert retry_after_s(header, text) == seconds


def test_how_long_to_wait_as_a_date() -> None:
    """Retry-After may be a date; one in the past means now."""
    at = datetime.now(UTC) + timedelta(minutes=5)
    assert 290 <= (retry_after_s(format_datetime(at, usegmt=True)) or 0) <= 300
    assert retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0


@pytest.mark.parametrize("error", [None, "text", 5, [], {}, {"code": {}}, {"message": 5}], ids=repr)
def test_an_error_of_any_shape_is_an_error(error: object) -> None:
    """What we don't understand is a passing fault, never a crash."""
    assert stream_failure(error).kind is ErrorKind.UNAVAILABLE


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (3, "", ErrorKind.PROTOCOL),
        (4, "", ErrorKind.TIMEOUT),
        (7, "permission denied", ErrorKind.PROTOCOL),
        (7, BLOCKED, ErrorKind.BLOCKED_ACCOUNT),
        (7, "Request rejected by anti-bot rules.", ErrorKind.ANTI_BOT),
        (8, "", ErrorKind.RATE_LIMITED),
        (13, "", ErrorKind.PROTOCOL),
        (13, "Failed to look up session ID", ErrorKind.INVALID_CREDENTIAL),
        (14, "", ErrorKind.UNAVAILABLE),
        (16, "", ErrorKind.INVALID_CREDENTIAL),
        (16, BLOCKED, ErrorKind.BLOCKED_ACCOUNT),
        (99, "", ErrorKind.PROTOCOL),
    ],
)
def test_a_grpc_status_is_classified(code: int, message: str, kind: ErrorKind) -> None:
    """The words decide, then the code; the error keeps both and the status of HTTP."""
    grpc = GrpcStatus(code, message)
    error = grpc_failure(grpc, 200, {})
    assert (error.kind, error.status, error.grpc) == (kind, 200, grpc)
    assert message in str(error)
    assert str(code) in str(error)


def test_a_grpc_failure_may_say_how_long_to_wait() -> None:
    """Retry-After counts as with any refusal."""
    assert grpc_failure(GrpcStatus(8, ""), 200, {"retry-after": "37"}).retry_after_s == 37
