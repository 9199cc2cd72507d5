"""Accounts through the operator's API. Source: API contract, section 10."""

from collections.abc import Generator

import httpx
import pytest

from grok_app.catalog import Pool
from tests.conftest import APP_KEY, ENDLESS, KEYS, QUICK_RETRIES, GatewayFactory
from tests.contract.wire import ask, error_of
from tests.servers import Gateway

FIELDS = {
    "token", "status", "quota", "created_at", "last_used_at", "use_count", "fail_count", "last_fail_at",
    "last_fail_reason", "last_sync_at", "tags", "note", "last_asset_clear_at",
}  # fmt: skip
TOKEN = f"sandbox-basic-admin-{ENDLESS}"


@pytest.fixture
def managed(make_gateway: GatewayFactory) -> Gateway:
    """A gateway of its own, so that its accounts can be changed."""
    return make_gateway({Pool.SUPER: (f"sandbox-super-managed-{ENDLESS}",)}, {**KEYS, **QUICK_RETRIES})


@pytest.fixture(params=["/v1/admin", "/api/v1/admin"])
def admin(managed: Gateway, request: pytest.FixtureRequest) -> Generator[httpx.Client]:
    """A client of the operator, at each prefix."""
    headers = {"Authorization": f"Bearer {APP_KEY}"}
    with httpx.Client(base_url=f"{managed.url}{request.param}", headers=headers) as client:
        yield client


def tokens_of(admin: httpx.Client, pool: Pool) -> list[str]:
    """The tokens of this pool."""
    return [account["token"] for account in admin.get("/tokens").json()[pool]]


def test_an_account_is_added_used_and_deleted(admin: httpx.Client, managed: Gateway, question: str) -> None:
    """An added account serves at once; a deleted one never again; both answers count what was done."""
    added = admin.post("/tokens/add", json={"tokens": [f"sso={TOKEN}; path=/", TOKEN, "no good"], "pool": "ssoBasic"})
    assert added.status_code == 200
    skipped = added.json().pop("skipped")
    assert added.json() | {"skipped": []} == {"status": "success", "added": 1, "duplicates": 1, "skipped": []}
    assert [(item["pool"], item["token"]) for item in skipped] == [("ssoBasic", "…")]

    ask(managed, question, model="grok-3", stream=False).raise_for_status()
    [account] = admin.get("/tokens").json()["ssoBasic"]
    assert account.keys() == FIELDS
    assert (account["token"], account["status"], account["quota"], account["use_count"]) == (TOKEN, "active", 79, 1)
    assert account["created_at"] <= account["last_used_at"]
    assert (account["tags"], account["note"]) == ([], "")

    deleted = admin.post("/tokens/delete", json={"tokens": [TOKEN, "unknown-token"]})
    assert deleted.json() == {"status": "success", "deleted": 1}
    assert tokens_of(admin, Pool.BASIC) == []
    assert len(tokens_of(admin, Pool.SUPER)) == 1


@pytest.mark.parametrize(
    ("path", "body", "param", "code"),
    [
        ("/tokens/add", {"tokens": "one"}, "tokens", "list_type"),
        ("/tokens/add", {"tokens": [1]}, "tokens.0", "string_type"),
        ("/tokens/add", {"tokens": [], "pool": "ssoHeavy"}, "pool", "enum"),
        ("/tokens/delete", {}, "tokens", "missing"),
    ],
    ids=["no list", "no text", "no pool", "nothing"],
)
def test_a_bad_body_names_the_field_and_changes_nothing(
    admin: httpx.Client, path: str, body: dict[str, object], param: str, code: str
) -> None:
    """The operator learns what is wrong, in the shape of every error."""
    before = admin.get("/tokens").json()
    answer = admin.post(path, json=body)
    assert answer.status_code == 400
    assert (error_of(answer)["param"], error_of(answer)["code"]) == (param, code)
    assert admin.get("/tokens").json() == before


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nobody_else_sees_or_changes_accounts(managed: Gateway, method: str) -> None:
    """An API key is no operator's key, and neither is none."""
    path = "/v1/admin/tokens" if method == "GET" else "/v1/admin/tokens/add"
    assert managed.http.request(method, path, json={"tokens": [TOKEN]}).status_code == 401
    assert managed.stranger.request(method, path, json={"tokens": [TOKEN]}).status_code == 401
