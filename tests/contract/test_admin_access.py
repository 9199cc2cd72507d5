"""Who is the operator, and how long wrong keys make an address wait. Source: API contract, sections 2 and 3."""

import re
from typing import Final

import httpx
import pytest

from grok_app.catalog import Pool
from tests.conftest import API_KEY, GatewayFactory
from tests.contract.admin import (
    PREFIXES,
    bearer,
    is_in,
    sign_in,
    visitor,
)
from tests.contract.wire import error_of
from tests.servers import Gateway, eventually

FREE_FAILURES: Final = 5
INVALID: Final = "Invalid authentication token"
MISSING: Final = "Missing authentication token"
ROUTES: Final = [
    ("GET", "/verify"),
    ("GET", "/storage"),
    ("GET", "/config"),
    ("POST", "/config"),
    ("GET", "/tokens"),
    ("POST", "/tokens"),
    ("PATCH", "/tokens"),
    ("POST", "/tokens/add"),
    ("POST", "/tokens/delete"),
    ("POST", "/tokens/refresh"),
    ("POST", "/tokens/refresh/async"),
    ("POST", "/tokens/nsfw/enable"),
    ("POST", "/tokens/nsfw/enable/async"),
    ("GET", "/batch/nobody/stream"),
    ("POST", "/batch/nobody/cancel"),
]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[f"{method} {path}" for method, path in ROUTES])
def test_every_route_is_the_operator_s_alone(
    browser: httpx.Client, key: str, method: str, path: str, prefix: str
) -> None:
    """Whatever the body: without the operator's key as a bearer token there is only a 401 that says what is wrong."""
    for headers, message in (
        ({}, MISSING),
        ({"x-api-key": key}, MISSING),
        (bearer("wrong"), INVALID),
        (bearer(API_KEY), INVALID),
    ):
        for path_as_sent in (path, f"{path}/"):
            answer = browser.request(method, f"{prefix}{path_as_sent}", headers=headers, content=b"not looked at")
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            expected = {"message": message, "type": "authentication_error", "param": None, "code": "invalid_api_key"}
            assert error_of(answer) == expected


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[f"{method} {path}" for method, path in ROUTES])
def test_a_trailing_slash_is_accepted(browser: httpx.Client, key: str, method: str, path: str, prefix: str) -> None:
    """It answers as without, and never redirects; a body of broken JSON changes nothing meanwhile."""
    answers = [
        browser.request(method, f"{prefix}{path}{slash}", headers=bearer(key), content=b"{").status_code
        for slash in ("", "/")
    ]
    assert answers[0] == answers[1]
    assert answers[0] in {200, 400, 404}


@pytest.mark.parametrize("path", ["/tokens/add", "/config", "/session", "/tokens/refresh"])
def test_a_wrong_method_is_an_error_like_any_other(browser: httpx.Client, path: str) -> None:
    """405, as JSON."""
    answer = browser.put(f"/v1/admin{path}", json={})
    assert answer.status_code == 405
    error = error_of(answer)
    assert (error["type"], error["code"]) == ("invalid_request_error", "method_not_allowed")


@pytest.mark.parametrize("is_bearer", [False, True], ids=["sign-in", "bearer"])
def test_wrong_keys_make_an_address_wait(guarded: Gateway, key: str, is_bearer: bool) -> None:
    """After five in a row: even the right key is refused, elsewhere it opens; a session that there is goes on."""

    def show(client: httpx.Client, shown: str) -> httpx.Response:
        if is_bearer:
            return client.get("/v1/admin/tokens", headers=bearer(shown))
        return sign_in(client, shown)

    with visitor(guarded) as guesser, visitor(guarded) as other:
        neighbour = httpx.Client(base_url=guarded.url, headers=guesser.headers, timeout=10)
        sign_in(neighbour, key).raise_for_status()
        assert [show(guesser, "wrong").status_code for _ in range(FREE_FAILURES)] == [401] * FREE_FAILURES
        for shown in ("wrong", key):
            answer = show(guesser, shown)
            assert answer.status_code == 429
            assert error_of(answer)["type"] == "rate_limit_error"
            assert int(answer.headers["retry-after"]) >= 1
        assert sign_in(guesser, key).status_code == 429
        assert guesser.get("/v1/admin/config", headers=bearer(key)).status_code == 429
        assert show(other, key).status_code == 200
        assert is_in(neighbour)
        neighbour.close()


def test_waits_grow_and_the_right_key_ends_them(browser: httpx.Client, key: str) -> None:
    """Each wrong key after a wait makes the next one longer; the right one forgets them all."""
    for _ in range(FREE_FAILURES):
        sign_in(browser, "wrong")
    first = int(sign_in(browser, "wrong").headers["retry-after"])
    eventually(lambda: sign_in(browser, "wrong").status_code == 401, within_s=first + 3)
    second = int(sign_in(browser, "wrong").headers["retry-after"])
    assert second > first
    eventually(lambda: sign_in(browser, key).status_code == 200, within_s=second + 3)
    assert [sign_in(browser, "wrong").status_code for _ in range(FREE_FAILURES)] == [401] * FREE_FAILURES


def test_calls_without_a_key_cost_nothing(browser: httpx.Client, key: str) -> None:
    """Nobody is kept out by a page that wasn't signed in."""
    for _ in range(3 * FREE_FAILURES):
        assert not is_in(browser)
    assert sign_in(browser, key).status_code == 200


def test_an_address_that_nobody_vouches_for_is_not_believed(make_gateway: GatewayFactory) -> None:
    """A guesser doesn't get more tries by writing other addresses into a header."""
    gateway = make_gateway({Pool.BASIC: ()}, {"app.app_key": "the-key", "app.api_key": "", "app.public_key": ""})
    answers = []
    for _ in range(FREE_FAILURES + 1):
        with visitor(gateway) as guesser:
            answers.append(sign_in(guesser, "wrong").status_code)
    assert answers == [401] * FREE_FAILURES + [429]


def test_keys_and_cookies_stay_out_of_the_log(guarded: Gateway, browser: httpx.Client, key: str) -> None:
    """The printed key of the first start is the only exception, once."""
    sign_in(browser, key)
    sign_in(browser, "guessed-5f1c")
    is_in(browser)
    [(_, cookie)] = browser.cookies.items()
    log = guarded.process.log()
    assert len(re.findall(re.escape(key), log)) == 1
    assert cookie not in log
    assert cookie.partition(".")[0] not in log
    assert "guessed-5f1c" not in log
