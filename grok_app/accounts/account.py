"""An account and the rules that change it: pure functions of the account, the event and the time."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from pydantic import SecretStr

from grok_app.catalog import DEFAULT_QUOTA, Pool

COOL_DOWN_S: Final = 900
"""How long an account rests when Grok doesn't say. Source: protocol notes, section 2.10.3, [A]."""
REASON_LIMIT_CHARS: Final = 200
SPENT: Final = "The quota is spent"


class Status(StrEnum):
    """Whether an account can be asked."""

    ACTIVE = "active"
    COOLING = "cooling"
    EXPIRED = "expired"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Account:
    """A sign-in at Grok. The credential is no part of its repr."""

    id: int
    pool: Pool
    credential: SecretStr
    status: Status
    quota: int
    cooling_until_ms: int = 0
    cooling_reason: str | None = None
    use_count: int = 0
    fail_count: int = 0
    """401s in a row."""
    last_used_at_ms: int | None = None
    last_fail_at_ms: int | None = None
    last_fail_reason: str | None = None
    created_at_ms: int = 0
    last_sync_at_ms: int | None = None
    """When Grok last told the quota."""
    last_asset_clear_at_ms: int | None = None
    tags: tuple[str, ...] = ()
    note: str = ""


def succeed(account: Account, cost: int, now_ms: int) -> Account:
    """Count an answer: quota is taken, failures are forgotten, an empty account rests.

    An expired account that answers is active again: Grok has just taken its credential.
    """
    quota = max(0, account.quota - cost)
    status = Status.ACTIVE if account.status is Status.EXPIRED else account.status
    used = replace(
        account, status=status, quota=quota, use_count=account.use_count + 1, fail_count=0, last_used_at_ms=now_ms
    )
    return used if quota or status is not Status.ACTIVE else cool_down(used, None, SPENT, now_ms)


def cool_down(account: Account, wait_s: float | None, reason: str, now_ms: int) -> Account:
    """Let an account rest with no quota, as long as Grok asked for or the usual time; a longer rest stays."""
    if account.status not in (Status.ACTIVE, Status.COOLING):
        return account
    until = now_ms + int((wait_s or COOL_DOWN_S) * 1000)  # "wait 0 seconds" is no advice after a refusal
    return replace(
        account,
        status=Status.COOLING,
        quota=0,
        cooling_until_ms=max(until, account.cooling_until_ms),
        cooling_reason=shorten(reason),
    )


def recover(account: Account, now_ms: int) -> Account:
    """Wake an account whose rest is over. Its quota is taken to be the pool's default until a refresh knows better."""
    if account.status is not Status.COOLING or account.cooling_until_ms > now_ms:
        return account
    return _wake(account, DEFAULT_QUOTA[account.pool])


def sync(account: Account, remaining: int, window_s: int | None, now_ms: int) -> Account:
    """Take over the quota that Grok told. It takes the credential, so failures are forgotten.

    With quota left the account is active, be it resting or expired before; without it rests until Grok's window ends.
    Disabled stays disabled.
    """
    told = replace(account, last_sync_at_ms=now_ms, fail_count=0)
    if account.status is Status.DISABLED:
        return replace(told, quota=remaining)
    awake = _wake(told, remaining)
    return awake if remaining else cool_down(awake, window_s, SPENT, now_ms)


def reject(account: Account, reason: str, threshold: int, now_ms: int) -> Account:
    """Count a refused credential; as many in a row as the threshold says expire the account."""
    failed = replace(note_failure(account, reason, now_ms), fail_count=account.fail_count + 1)
    is_over = failed.fail_count >= threshold and failed.status in (Status.ACTIVE, Status.COOLING)
    return replace(failed, status=Status.EXPIRED, cooling_until_ms=0, cooling_reason=None) if is_over else failed


def note_failure(account: Account, reason: str, now_ms: int) -> Account:
    """Remember why the account failed last, for the operator to see."""
    return replace(account, last_fail_at_ms=now_ms, last_fail_reason=shorten(reason))


def shorten(reason: str) -> str:
    """A reason as it can be stored: it may hold what Grok said, and that anything. PostgreSQL takes no NUL."""
    return "".join(c if c.isprintable() else " " for c in reason[:REASON_LIMIT_CHARS])


def _wake(account: Account, quota: int) -> Account:
    return replace(account, status=Status.ACTIVE, quota=quota, cooling_until_ms=0, cooling_reason=None)
