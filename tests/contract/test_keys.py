"""Who may call. Source: API contract, section 2."""

import re

import httpx
import pytest

from grok_app.catalog import Pool
from tests.conftest import API_KEY, APP_KEY, ENDLESS, OTHER_API_KEY, PUBLIC_KEY, GatewayFactory
from tests.contract.wire import CHAT, body, error_of
from tests.servers import Gateway

MISSING = "Missing authentication token"
INVALID = "Invalid authentication token"


@pytest.mark.parametrize("key", [API_KEY, OTHER_API_KEY], ids=["the first", "the second"])
@pytest.mark.parametrize(
    ("header", "scheme"), [("Authorization", "Bearer "), ("authorization", "bearer "), ("x-api-key", "")]
)
def test_each_of_several_keys_opens_the_door(gateway: Gateway, header: str, scheme: str, key: str) -> None:
    """`app.api_key` may hold several keys; each works, as a bearer token and as `x-api-key`."""
    assert gateway.stranger.get("/v1/models", headers={header: f"{scheme}{key}"}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, MISSING),
        ({"Authorization": "Bearer"}, MISSING),
        ({"Authorization": "Basic dXNlcjpwYXNz"}, MISSING),
        ({"Authorization": "Bearer wrong"}, INVALID),
        ({"x-api-key": "wrong"}, INVALID),
        ({"Authorization": f"Bearer {API_KEY}, {OTHER_API_KEY}"}, INVALID),
        ({"Authorization": f"Bearer {API_KEY}x"}, INVALID),
        ({"Authorization": f"Bearer {APP_KEY}"}, INVALID),
        ({"Authorization": "Bearer clé"}, INVALID),
    ],
    ids=["none", "blank", "basic", "wrong", "wrong x-api-key", "the whole list", "longer", "admin's", "not ASCII"],
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/models"), ("GET", "/grok/v1/models/grok-3"), ("POST", CHAT)], ids=str
)
def test_a_caller_without_a_key_is_told_so(
    gateway: Gateway, method: str, path: str, headers: dict[str, str], message: str
) -> None:
    """Without the right key there is a 401 that says what is wrong, before anything else is looked at."""
    answer = gateway.stranger.request(
        method, path, headers=httpx.Headers(headers, encoding="utf-8"), content=b"not looked at"
    )

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert error_of(answer) == {
        "message": message,
        "type": "authentication_error",
        "param": None,
        "code": "invalid_api_key",
    }


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer whatever"}], ids=["none", "any"])
def test_an_empty_key_means_no_check(changed: Gateway, headers: dict[str, str]) -> None:
    """An operator who sets the key to nothing lets everyone in."""
    answer = changed.stranger.post(CHAT, json=body("Hello"), headers=headers)

    assert answer.status_code == 200


@pytest.mark.parametrize("prefix", ["/v1", "/api/v1"])
@pytest.mark.parametrize(("surface", "key"), [("admin", APP_KEY), ("public", PUBLIC_KEY)])
def test_verify_tells_the_right_key_from_others(gateway: Gateway, prefix: str, surface: str, key: str) -> None:
    """Each surface has a key of its own, and a route that only says whether it is right."""
    path = f"{prefix}/{surface}/verify"
    right = gateway.stranger.get(path, headers={"Authorization": f"Bearer {key}"})
    missing = gateway.stranger.get(path)
    wrong = gateway.stranger.get(path, headers={"Authorization": f"Bearer {API_KEY}"})

    assert (right.status_code, right.json()) == (200, {"status": "success"})
    assert (missing.status_code, error_of(missing)["message"]) == (401, MISSING)
    assert (wrong.status_code, error_of(wrong)["message"]) == (401, INVALID)


def test_without_an_operators_key_there_is_no_operator(changed: Gateway) -> None:
    """An empty `app.app_key` closes the admin surface: no key is right."""
    for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Bearer x"}):
        answer = changed.http.get("/v1/admin/verify", headers=httpx.Headers(headers))

        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert error_of(answer)["message"] == "App key is not configured"


def test_without_a_public_key_the_studio_is_open(changed: Gateway) -> None:
    """An empty `app.public_key` lets every visitor in."""
    assert changed.http.get("/v1/public/verify").status_code == 200


def test_a_fresh_install_is_closed_and_prints_its_keys(make_gateway: GatewayFactory) -> None:
    """Where no key was ever set, each is made and shown at the first start: nothing is open before someone saw it."""
    gateway = make_gateway({Pool.BASIC: (f"sandbox-basic-fresh-{ENDLESS}",)}, {})
    printed = dict(
        re.findall(r"^ +(Operator's key|API key|Public key) +(\S{43})$", gateway.process.log(), re.MULTILINE)
    )
    routes = {
        "API key": "/v1/models",
        "Operator's key": "/v1/admin/verify",
        "Public key": "/v1/public/verify",
    }

    assert len(set(printed.values())) == len(routes)
    for name, path in routes.items():
        assert gateway.http.get(path).status_code == 401
        assert gateway.http.get(path, headers={"Authorization": f"Bearer {printed[name]}"}).status_code == 200


def test_keys_and_tokens_stay_out_of_the_log(gateway: Gateway, question: str) -> None:
    """Whatever goes wrong, the log names no key and no account's token."""
    for word in ("@401", "@429", "@500", "@late-error"):
        gateway.http.post(CHAT, json=body(f"{question} {word}", stream=False))
    gateway.stranger.get("/v1/models", headers={"Authorization": "Bearer wrong-key-of-a-caller"})

    log = gateway.process.log()
    assert "upstream failed" in log
    for secret in (API_KEY, OTHER_API_KEY, APP_KEY, PUBLIC_KEY, "sandbox-basic", "sandbox-super", "wrong-key"):
        assert secret not in log
