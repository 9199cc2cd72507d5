"""Changes to an account's own settings. Sections 7, 11.15 and 11.18 of the protocol notes, epoch [F]."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from grok_app.upstream import (
    ErrorKind,
    GrokWeb,
    GrokWebOptions,
    GrpcStatus,
    SetupReply,
    UpstreamError,
    open_grokweb,
)
from tests.servers import Sandbox
from tests.upstream.wire import answer, chunk, grok

Step = Callable[[GrokWeb], Awaitable[SetupReply]]
SUCCESS = bytes.fromhex("0000000000800000000f677270632d7374617475733a300d0a")
DENIED = bytes.fromhex(
    "8000000031677270632d7374617475733a370d0a677270632d6d6573736167653a7065726d697373696f6e25323064656e6965640d0a"
)
LOCKED = (
    b'{"code":8,"message":"Birth date is locked once set. Contact support if you need to update it. '
    b'[WKE=account:birth-date-change-limit-reached]","details":[]}'
)
GRPC_HEADERS = {
    "cache-control": "no-cache",
    "content-type": "application/grpc-web+proto",
    "pragma": "no-cache",
    "x-grpc-web": "1",
    "x-user-agent": "connect-es/2.1.1",
}


def accept_terms(client: GrokWeb) -> Awaitable[SetupReply]:
    """The first step."""
    return client.accept_terms("T")


def set_birth_date(client: GrokWeb) -> Awaitable[SetupReply]:
    """The second step."""
    return client.set_birth_date("T", date(2000, 1, 2))


def show_adult_content(client: GrokWeb) -> Awaitable[SetupReply]:
    """The third step."""
    return client.show_adult_content("T")


STEPS = pytest.mark.parametrize("step", [accept_terms, set_birth_date, show_adult_content])
GRPC_STEPS = pytest.mark.parametrize("step", [accept_terms, show_adult_content])


async def test_terms_are_accepted_at_the_account_service() -> None:
    """Host, path, headers and bytes are the terms page's; grok.com's clearance stays at home."""
    unused = {"base_url": "http://127.0.0.1:9", "cf_clearance": SecretStr("C")}
    async with grok(answer(200, SUCCESS), **unused) as at:
        assert await at.client.accept_terms("T") == SetupReply(200, GrpcStatus(0, ""))
    [asked] = at.asked
    assert asked.line == "POST /auth_mgmt.AuthManagement/SetTosAcceptedVersion HTTP/1.1"
    assert asked.body.hex() == "00000000021001"
    assert asked.headers.items() >= GRPC_HEADERS.items()
    assert asked.headers["origin"] == at.origin
    assert asked.headers["referer"] == f"{at.origin}/accept-tos"
    assert asked.headers["cookie"] == "sso=T; sso-rw=T"


async def test_the_date_of_birth_is_the_given_one() -> None:
    """Path, headers and body are the page's; the time of the day is fixed."""
    async with grok(answer(200, b"{}"), accounts_url="http://127.0.0.1:9", cf_clearance=SecretStr("C")) as at:
        assert await at.client.set_birth_date("T", date(1987, 6, 5)) == SetupReply(200, None)
    [asked] = at.asked
    assert asked.line == "POST /rest/auth/set-birth-date HTTP/1.1"
    assert orjson.loads(asked.body) == {"birthDate": "1987-06-05T16:00:00.000Z"}
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["origin"] == at.origin
    assert asked.headers["referer"] == f"{at.origin}/?_s=home"
    assert asked.headers["cookie"] == "sso=T; sso-rw=T;cf_clearance=C"


async def test_adult_content_is_switched_on() -> None:
    """Path, headers and bytes are the settings page's."""
    async with grok(answer(200, SUCCESS), accounts_url="http://127.0.0.1:9", cf_clearance=SecretStr("C")) as at:
        assert await at.client.show_adult_content("T") == SetupReply(200, GrpcStatus(0, ""))
    [asked] = at.asked
    assert asked.line == "POST /auth_mgmt.AuthManagement/UpdateUserFeatureControls HTTP/1.1"
    assert asked.body.hex() == "00000000200a021001121a0a18616c776179735f73686f775f6e7366775f636f6e74656e74"
    assert asked.headers.items() >= GRPC_HEADERS.items()
    assert asked.headers["origin"] == at.origin
    assert asked.headers["referer"] == f"{at.origin}/?_s=data"
    assert asked.headers["cookie"] == "sso=T; sso-rw=T;cf_clearance=C"


@pytest.mark.parametrize(
    ("said", "http_status"),
    [(answer(200), 200), (b"HTTP/1.1 204 X\r\n\r\n", 204), (answer(201, b"yes"), 201), (answer(429, LOCKED), 429)],
    ids=["200", "204", "any 2xx", "set before"],
)
async def test_a_date_of_birth_that_is_set_is_success(said: bytes, http_status: int) -> None:
    """Any 2xx, and the refusal to change one that was set before."""
    async with grok(said) as at:
        assert await at.client.set_birth_date("T", date(2000, 1, 2)) == SetupReply(http_status, None)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (answer(429, b'{"code":8,"message":"Too many requests"}'), ErrorKind.RATE_LIMITED),
        (answer(400, LOCKED), ErrorKind.PROTOCOL),
    ],
    ids=["other 429", "other status"],
)
async def test_only_that_refusal_means_set_before(said: bytes, kind: ErrorKind) -> None:
    """It takes the status and the words."""
    async with grok(said) as at:
        with pytest.raises(UpstreamError) as raised:
            await at.client.set_birth_date("T", date(2000, 1, 2))
    assert raised.value.kind is kind


