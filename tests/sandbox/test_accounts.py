"""Accounts: who is let in, and for how many requests."""

import pytest

from grok_app.catalog import Pool
from grok_app.sandbox import DEMO_ACCOUNTS
from grok_app.sandbox.accounts import Accounts

from .conftest import ADULT, BIRTH, CHAT, LIMITS, TERMS, Caller


@pytest.mark.parametrize(
    "cookie",
    ["", "sso=sandbox-a", "sso-rw=sandbox-a", "sso=sandbox-a; sso-rw=sandbox-b", "sso=real; sso-rw=real"],
    ids=["none", "only sso", "only sso-rw", "different", "unknown"],
)
@pytest.mark.parametrize("path", [CHAT, LIMITS, TERMS, BIRTH, ADULT])
async def test_both_cookies_must_name_one_sandbox_account(caller: Caller, cookie: str, path: str) -> None:
    """Anything else is the 401 of section 11.13."""
    response = await caller.http.post(path, json={"message": "a"}, headers={"cookie": cookie})
    assert response.status_code == 401
    assert "bad-credentials" in response.json()["error"]["message"]


@pytest.mark.parametrize(("pool", "token"), DEMO_ACCOUNTS)
async def test_demo_accounts_work_and_have_the_quota_of_their_pool(caller: Caller, pool: Pool, token: str) -> None:
    """80 for basic, 140 for super."""
    limits = (await caller.post("/rest/rate-limits", {"requestKind": "DEFAULT", "modelName": "grok-3"}, token)).json()
    assert limits == {
        "windowSizeSeconds": 72000 if pool is Pool.BASIC else 7200,
        "remainingQueries": 80 if pool is Pool.BASIC else 140,
        "totalQueries": 80 if pool is Pool.BASIC else 140,
        "lowEffortRateLimits": None,
        "highEffortRateLimits": None,
    }


async def test_a_spent_account_is_rate_limited(caller: Caller) -> None:
    """A high-cost request takes 4, a low one 1; what the quota doesn't cover is refused with a wait."""
    modes = ["MODEL_MODE_EXPERT", "MODEL_MODE_EXPERT", "MODEL_MODE_FAST", "MODEL_MODE_FAST"]
    responses = [await caller.chat("a", mode, "sandbox-basic-quota5-x") for mode in modes]
    assert [r.status_code for r in responses] == [200, 429, 200, 429]
    assert int(responses[-1].headers["retry-after"]) > 0


async def test_a_refused_request_costs_nothing(caller: Caller) -> None:
    """Only what is streamed takes from the quota."""
    await caller.chat("@429", account="sandbox-quota1")
    assert (await caller.chat("a", account="sandbox-quota1")).status_code == 200


async def test_heavy_needs_a_super_account(caller: Caller) -> None:
    """403 for basic."""
    response = await caller.chat("a", "MODEL_MODE_HEAVY", "sandbox-basic-1")
    assert (response.status_code, response.json()["code"]) == (403, 7)


@pytest.mark.parametrize("body", [None, [], {}, {"modelName": 1}, {"modelName": "gpt-9"}])
async def test_rate_limits_of_no_known_model_are_refused(caller: Caller, body: object) -> None:
    """400, as for a mode that the account doesn't know (section 11.16)."""
    assert (await caller.post("/rest/rate-limits", body)).status_code == 400


def test_a_quota_is_full_again_after_its_window() -> None:
    """Two hours for super."""
    now = 0.0
    accounts = Accounts(clock=lambda: now)
    account = accounts.find("sandbox-super-quota1")
    assert account
    assert accounts.spend(account, 1) is None
    assert accounts.spend(account, 1) == 7200
    now = 7200.0
    assert accounts.find("sandbox-super-quota1") is account
    assert account.remaining == 1


def test_remembered_accounts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The least recently used is forgotten."""
    monkeypatch.setattr("grok_app.sandbox.accounts.MAX_ACCOUNTS", 2)
    accounts = Accounts()
    for name in ("a", "b", "a", "c"):
        accounts.find(f"sandbox-{name}")
    assert [account.token for account in accounts.all()] == ["sandbox-a", "sandbox-c"]
