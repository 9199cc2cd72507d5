"""An account and the rules that change it: pure functions of the account, the event and the time."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from pydantic import SecretStr

from grok_app.catalog import DEFAULT_QUOTA, Pool

COOL_DOWN_S: Final = 900
"""How long an account rests when Grok doesn't say. Source: protocol notes, section 2.10.3, [A]."""
REASON_LIMIT_CHARS: Final = 200


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
    """Count an answer: quota is taken, failures are forgotten, an empty account rests."""
    quota = max(0, account.quota - cost)
    used = replace(account, quota=quota, use_count=account.use_count + 1, fail_count=0, last_used_at_ms=now_ms)
    return cool_down(used, None, now_ms) if not quota and used.status is Status.ACTIVE else used


def cool_down(account: Account, wait_s: float | None, now_ms: int) -> Account:
    """Let an account rest with no quota, as long as Grok asked for or the usual time; a longer rest stays."""
    if account.status not in (Status.ACTIVE, Status.COOLING):
        return account
    until = now_ms + int((wait_s if wait_s is not None else COOL_DOWN_S) * 1000)
    return replace(account, status=Status.COOLING, quota=0, cooling_until_ms=max(until, account.cooling_until_ms))


def recover(account: Account, now_ms: int) -> Account:
    """Wake an account whose rest is over. Its quota is taken to be the pool's default until a refresh knows better."""
    if account.status is not Status.COOLING or account.cooling_until_ms > now_ms:
        return account
    return replace(account, status=Status.ACTIVE, quota=DEFAULT_QUOTA[account.pool], cooling_until_ms=0)


def reject(account: Account, reason: str, threshold: int, now_ms: int) -> Account:
    """Count a refused credential; as many in a row as the threshold says expire the account."""
    failed = replace(
        account, fail_count=account.fail_count + 1, last_fail_at_ms=now_ms, last_fail_reason=_short(reason)
    )
    is_over = failed.fail_count >= threshold and failed.status in (Status.ACTIVE, Status.COOLING)
    return replace(failed, status=Status.EXPIRED) if is_over else failed


def note_failure(account: Account, reason: str, now_ms: int) -> Account:
    """Remember why the account failed last, for the operator to see."""
    return replace(account, last_fail_at_ms=now_ms, last_fail_reason=_short(reason))


def _short(reason: str) -> str:
    # What Grok said may hold anything; PostgreSQL takes no NUL.
    return "".join(c if c.isprintable() else " " for c in reason[:REASON_LIMIT_CHARS])
