"""An account as the page shows it: what fits into a line, and no credential."""

import dataclasses
from typing import Final

from grok_app.accounts import Account, Status, Totals, mask
from grok_app.catalog import DEFAULT_QUOTA

_NOTE_CHARS: Final = 80
_TAG_CHARS: Final = 24
_MOST_TAGS: Final = 4


@dataclasses.dataclass(slots=True)
class Row:
    """One line of the table."""

    id: int
    token: str
    """Masked."""
    pool: str
    status: str
    reason: str
    """Why the account rests or failed last; empty where there is none."""
    rests_until_ms: int
    """0: it doesn't rest."""
    quota: int
    full: int
    """What fills the bar: what a fresh account of its pool has, or more."""
    calls: int
    last_used_ms: int
    """0: never."""
    tags: list[str]
    more_tags: int
    note: str


@dataclasses.dataclass
class Cards:
    """The numbers above the table, ready to read."""

    total: str = "0"
    active: str = "0"
    cooling: str = "0"
    invalid: str = "0"
    chat_quota: str = "0"
    image_quota: str = "0"
    calls: str = "0"


def row_of(account: Account) -> Row:
    """The account in a line; long texts are cut."""
    is_resting = account.status is Status.COOLING
    return Row(
        id=account.id,
        token=masked(account),
        pool=account.pool,
        status=account.status,
        reason=(account.cooling_reason if is_resting else account.last_fail_reason) or "",
        rests_until_ms=account.cooling_until_ms if is_resting else 0,
        quota=account.quota,
        full=max(account.quota, DEFAULT_QUOTA[account.pool]),
        calls=account.use_count,
        last_used_ms=account.last_used_at_ms or 0,
        tags=[_cut(tag, _TAG_CHARS) for tag in account.tags[:_MOST_TAGS]],
        more_tags=max(0, len(account.tags) - _MOST_TAGS),
        note=_cut(account.note, _NOTE_CHARS),
    )


def cards_of(totals: Totals) -> Cards:
    """The numbers with their thousands apart."""
    return Cards(
        total=f"{totals.total:,}",
        active=f"{totals.active:,}",
        cooling=f"{totals.cooling:,}",
        invalid=f"{totals.expired:,}",
        chat_quota=f"{totals.chat_quota:,}",
        image_quota=f"{totals.image_quota:,}",
        calls=f"{totals.calls:,}",
    )


def masked(account: Account) -> str:
    """The account's name for people."""
    return mask(account.credential.get_secret_value())


def _cut(text: str, limit_chars: int) -> str:
    return text if len(text) <= limit_chars else f"{text[: limit_chars - 1]}…"
