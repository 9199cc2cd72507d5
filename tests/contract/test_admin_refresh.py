"""Quotas asked for, at once or as a task. Source: API contract, section 10; protocol notes, section 6.1."""

from typing import Any

import httpx
import pytest

from grok_app.catalog import Pool
from tests.conftest import KEYS, QUICK_RETRIES, GatewayFactory
from tests.contract.admin import (
    PREFIXES,
    account_of,
    employ,
    fresh,
    operator,
    outcome,
    set_up,
    start,
    watch,
)
from tests.contract.wire import ask, error_of
from tests.servers import Gateway, Sandbox

BASIC_WINDOW_S = 72_000
"""The sandbox's. Source: protocol notes, section 6.4."""


def refresh(admin: httpx.Client, *tokens: str) -> dict[str, bool]:
    """Ask for these; for which Grok told."""
    answer = admin.post("/tokens/refresh", json={"tokens": tokens})
    assert answer.status_code == 200
    content = answer.json()
    assert content.keys() == {"status", "results"}
    assert content["status"] == "success"
    return dict(content["results"])


def test_the_quota_is_what_grok_tells(admin: httpx.Client, managed: Gateway, question: str) -> None:
    """`remainingTokens` where there is one, else `remainingQueries`; and when it was told."""
    queries, tokens = fresh("-quota7", "-quota9-@limits-tokens")
    employ(admin, [queries, tokens])
    assert account_of(admin, queries)["last_sync_at"] is None
    for number in range(4):
        ask(managed, f"{question} {number}", stream=False).raise_for_status()

    assert refresh(admin, queries, tokens) == {queries: True, tokens: True}
    one, other = account_of(admin, queries), account_of(admin, tokens)
    assert one["quota"] + other["quota"] == 7 + 9 - 4
    assert (one["quota"] + one["use_count"], other["quota"] + other["use_count"]) == (7, 9)
    for account in (one, other):
        assert account["status"] == "active"
        assert account["created_at"] <= account["last_sync_at"]


@pytest.mark.parametrize("form", ["token", "tokens", "both", "twice", "sso="])
def test_accounts_are_named_in_any_form(admin: httpx.Client, form: str) -> None:
    """As one, as a list, or both; the results have the names that were given."""
    one, other = fresh("-1-quota5", "-2-quota6")
    employ(admin, [one, other])
    forms: dict[str, dict[str, Any]] = {
        "token": {"token": one},
        "tokens": {"tokens": [one]},
        "both": {"token": one, "tokens": [other]},
        "twice": {"token": one, "tokens": [one, one]},
        "sso=": {"token": f"sso={one}"},
    }
    sent = forms[form]
    results = admin.post("/tokens/refresh", json=sent).raise_for_status().json()["results"]
    assert results == dict.fromkeys([*([sent["token"]] if "token" in sent else []), *sent.get("tokens", [])], True)
    assert account_of(admin, one)["quota"] == 5
    assert account_of(admin, other)["quota"] == (6 if form == "both" else 80)


@pytest.mark.parametrize(
    "word", ["limits-401", "limits-429", "limits-500", "limits-null", "limits-empty", "limits-garbage", "limits-hang"]
)
def test_an_account_that_fails_stops_no_other(admin: httpx.Client, word: str) -> None:
    """It is false in the results and keeps its quota; silence ends after `usage.timeout`."""
    bad, good = fresh(f"-@{word}", "-quota7")
    employ(admin, [bad, good])
    assert refresh(admin, bad, good, "nobody-has-this-one") == {bad: False, good: True, "nobody-has-this-one": False}
    account = account_of(admin, bad)
    assert (account["quota"], account["last_sync_at"]) == (80, None)
    assert account["fail_count"] == (1 if word == "limits-401" else 0)
    assert account["status"] == "active"
    assert account_of(admin, good)["quota"] == 7


def test_refused_credentials_are_counted_until_the_account_is_expired(
    admin: httpx.Client, managed: Gateway, question: str
) -> None:
    """`token.fail_threshold` refusals in a row expire it; an expired account isn't asked any more."""
    [token] = fresh("-@limits-401")
    employ(admin, [token])
    seen = []
    for _ in range(3):
        assert refresh(admin, token) == {token: False}
        account = account_of(admin, token)
        seen.append((account["fail_count"], account["status"]))
        assert account["last_fail_at"] >= account["created_at"]
        assert "401" in account["last_fail_reason"]
    assert seen[:2] == [(1, "active"), (2, "expired")]
    assert seen[2][1] == "expired"
    assert ask(managed, question, stream=False).status_code == 429


def test_an_expired_account_whose_credential_is_taken_again_is_active(
    admin: httpx.Client, managed: Gateway, question: str
) -> None:
    """Its failures are forgotten, and it serves."""
    [token] = fresh("-quota7")
    admin.post("/tokens", json={"ssoBasic": [{"token": token, "status": "expired", "fail_count": 2}]})
    assert refresh(admin, token) == {token: True}
    account = account_of(admin, token)
    assert (account["status"], account["quota"], account["fail_count"]) == ("active", 7, 0)
    assert ask(managed, question, stream=False).status_code == 200


