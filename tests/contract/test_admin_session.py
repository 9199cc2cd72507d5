"""The console's session, which opens what the operator's key opens. Source: API contract, sections 2 and 3."""

from http.cookies import SimpleCookie
from typing import Any, Final

import httpx
import pytest

from tests.contract.admin import (
    GUARDED,
    OTHER_ORIGIN,
    PREFIXES,
    SESSION,
    bearer,
    is_in,
    sign_in,
    visitor,
)
from tests.contract.wire import error_of
from tests.servers import Gateway

SESSION_S: Final = 12 * 60 * 60
INVALID: Final = "Invalid authentication token"
MISSING: Final = "Missing authentication token"


def test_the_cookie_is_kept_from_scripts_and_other_sites(browser: httpx.Client, key: str) -> None:
    """HttpOnly, SameSite=Lax, twelve hours, for the whole site; and it says nothing of the key."""
    answer = sign_in(browser, key)
    assert answer.status_code == 200
    assert answer.json()["status"] == "success"
    [morsel] = SimpleCookie(answer.headers["set-cookie"]).values()
    assert (morsel["path"], morsel["max-age"], morsel["domain"]) == ("/", str(SESSION_S), "")
    assert (morsel["httponly"], morsel["samesite"].lower(), morsel["secure"]) == (True, "lax", "")
    assert key not in answer.text + morsel.value
    assert morsel.value not in answer.text


@pytest.mark.parametrize(("proto", "is_secure"), [("https", True), ("http", False)])
def test_the_cookie_is_secure_on_https(browser: httpx.Client, key: str, proto: str, is_secure: bool) -> None:
    """As the trusted proxy says."""
    answer = browser.post(SESSION, json={"app_key": key}, headers={"X-Forwarded-Proto": proto})
    assert ("; secure" in answer.headers["set-cookie"].lower()) is is_secure


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_session_opens_what_the_key_opens(browser: httpx.Client, key: str, prefix: str) -> None:
    """Reading and changing at both prefixes, wherever one has signed in; but not what takes API keys."""
    path = f"{prefix}/session"
    assert browser.get(path).status_code == 401
    browser.post(path, json={"app_key": key}).raise_for_status()
    assert browser.get(path).status_code == 200
    assert all(is_in(browser, f"{other}/tokens") for other in PREFIXES)
    assert browser.post(f"{prefix}/tokens/delete", json={"tokens": ["nobody"]}).json()["deleted"] == 0
    assert browser.get(f"{prefix}/batch/nobody/stream").status_code == 404
    assert browser.get("/v1/models").status_code == 401
    assert browser.get("/v1/public/verify").status_code == 401


@pytest.mark.parametrize("prefix", PREFIXES)
def test_signing_out_revokes_the_session(browser: httpx.Client, guarded: Gateway, key: str, prefix: str) -> None:
    """Also for whoever holds a copy of the cookie; other sessions go on."""
    sign_in(browser, key)
    with visitor(guarded) as thief, visitor(guarded) as colleague:
        thief.cookies.update(browser.cookies)
        sign_in(colleague, key)
        assert is_in(thief)
        answer = browser.delete(f"{prefix}/session")
        assert (answer.status_code, answer.json()) == (200, {"status": "success"})
        assert not browser.cookies
        assert not is_in(browser)
        assert not is_in(thief)
        assert is_in(colleague)
    assert browser.delete(f"{prefix}/session").status_code == 200


@pytest.mark.parametrize(
    "forge",
    [
        lambda value: value[:-1] + ("0" if value[-1] != "0" else "1"),
        lambda value: ("B" if value[0] != "B" else "C") + value[1:],
        lambda value: value + "0",
        lambda value: value.partition(".")[0],
        lambda _: "x" * 4000,
        lambda _: "",
    ],
    ids=["signature", "id", "longer", "unsigned", "long", "empty"],
)
def test_a_forged_cookie_opens_nothing(browser: httpx.Client, key: str, forge: Any) -> None:
    """Whatever is changed of it."""
    sign_in(browser, key)
    [(name, value)] = browser.cookies.items()
    browser.cookies.clear()
    browser.cookies.set(name, forge(value))
    assert not is_in(browser)