@GRPC_STEPS
@pytest.mark.parametrize(
    "said",
    [
        answer(200, SUCCESS),
        answer(200, b"AAAAAACAAAAAD2dycGMtc3RhdHVzOjANCg==", content_type="application/grpc-web-text"),
        answer(200, grpc_status="0"),
        answer(200),
    ],
    ids=["body", "base64", "headers", "nothing"],
)
async def test_success_comes_in_several_forms(step: Step, said: bytes) -> None:
    """The status may stand in the body, in its base64, in the headers or nowhere."""
    async with grok(said) as at:
        assert await step(at.client) == SetupReply(200, GrpcStatus(0, ""))


@GRPC_STEPS
@pytest.mark.parametrize(
    "said",
    [
        answer(200, DENIED),
        answer(200, grpc_status="7", grpc_message="permission%20denied"),
        b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"
        + chunk(bytes(5))
        + b"0\r\ngrpc-status: 7\r\ngrpc-message: permission%20denied\r\n\r\n",
    ],
    ids=["body", "headers", "HTTP trailers"],
)
async def test_a_grpc_failure_says_how_the_call_ended(step: Step, said: bytes) -> None:
    """The error has both statuses, from wherever gRPC's came."""
    async with grok(said) as at:
        with pytest.raises(UpstreamError, match="permission denied") as raised:
            await step(at.client)
    assert raised.value.grpc == GrpcStatus(7, "permission denied")
    assert (raised.value.kind, raised.value.status) == (ErrorKind.PROTOCOL, 200)


@GRPC_STEPS
async def test_a_malformed_answer_is_no_success(step: Step) -> None:
    """A web page with 200 isn't a yes."""
    async with grok(answer(200, b"<!doctype html>", content_type="text/html")) as at:
        with pytest.raises(UpstreamError, match="malformed") as raised:
            await step(at.client)
    assert (raised.value.kind, raised.value.status) == (ErrorKind.PROTOCOL, 200)


@STEPS
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, ErrorKind.INVALID_CREDENTIAL),
        (403, ErrorKind.ANTI_BOT),
        (429, ErrorKind.RATE_LIMITED),
        (503, ErrorKind.UNAVAILABLE),
    ],
)
async def test_a_refusal_keeps_its_status(step: Step, status: int, kind: ErrorKind) -> None:
    """What HTTP refuses is classified as anywhere."""
    async with grok(answer(status, b"{}")) as at:
        with pytest.raises(UpstreamError) as raised:
            await step(at.client)
    assert (raised.value.kind, raised.value.status, raised.value.grpc) == (kind, status, None)


@STEPS
@pytest.mark.parametrize(
    ("said", "options", "kind"),
    [
        (b"", {"setup_timeout_s": 0.1}, ErrorKind.TIMEOUT),
        (answer(200, bytes(65_537)), {}, ErrorKind.PROTOCOL),
    ],
    ids=["silence", "too long"],
)
async def test_an_answer_has_limits(step: Step, said: bytes, options: dict[str, Any], kind: ErrorKind) -> None:
    """Time is limited by `setup_timeout_s`, size by 64 KiB."""
    async with grok(said, **options) as at:
        with pytest.raises(UpstreamError) as raised:
            await step(at.client)
    assert raised.value.kind is kind


async def test_the_sandbox_sets_an_account_up_twice(sandbox: Sandbox) -> None:
    """The three steps succeed, and again on an account that has taken them."""
    options = GrokWebOptions(base_url=sandbox.url, accounts_url=sandbox.url)
    async with open_grokweb(lambda: options) as client:
        for http_status in (200, 429):
            assert await client.accept_terms("sandbox-basic-setup") == SetupReply(200, GrpcStatus(0, ""))
            birth_date = await client.set_birth_date("sandbox-basic-setup", date(2000, 1, 2))
            assert birth_date == SetupReply(http_status, None)
            assert await client.show_adult_content("sandbox-basic-setup") == SetupReply(200, GrpcStatus(0, ""))


@pytest.mark.parametrize(
    ("word", "kind", "code"),
    [
        ("7", ErrorKind.PROTOCOL, 7),
        ("7-bare", ErrorKind.PROTOCOL, 7),
        ("7-header", ErrorKind.PROTOCOL, 7),
        ("8", ErrorKind.RATE_LIMITED, 8),
        ("16", ErrorKind.INVALID_CREDENTIAL, 16),
        ("garbage", ErrorKind.PROTOCOL, None),
        ("compressed", ErrorKind.PROTOCOL, None),
        ("cut", ErrorKind.PROTOCOL, None),
        ("401", ErrorKind.INVALID_CREDENTIAL, None),
    ],
)
async def test_the_sandbox_refuses_on_request(sandbox: Sandbox, word: str, kind: ErrorKind, code: int | None) -> None:
    """Each failure of the simulated account service is understood."""
    options = GrokWebOptions(accounts_url=sandbox.url)
    async with open_grokweb(lambda: options) as client:
        with pytest.raises(UpstreamError) as raised:
            await client.accept_terms(f"sandbox-basic-refused@terms-{word}")
    assert raised.value.kind is kind
    assert (raised.value.grpc.code if raised.value.grpc else None) == code