def test_a_disabled_account_stays_disabled(admin: httpx.Client, managed: Gateway, question: str) -> None:
    """What is left is learnt, but it serves only when the operator says so."""
    [token] = fresh("-quota7")
    admin.post("/tokens", json={"ssoBasic": [{"token": token, "status": "disabled"}]})
    assert refresh(admin, token) == {token: True}
    account = account_of(admin, token)
    assert (account["status"], account["quota"]) == ("disabled", 7)
    assert ask(managed, question, stream=False).status_code == 429


def test_an_account_with_nothing_left_rests(admin: httpx.Client, managed: Gateway, question: str) -> None:
    """Asked for, told zero: a success, and the account cools down; callers learn when to come back."""
    [token] = fresh("-@limits-zero")
    employ(admin, [token])
    assert refresh(admin, token) == {token: True}
    account = account_of(admin, token)
    assert (account["status"], account["quota"]) == ("cooling", 0)

    answer = ask(managed, question, stream=False)
    assert answer.status_code == 429
    assert error_of(answer) == {
        "message": "No available tokens. Please try again later.",
        "type": "rate_limit_error",
        "param": None,
        "code": "rate_limit_exceeded",
    }
    assert BASIC_WINDOW_S - 60 < int(answer.headers["retry-after"]) <= BASIC_WINDOW_S


def test_a_resting_account_with_quota_again_serves_again(admin: httpx.Client, managed: Gateway, question: str) -> None:
    """One refresh wakes it, long before its rest would have ended."""
    [token] = fresh("-quota7-@once-limits-zero")
    employ(admin, [token])
    refresh(admin, token)
    assert account_of(admin, token)["status"] == "cooling"
    refresh(admin, token)
    account = account_of(admin, token)
    assert (account["status"], account["quota"]) == ("active", 7)
    assert ask(managed, question, stream=False).status_code == 200


def test_a_request_that_finds_every_account_resting_has_them_asked(
    make_gateway: GatewayFactory, sandbox: Sandbox, question: str
) -> None:
    """It is served by the one that has quota again, instead of failing at once."""
    [token] = fresh("-quota7-@once-limits-zero")
    gateway = make_gateway({Pool.BASIC: (token,)}, {**KEYS, **QUICK_RETRIES})
    with operator(gateway, PREFIXES[0]) as admin:
        assert refresh(admin, token) == {token: True}
        assert account_of(admin, token)["status"] == "cooling"
        ask(gateway, question, stream=False).raise_for_status()
        assert [entry["account"] for entry in sandbox.asked(question)] == [token]
        assert account_of(admin, token)["status"] == "active"


@pytest.mark.parametrize("path", ["/tokens/refresh", "/tokens/refresh/async"])
@pytest.mark.parametrize(
    ("sent", "param"),
    [
        ({}, None),
        ({"tokens": []}, None),
        ({"token": ""}, None),
        ({"token": None, "tokens": None}, None),
        ({"tokens": "one"}, "tokens"),
        ({"tokens": [1]}, "tokens.0"),
        ({"token": 1}, "token"),
        ([], "body"),
    ],
    ids=str,
)
def test_a_body_that_names_no_account_is_refused(admin: httpx.Client, path: str, sent: Any, param: str | None) -> None:
    """Never are all accounts meant by naming none."""
    answer = admin.post(path, json=sent)
    assert answer.status_code == 400
    error = error_of(answer)
    assert error["type"] == "invalid_request_error"
    if param:
        assert error["param"] == param
    else:
        assert (error["message"], error["code"]) == ("No tokens provided", "invalid_value")


def test_a_refresh_can_be_watched_to_its_end(admin: httpx.Client) -> None:
    """Each item with its reason where it failed; the result is the answer that one would have waited for."""
    good, bad, slow = fresh("-quota7", "-@limits-500", "-@limits-hang")
    employ(admin, [good, bad, slow])
    task_id, total = start(admin, "/tokens/refresh/async", {"tokens": [good, bad, slow]})
    assert total == 3
    story = watch(admin, task_id)
    last = story[-1]
    assert (last["type"], last["processed"], last["ok"], last["fail"]) == ("done", 3, 1, 2)
    assert last["result"]["status"] == "success"
    assert last["result"]["results"] == {good: True, bad: False, slow: False}
    failed = [event for event in story if event["type"] == "progress" and "error" in event]
    assert failed, "the silent account is still asked when the watcher comes"
    for event in story[:-1]:
        assert not {good, bad, slow} & {event.get("item")}, "items are named masked"
    assert account_of(admin, good)["quota"] == 7


def test_a_hundred_accounts_are_refreshed_in_batches(admin: httpx.Client) -> None:
    """More than `usage.concurrent` at once: all are asked, the bad ones among them stop nothing."""
    set_up(admin, usage__concurrent=5, usage__batch_size=20)
    tokens = fresh(*("-@limits-500" if number % 10 == 0 else f"-quota{number}" for number in range(100)))
    employ(admin, tokens)
    result = outcome(admin, "/tokens/refresh/async", {"tokens": tokens})
    set_up(admin, usage__concurrent=100, usage__batch_size=50)
    assert result["summary"] == {"total": 100, "ok": 90, "fail": 10}
    assert result["results"] == {token: number % 10 != 0 for number, token in enumerate(tokens)}
    quotas = {account["token"]: account["quota"] for account in admin.get("/tokens").json()["ssoBasic"]}
    assert quotas == {token: number if number % 10 else 80 for number, token in enumerate(tokens)}
