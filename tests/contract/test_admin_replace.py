"""All accounts replaced at once. Source: API contract, section 10."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from grok_app.catalog import Pool
from tests.contract.admin import GIVEN, account_of, employ, fresh
from tests.contract.wire import CHAT, ask, body, error_of
from tests.servers import Gateway, Sandbox, eventually


def pools_of(admin: httpx.Client) -> dict[str, list[str]]:
    """The tokens of each pool."""
    pools = admin.get("/tokens").raise_for_status().json()
    return {pool: [account["token"] for account in accounts] for pool, accounts in pools.items()}


def replace(admin: httpx.Client, pools: dict[str, Any]) -> dict[str, Any]:
    """Replace the pools; what was answered."""
    answer = admin.post("/tokens", json=pools)
    assert answer.status_code == 200, answer.text
    content = answer.json()
    assert content["status"] == "success"
    return dict(content)


def test_the_pools_are_what_was_sent(admin: httpx.Client) -> None:
    """Strings and objects, `sso=` or not; what is not sent is gone, a pool left out is emptied."""
    one, two, three, four = fresh("-1", "-2", "-3", "-4")
    employ(admin, fresh("-before"))
    employ(admin, fresh("-before", tier="super"), Pool.SUPER)
    items = [one, f"sso={two}", {"token": f"sso={three}; path=/", "colour": "red", "status_code": 5}]
    assert replace(admin, {"ssoBasic": items, "ssoSuper": [{"token": four}]})["skipped"] == []
    assert pools_of(admin) == {"ssoBasic": [one, two, three], "ssoSuper": [four]}
    assert "colour" not in account_of(admin, three)
    assert (account_of(admin, one)["quota"], account_of(admin, four)["quota"]) == (80, 140)

    replace(admin, {"ssoSuper": [four]})
    assert pools_of(admin) == {"ssoBasic": [], "ssoSuper": [four]}
    replace(admin, {})
    assert pools_of(admin) == {"ssoBasic": [], "ssoSuper": []}


def test_fields_not_given_keep_their_values(admin: httpx.Client) -> None:
    """As a bare string, as an object with the token alone, or with some fields."""
    [token] = fresh()
    replace(admin, {"ssoBasic": [{"token": token, **GIVEN}]})
    assert account_of(admin, token) == {"token": token, **GIVEN}

    for item in (token, f"sso={token}", {"token": token}):
        replace(admin, {"ssoBasic": [item]})
        assert account_of(admin, token) == {"token": token, **GIVEN}
    replace(admin, {"ssoBasic": [{"token": token, "note": "Another", "quota": 7, "tags": []}]})
    assert account_of(admin, token) == {"token": token, **GIVEN, "note": "Another", "quota": 7, "tags": []}


def test_what_was_listed_can_be_sent_back(admin: httpx.Client) -> None:
    """Nothing changes, whatever the states."""
    tokens = fresh("-1", "-2", "-3", "-4")
    statuses = ("active", "cooling", "expired", "disabled")
    items = [{"token": token, "status": status} for token, status in zip(tokens, statuses, strict=True)]
    replace(admin, {"ssoBasic": items[:2], "ssoSuper": items[2:]})
    listed = admin.get("/tokens").json()
    assert [account["status"] for pool in listed.values() for account in pool] == list(statuses)
    assert replace(admin, listed)["skipped"] == []
    assert admin.get("/tokens").json() == listed


def test_an_account_moves_with_its_values(admin: httpx.Client) -> None:
    """To another pool, in one step."""
    [token] = fresh()
    replace(admin, {"ssoBasic": [{"token": token, **GIVEN}]})
    replace(admin, {"ssoSuper": [token]})
    assert pools_of(admin) == {"ssoBasic": [], "ssoSuper": [token]}
    assert account_of(admin, token) == {"token": token, **GIVEN}


@pytest.mark.parametrize("pools", [("ssoBasic", "ssoBasic"), ("ssoBasic", "ssoSuper")], ids=["one pool", "two"])
def test_the_same_credential_is_one_account(admin: httpx.Client, pools: tuple[str, str]) -> None:
    """With `sso=` or without."""
    [token] = fresh()
    sent: dict[str, list[str]] = {}
    for pool, item in zip(pools, (token, f"sso={token}"), strict=True):
        sent.setdefault(pool, []).append(item)
    replace(admin, sent)
    assert [stored for tokens in pools_of(admin).values() for stored in tokens] == [token]


@pytest.mark.parametrize(
    "wrong",
    [
        5,
        None,
        "",
        "   ",
        "sso=",
        [],
        {},
        {"token": ""},
        {"token": 5},
        {"token": None},
        {"note": "no token"},
        "with spaces inside it, so no cookie",
        "line\nbreak-in-the-middle",
        "x" * 100_000,
    ],
    ids=lambda item: repr(item)[:30],
)
def test_an_item_that_is_no_account_is_skipped(admin: httpx.Client, wrong: Any) -> None:
    """It is named with a reason; all the others are taken over."""
    good, better = fresh("-1", "-2")
    [skipped] = replace(admin, {"ssoBasic": [good], "ssoSuper": [wrong, better]})["skipped"]
    assert skipped.keys() == {"pool", "token", "reason"}
    assert skipped["pool"] == "ssoSuper"
    assert isinstance(skipped["token"], str)
    assert skipped["reason"]
    assert pools_of(admin) == {"ssoBasic": [good], "ssoSuper": [better]}


@pytest.mark.parametrize(
    "field",
    [
        {"quota": "many"},
        {"quota": -1},
        {"status": "asleep"},
        {"use_count": []},
        {"created_at": "yesterday"},
        {"tags": "one"},
        {"tags": [1]},
        {"note": {}},
    ],
    ids=str,
)
def test_an_account_with_a_wrong_field_is_skipped(admin: httpx.Client, managed: Gateway, field: dict[str, Any]) -> None:
    """It is named masked, the field in its reason; the token stands neither there nor in the log."""
    [token] = fresh("-hidden-part-of-it")
    [skipped] = replace(admin, {"ssoBasic": [{"token": token, **field}]})["skipped"]
    assert token[:4] in skipped["token"]
    assert "hidden-part" not in str(skipped)
    assert next(iter(field)) in skipped["reason"]
    assert pools_of(admin)["ssoBasic"] == []
    assert token not in managed.process.log()


@pytest.mark.parametrize(
    ("sent", "param"),
    [
        ({"ssoHeavy": []}, "ssoHeavy"),
        ({"basic": ["some-token"]}, "basic"),
        ({"ssoBasic": "some-token"}, "ssoBasic"),
        ({"ssoBasic": {"token": "some-token"}}, "ssoBasic"),
        ({"ssoSuper": None}, "ssoSuper"),
        ({"ssoBasic": [], "ssoSuper": 5}, "ssoSuper"),
        ([], "body"),
        ("some-token", "body"),
        (None, "body"),
    ],
    ids=str,
)
def test_a_wrong_shape_is_refused_and_changes_nothing(admin: httpx.Client, sent: Any, param: str) -> None:
    """An unknown pool included: what it holds would be lost without a word."""
    employ(admin, fresh("-stays"))
    before = admin.get("/tokens").json()
    answer = admin.post("/tokens", json=sent)
    assert answer.status_code == 400
    error = error_of(answer)
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert "some-token" not in answer.text
    assert admin.get("/tokens").json() == before


def test_only_active_accounts_serve(admin: httpx.Client, managed: Gateway, sandbox: Sandbox, question: str) -> None:
    """The next request already obeys: neither the disabled nor the deleted is asked."""
    gone, off, good = fresh("-gone", "-off", "-good")
    employ(admin, [gone])
    replace(admin, {"ssoBasic": [{"token": off, "status": "disabled"}, good]})
    for number in range(4):
        ask(managed, f"{question} {number}", stream=False).raise_for_status()
    assert {entry["account"] for entry in sandbox.asked(question)} == {good}

    replace(admin, {"ssoBasic": [off]})
    answer = ask(managed, question, stream=False)
    assert answer.status_code == 429
    assert error_of(answer) == {
        "message": "No available tokens. Please try again later.",
        "type": "rate_limit_error",
        "param": None,
        "code": "rate_limit_exceeded",
    }
    assert account_of(admin, off)["status"] == "disabled"


def test_a_running_request_and_a_replacement_keep_each_other_s_changes(
    admin: httpx.Client, managed: Gateway, sandbox: Sandbox, question: str
) -> None:
    """What the answer cost is counted on what the operator has set meanwhile."""
    [token] = fresh()
    employ(admin, [token])
    with managed.http.stream("POST", CHAT, json=body(f"{question} @slow", stream=True)) as answer:
        eventually(lambda: sandbox.asked(question))
        replace(admin, {"ssoBasic": [{"token": token, "note": "Meanwhile", "use_count": 0}]})
        answer.read()
    account = eventually(lambda: (found := account_of(admin, token))["use_count"] and found)
    assert account
    assert (account["use_count"], account["quota"], account["note"]) == (1, 79, "Meanwhile")


def test_admins_who_add_at_the_same_time_lose_nothing(admin: httpx.Client) -> None:
    """Additions and deletions name what they change, and change nothing else."""
    employ(admin, [])
    tokens = fresh(*(f"-{number}" for number in range(24)))
    old = fresh("-old")
    admin.post("/tokens/add", json={"tokens": old}).raise_for_status()
    with ThreadPoolExecutor(8) as admins:
        added = [admins.submit(admin.post, "/tokens/add", json={"tokens": [token]}) for token in tokens]
        deleted = admins.submit(admin.post, "/tokens/delete", json={"tokens": old})
    assert [answer.result().json()["added"] for answer in added] == [1] * len(tokens)
    assert deleted.result().json() == {"status": "success", "deleted": 1}
    assert sorted(pools_of(admin)["ssoBasic"]) == sorted(tokens)


def test_ten_thousand_accounts_are_replaced_and_listed(admin: httpx.Client) -> None:
    """All of them, in the order that was sent."""
    tokens = fresh(*(f"-{number}" for number in range(10_000)))
    changed = replace(admin, {"ssoBasic": tokens})
    assert (changed["skipped"], len(pools_of(admin)["ssoBasic"])) == ([], 10_000)
    assert pools_of(admin)["ssoBasic"] == tokens
    replace(admin, {})
