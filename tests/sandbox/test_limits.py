"""What the quota call says, and how it fails on request."""

from typing import Any

import pytest

from grok_app.sandbox.call_faults import QUOTA

from .conftest import LIMITS, Caller

NOT_CHAT = [word.name for word in QUOTA if word.name != "limits-hang"]


async def test_the_quota_agrees_with_what_chat_took(caller: Caller) -> None:
    """1 for a low-cost answer, 4 for a high-cost one, nothing for a refused one."""
    for message, mode in (("a", "MODEL_MODE_FAST"), ("a", "MODEL_MODE_EXPERT"), ("@429", "MODEL_MODE_FAST")):
        await caller.chat(message, mode)
    assert (await caller.limits()).json()["remainingQueries"] == 75
    assert (await caller.state_of())["remaining"] == 75


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("limits-tokens", {"remainingTokens": 79}),
        (
            "limits-zero",
            {
                "windowSizeSeconds": 72000,
                "remainingQueries": 0,
                "totalQueries": 80,
                "lowEffortRateLimits": None,
                "highEffortRateLimits": None,
            },
        ),
        (
            "limits-null",
            {
                "windowSizeSeconds": 72000,
                "remainingQueries": None,
                "remainingTokens": None,
                "totalQueries": 80,
                "lowEffortRateLimits": None,
                "highEffortRateLimits": None,
            },
        ),
        ("limits-empty", {}),
        ("limits-zero@limits-tokens", {"remainingTokens": 0}),
        ("limits-tokens@limits-zero", {"remainingTokens": 0}),
    ],
)
async def test_a_word_changes_the_form_of_the_answer(caller: Caller, words: str, expected: dict[str, Any]) -> None:
    """The numbers stay those of the account unless the word says otherwise."""
    account = f"sandbox-basic-1-@{words}"
    await caller.chat("a", account=account)
    response = await caller.limits(account)
    assert (response.status_code, response.json()) == (200, expected)


@pytest.mark.parametrize(
    ("name", "status", "part"),
    [
        ("limits-401", 401, "[WKE=unauthenticated:bad-credentials]"),
        ("limits-429", 429, '{"code":8,"message":"Too many requests","details":[]}'),
        ("limits-500", 500, '{"error":{"code":13,'),
        ("limits-garbage", 200, "<!doctype html>"),
    ],
)
async def test_a_word_makes_the_call_fail(caller: Caller, name: str, status: int, part: str) -> None:
    """Sections 2.10.1 and 11.13; garbage is a page where JSON should be."""
    response = await caller.limits(f"sandbox-basic-1-@{name}")
    assert response.status_code == status
    assert part in response.text
    assert ("retry-after" in response.headers) == (status == 429)


@pytest.mark.parametrize("name", ["limits-tokens", "limits-zero", "limits-null"])
async def test_an_unknown_model_is_refused_whatever_the_form(caller: Caller, name: str) -> None:
    """A word changes successes only."""
    response = await caller.post(LIMITS, {"modelName": "gpt-9"}, f"sandbox-basic-1-@{name}")
    assert (response.status_code, response.json()["code"]) == (400, 3)


@pytest.mark.parametrize("name", NOT_CHAT)
async def test_a_word_of_the_quota_leaves_other_calls_alone(caller: Caller, name: str) -> None:
    """Neither chat nor the setup of the account notices it."""
    account = f"sandbox-basic-1-@{name}"
    answers = [await caller.chat("a", account=account)]
    answers += [await step(account) for step in (caller.terms, caller.birth, caller.adult)]
    assert [response.status_code for response in answers] == [200] * 4
    assert (await caller.state_of(account))["remaining"] == 79
