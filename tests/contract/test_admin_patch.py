"""One account changed. Source: API contract, section 10."""

from typing import Any

import httpx
import pytest

from tests.conftest import ENDLESS
from tests.contract.admin import GIVEN, account_of, employ, fresh
from tests.contract.wire import ask, error_of
from tests.servers import Gateway


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"note": "Mine"}, {"note": "Mine"}),
        ({"tags": ["a", "b"]}, {"tags": ["a", "b"]}),
        ({"quota": 3}, {"quota": 3}),
        ({"status": "disabled"}, {"status": "disabled"}),
        ({"status": "expired", "note": "Old"}, {"status": "expired", "note": "Old"}),
        ({}, {}),
    ],
    ids=str,
)
def test_one_account_is_changed(admin: httpx.Client, change: dict[str, Any], shown: dict[str, Any]) -> None:
    """Just the fields that are given, of just this account, `sso=` or not."""
    token, other = fresh("-1", "-2")
    employ(admin, [{"token": token, **GIVEN}, {"token": other, **GIVEN}])
    answer = admin.patch("/tokens", json={"token": f"sso={token}", **change})
    assert answer.status_code == 200
    assert answer.json() == {"status": "success", "pool": "ssoBasic", "token": {"token": token, **GIVEN, **shown}}
    assert account_of(admin, token) == {"token": token, **GIVEN, **shown}
    assert account_of(admin, other) == {"token": other, **GIVEN}


def test_one_account_is_moved_disabled_and_brought_back(admin: httpx.Client, managed: Gateway, question: str) -> None:
    """A change is in force for the next request."""
    token = fresh(f"-{ENDLESS}", tier="super")[0]
    employ(admin, [token])
    admin.patch("/tokens", json={"token": token, "pool": "ssoSuper", "status": "disabled"}).raise_for_status()
    pools = admin.get("/tokens").json()
    assert (pools["ssoBasic"], [account["token"] for account in pools["ssoSuper"]]) == ([], [token])
    assert ask(managed, question, model="grok-4-heavy", stream=False).status_code == 429
    admin.patch("/tokens", json={"token": token, "status": "active"}).raise_for_status()
    assert ask(managed, question, model="grok-4-heavy", stream=False).status_code == 200


@pytest.mark.parametrize(
    ("change", "status", "param"),
    [
        ({"token": None, "note": "x"}, 400, "token"),
        ({"note": "x"}, 400, "token"),
        ({"quota": -1}, 400, "quota"),
        ({"quota": "many"}, 400, "quota"),
        ({"status": "asleep"}, 400, "status"),
        ({"pool": "ssoHeavy"}, 400, "pool"),
        ({"tags": "one"}, 400, "tags"),
        ({"note": 5}, 400, "note"),
        ({"colour": "red"}, 400, "colour"),
        ({"token": "nobody-has-this-one"}, 404, None),
    ],
    ids=str,
)
def test_a_wrong_change_of_one_account_changes_nothing(
    admin: httpx.Client, change: dict[str, Any], status: int, param: str | None
) -> None:
    """The error names the field, or says that there is no such account."""
    [token] = fresh()
    employ(admin, [token])
    before = admin.get("/tokens").json()
    sent = change if change.keys() & {"token"} or change == {"note": "x"} else {"token": token, **change}
    answer = admin.patch("/tokens", json=sent)
    error = error_of(answer)
    assert (answer.status_code, error["param"]) == (status, param)
    assert error["type"] == ("not_found_error" if status == 404 else "invalid_request_error")
    assert token not in answer.text
    assert "nobody-has" not in answer.text
    assert admin.get("/tokens").json() == before
