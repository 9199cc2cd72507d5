"""Headers of section 1 of the protocol notes, column [F]."""

import base64

import pytest
from pydantic import SecretStr

from grok_app.upstream import ErrorKind, GrokWebOptions, UpstreamError
from grok_app.upstream.grokweb.headers import accounts_headers, cookie, grpc_headers, json_headers, statsig_id


def as_dict(lines: list[bytes]) -> dict[str, str]:
    """Header lines by name; curl's way to send an empty one is `Name;`."""
    return {name: value for name, _, value in (line.decode().replace(";", ": ", 1 if line.endswith(b";") else 0).partition(": ") for line in lines)}  # fmt: skip  # noqa: E501 - one expression


def test_the_cookie_has_the_session_twice_and_the_clearance_last() -> None:
    """The exact text of section 1.1, without a blank before the clearance."""
    assert cookie("T", "") == "sso=T; sso-rw=T"
    assert cookie("T", "C") == "sso=T; sso-rw=T;cf_clearance=C"


@pytest.mark.parametrize("credential", ["T\r\nX-Evil: 1", "T\x00", "Tä"], ids=["line break", "zero", "umlaut"])
def test_a_credential_that_is_no_cookie_is_refused(credential: str) -> None:
    """Nothing but printable ASCII reaches a header, and the error doesn't repeat the credential."""
    with pytest.raises(UpstreamError) as raised:
        cookie(credential, "")
    assert raised.value.kind is ErrorKind.INVALID_CREDENTIAL
    assert credential not in str(raised.value)


def test_headers_are_those_of_the_epoch() -> None:
    """What a February 2026 page sends."""
    headers = as_dict(json_headers(GrokWebOptions(user_agent="UA"), "T"))
    assert headers["Origin"] == "https://grok.com"
    assert headers["Referer"] == "https://grok.com/"
    assert headers["Sec-Fetch-Site"] == "same-origin"
    assert headers["Sec-Ch-Ua-Model"] == ""
    assert headers["User-Agent"] == "UA"
    assert headers["Cookie"] == "sso=T; sso-rw=T"
    assert len(headers["x-xai-request-id"]) == 36


def test_grpc_headers_are_those_of_the_epoch() -> None:
    """A page's headers, but for the type, what gRPC-web adds, and no caching."""
    options = GrokWebOptions(user_agent="UA", cf_clearance=SecretStr("C"), dynamic_statsig=False)
    page = as_dict(json_headers(options, "T", referer_path="/?_s=data"))
    sent = as_dict(grpc_headers(options, "T", referer_path="/?_s=data"))
    assert sent.pop("x-xai-request-id") != page.pop("x-xai-request-id")
    assert sent == page | {
        "Cache-Control": "no-cache",
        "Content-Type": "application/grpc-web+proto",
        "Pragma": "no-cache",
        "x-grpc-web": "1",
        "x-user-agent": "connect-es/2.1.1",
    }


def test_the_account_service_gets_no_clearance() -> None:
    """Cloudflare's cookie is grok.com's; the other host is its own origin."""
    options = GrokWebOptions(cf_clearance=SecretStr("C"))
    headers = as_dict(accounts_headers(options, "T", referer_path="/accept-tos"))
    assert headers["Cookie"] == "sso=T; sso-rw=T"
    assert headers["Origin"] == "https://accounts.x.ai"
    assert headers["Referer"] == "https://accounts.x.ai/accept-tos"


def test_extra_headers_replace_ours() -> None:
    """An operator's header wins over ours of the same name, in any case, and is sent once."""
    options = GrokWebOptions(extra_headers={"baggage": "mine", "X-New": "1"}, cf_clearance=SecretStr("C"))
    lines = json_headers(options, "T")
    names = [line.partition(b":")[0].lower() for line in lines]
    assert names.count(b"baggage") == 1
    assert as_dict(lines)["baggage"] == "mine"
    assert as_dict(lines)["X-New"] == "1"


def test_each_request_has_its_own_id() -> None:
    """x-xai-request-id is fresh per call."""
    first, second = (as_dict(json_headers(GrokWebOptions(), "T"))["x-xai-request-id"] for _ in range(2))
    assert first != second


@pytest.mark.parametrize("dynamic", [True, False], ids=["dynamic", "fixed"])
def test_statsig_is_an_error_message_in_base64(dynamic: bool) -> None:
    """Both forms of section 1.5 decode to a TypeError's text."""
    text = base64.b64decode(statsig_id(dynamic=dynamic)).decode()
    assert text.startswith("e:TypeError: Cannot read properties of ")
    if not dynamic:
        assert text.endswith("undefined (reading 'childNodes')")