def test_a_key_that_is_shown_decides(browser: httpx.Client, key: str) -> None:
    """A wrong one isn't mended by a session."""
    sign_in(browser, key)
    assert browser.get("/v1/admin/verify", headers=bearer("wrong")).status_code == 401
    assert browser.get("/v1/admin/verify", headers=bearer(key)).status_code == 200


@pytest.mark.parametrize(
    ("sent", "status", "told"),
    [
        ({"app_key": "wrong-5f1c"}, 401, INVALID),
        ({"app_key": ""}, 401, MISSING),
        ({}, 400, "app_key"),
        ({"app_key": 51}, 400, "app_key"),
        ({"app_key": ["wrong-5f1c"]}, 400, "app_key"),
        ([], 400, "body"),
        ({"app_key": "x" * 100_000}, 413, None),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_wrong_sign_in_says_why(
    browser: httpx.Client, guarded: Gateway, sent: Any, status: int, told: str | None
) -> None:
    """In its message or by the field's name; there is no cookie, and what was shown is not repeated."""
    answer = browser.post(SESSION, json=sent)
    error = error_of(answer)
    assert answer.status_code == status
    assert error["message" if status == 401 else "param"] == told
    assert "set-cookie" not in answer.headers
    assert "wrong-5f1c" not in answer.text + guarded.process.log()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "https://sibling.example"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": OTHER_ORIGIN, "Sec-Fetch-Site": "cross-site"}, 200),
        ({}, 200),
    ],
    ids=str,
)
def test_another_site_s_page_changes_nothing(
    browser: httpx.Client, key: str, headers: dict[str, str], status: int
) -> None:
    """Neither signs in or out, nor changes anything with the cookie that the browser sends along."""
    assert browser.post(SESSION, json={"app_key": key}, headers=headers).status_code == status
    sign_in(browser, key)
    changes = [
        browser.post("/v1/admin/config", json={}, headers=headers),
        browser.post("/api/v1/admin/tokens/delete", json={"tokens": []}, headers=headers),
        browser.post("/v1/admin/tokens/refresh", json={"token": "nobody"}, headers=headers),
        browser.patch("/v1/admin/tokens", json={"token": GUARDED}, headers=headers),
        browser.delete(SESSION, headers=headers),
    ]
    assert [answer.status_code for answer in changes] == [status] * len(changes)
    assert is_in(browser) is (status == 403)
    if status == 403:
        for answer in changes:
            assert error_of(answer)["type"] == "permission_error"


def test_another_site_s_page_with_the_key_is_welcome(browser: httpx.Client, key: str) -> None:
    """Who knows the key needs no cookie, and is no page that was led here."""
    headers = {**bearer(key), "Origin": "https://evil.example"}
    assert browser.post("/v1/admin/config", json={}, headers=headers).status_code == 200


def test_a_new_operator_s_key_ends_every_session(guarded: Gateway, browser: httpx.Client, key: str) -> None:
    """The old key and all that was opened with it are worth nothing with the next request."""
    sign_in(browser, key)
    changed = browser.post("/v1/admin/config", json={"app.app_key": "another-operator-key"})
    assert changed.status_code == 200
    try:
        assert not is_in(browser)
        assert browser.get(SESSION).status_code == 401
        assert sign_in(browser, key).status_code == 401
        assert sign_in(browser, "another-operator-key").status_code == 200
        assert is_in(browser)
    finally:
        with visitor(guarded) as operator:
            operator.post(
                "/v1/admin/config", json={"app.app_key": key}, headers=bearer("another-operator-key")
            ).raise_for_status()
    assert not is_in(browser)
