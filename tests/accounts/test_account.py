"""The rules of an account's life."""

from dataclasses import replace

import pytest
from pydantic import SecretStr

from grok_app.accounts import Account, Status
from grok_app.accounts.account import COOL_DOWN_S, SPENT, cool_down, note_failure, recover, reject, succeed, sync
from grok_app.catalog import Pool

NOW = 1_800_000_000_000


def account(status: Status = Status.ACTIVE, quota: int = 10, fail_count: int = 0) -> Account:
    """An account in this state."""
    credential = SecretStr("T")
    return Account(1, Pool.BASIC, credential, status, quota, fail_count=fail_count)


def test_success_takes_quota_and_forgets_failures() -> None:
    """An answer costs what the model costs; earlier refusals are forgiven."""
    after = succeed(account(fail_count=3), 4, NOW)
    assert (after.quota, after.use_count, after.fail_count, after.last_used_at_ms) == (6, 1, 0, NOW)
    assert after.status is Status.ACTIVE


def test_an_empty_account_rests() -> None:
    """Spending the last of the quota begins the usual rest; quota never falls below nothing."""
    after = succeed(account(quota=3), 4, NOW)
    assert (after.status, after.quota) == (Status.COOLING, 0)
    assert after.cooling_until_ms == NOW + COOL_DOWN_S * 1000


@pytest.mark.parametrize(
    ("wait_s", "rest_ms"),
    [(37.0, 37_000), (None, COOL_DOWN_S * 1000), (0.0, COOL_DOWN_S * 1000)],
    ids=["told", "not told", "told nonsense"],
)
def test_a_rate_limit_lets_it_rest_as_long_as_grok_says(wait_s: float | None, rest_ms: int) -> None:
    """The rest is as long as asked for, or the usual one."""
    after = cool_down(account(), wait_s, "Too many requests", NOW)
    assert (after.status, after.quota, after.cooling_until_ms) == (Status.COOLING, 0, NOW + rest_ms)
    assert after.cooling_reason == "Too many requests"


def test_a_rest_is_never_shortened() -> None:
    """What Grok dictated stands, whatever a request that ran beside it has to report."""
    resting = cool_down(account(), 7200, "", NOW)
    assert succeed(resting, 1, NOW).cooling_until_ms == resting.cooling_until_ms
    assert cool_down(resting, 1, "", NOW).cooling_until_ms == resting.cooling_until_ms


def test_it_wakes_when_its_rest_is_over() -> None:
    """Not a moment before, and with its pool's quota."""
    resting = cool_down(account(), 10, "", NOW)
    assert recover(resting, NOW + 9_999) is resting
    awake = recover(resting, NOW + 10_000)
    assert (awake.status, awake.quota, awake.cooling_until_ms) == (Status.ACTIVE, 80, 0)
    assert awake.cooling_reason is None


def test_refusals_in_a_row_expire_it() -> None:
    """The threshold's refusal is the last."""
    once = reject(account(), "bad-credentials", 2, NOW)
    assert (once.status, once.fail_count, once.last_fail_reason) == (Status.ACTIVE, 1, "bad-credentials")
    assert reject(once, "again", 2, NOW).status is Status.EXPIRED


def test_an_answer_revives_an_expired_account() -> None:
    """Grok has just taken the credential, whatever was refused beside it."""
    after = succeed(account(Status.EXPIRED, fail_count=5), 1, NOW)
    assert (after.status, after.fail_count) == (Status.ACTIVE, 0)


@pytest.mark.parametrize("status", [Status.ACTIVE, Status.COOLING, Status.EXPIRED])
def test_told_quota_wakes_and_forgives(status: Status) -> None:
    """An account that Grok says has something left serves again, with just that."""
    before = replace(account(status, fail_count=4), cooling_until_ms=NOW + 9)
    after = sync(before, 30, 7200, NOW)
    assert (after.status, after.quota, after.cooling_until_ms, after.fail_count) == (Status.ACTIVE, 30, 0, 0)
    assert after.last_sync_at_ms == NOW


@pytest.mark.parametrize(("window_s", "rest_s"), [(7200, 7200), (None, COOL_DOWN_S)], ids=["told", "not told"])
def test_no_quota_left_is_a_rest_until_the_window_ends(window_s: int | None, rest_s: int) -> None:
    """Also for one that was resting longer: Grok knows best."""
    after = sync(cool_down(account(), 99_999, "", NOW), 0, window_s, NOW)
    assert (after.status, after.cooling_until_ms) == (Status.COOLING, NOW + rest_s * 1000)
    assert after.cooling_reason == SPENT


def test_disabled_stays_disabled() -> None:
    """Only the operator wakes what the operator has put to sleep."""
    off = account(Status.DISABLED)
    assert cool_down(off, 1, "", NOW) is off
    assert recover(off, NOW) is off
    assert reject(off, "x", 1, NOW).status is Status.DISABLED
    assert succeed(off, 99, NOW).status is Status.DISABLED
    assert (sync(off, 7, None, NOW).status, sync(off, 7, None, NOW).quota) == (Status.DISABLED, 7)


def test_reasons_are_short_and_the_credential_is_hidden() -> None:
    """What is stored of a failure has a limit; a repr never shows the credential."""
    assert len(note_failure(account(), "x" * 999, NOW).last_fail_reason or "") == 200
    assert note_failure(account(), "a\x00b", NOW).last_fail_reason == "a b"
    secret = Account(id=1, pool=Pool.BASIC, credential=SecretStr("hunter2"), status=Status.ACTIVE, quota=1)
    assert "hunter2" not in repr(secret)
