"""An account as it is imported, edited and exported: the fields that users of grok2api know.

Source: API contract, section 10.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from grok_app.accounts.account import Account, Status, cool_down, shorten
from grok_app.accounts.credential import normalize
from grok_app.catalog import DEFAULT_QUOTA
from grok_app.errors import InvalidRequestError

_QUOTA_LIMIT: Final = 1_000_000
_COUNT_LIMIT: Final = 1_000_000_000
"""Half of what a column holds, so that counting on never breaks a write."""
_TIME_LIMIT_MS: Final = 2**53
_NOTE_LIMIT_CHARS: Final = 2_000
_IMPORTED_AT_REST: Final = "It was resting when it was imported"
_NO_QUOTA: Final = "It was given no quota"

_MomentMs = Annotated[int | None, Field(ge=0, le=_TIME_LIMIT_MS)]
_Count = Annotated[int, Field(ge=0, le=_COUNT_LIMIT)]
_Tag = Annotated[str, Field(min_length=1, max_length=50)]
Tags = Annotated[tuple[_Tag, ...], Field(max_length=50), BeforeValidator(lambda value: () if value is None else value)]
Note = Annotated[
    str,
    Field(max_length=_NOTE_LIMIT_CHARS, pattern=r"^[^\x00]*$"),
    BeforeValidator(lambda value: "" if value is None else value),
]
Quota = Annotated[int, Field(ge=0, le=_QUOTA_LIMIT)]


class Record(BaseModel):
    """One account without its token. A field that is not given, or null, says nothing; unknown ones are dropped."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    status: Status = Status.ACTIVE
    quota: Quota = 0
    created_at: _MomentMs = None
    last_used_at: _MomentMs = None
    use_count: _Count = 0
    fail_count: _Count = 0
    last_fail_at: _MomentMs = None
    last_fail_reason: str | None = None
    last_sync_at: _MomentMs = None
    tags: Tags = ()
    note: Note = ""
    last_asset_clear_at: _MomentMs = None

    def given(self) -> dict[str, Any]:
        """The fields that were given."""
        return self.model_dump(exclude_unset=True)


_MOMENTS: Final = ("last_used_at", "last_fail_at", "last_sync_at", "last_asset_clear_at")
"""What may be null: it has never happened."""
_GROWING: Final = {
    "use_count": "use_count",
    "last_used_at": "last_used_at_ms",
    "last_fail_at": "last_fail_at_ms",
    "last_sync_at": "last_sync_at_ms",
    "last_asset_clear_at": "last_asset_clear_at_ms",
}
"""What requests count up meanwhile, and must not lose to a list that was read before."""
_IN_FORMS: Final = ("quota", "note", "tags")
_COMMAS: Final = re.compile("[,\uff0c\u3001\n]")
"""Chinese ones too."""
_PLAIN: Final = ("quota", "fail_count", "tags", "note")


def read_item(item: object) -> tuple[str, Record]:
    """The token and the fields of one item of a list, `"<token>"` or `{"token": "<token>", …}`.

    Raises:
        InvalidRequestError: It is no account; the message says why and quotes nothing.
    """
    if isinstance(item, str):
        return normalize(item), Record()
    if not isinstance(item, dict) or not isinstance(token := item.get("token"), str):
        raise InvalidRequestError("An item is a token, or an object with one", code="invalid_token")
    return normalize(token), read_fields({key: item[key] for key in item if _says_something(key, item)})


def read_fields(given: Mapping[str, Any]) -> Record:
    """The fields of an account as they come from outside.

    Raises:
        InvalidRequestError: One of them can't be; `param` says which one, the message why. It quotes nothing.
    """
    try:
        return Record.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"])
        raise InvalidRequestError(f"{path}: {first['msg']}", code="invalid_token", param=path) from None


def changed_fields(shown: Mapping[str, str], form: Mapping[str, str]) -> dict[str, Any]:
    """What a form for one account changes: quota, note and tags, all of them texts.

    Args:
        shown: What the form began with. A field that is as it was may have changed elsewhere meanwhile.
        form: What it ended with; tags with commas between them.

    Raises:
        InvalidRequestError: A field can't be; see `read_fields`.
    """
    given: dict[str, Any] = {name: form[name] for name in _IN_FORMS if form.get(name, shown[name]) != shown[name]}
    if "tags" in given:
        tags = (tag.strip() for tag in _COMMAS.split(given["tags"]))
        given["tags"] = tuple(dict.fromkeys(tag for tag in tags if tag))
    return read_fields(given).given()


def _says_something(key: str, item: Mapping[str, Any]) -> bool:
    return item[key] is not None or key in _MOMENTS


def amend(account: Account, given: Mapping[str, Any], now_ms: int) -> Account:
    """The account with these fields of a `Record` taken over; counters and moments only ever grow, up to now.

    Fields that were read before something happened to the account don't undo that: its status, its quota and its
    failures stay.
    """
    given = _without_what_is_stale(account, given)
    changes: dict[str, Any] = {name: given[name] for name in _PLAIN if name in given}
    for name, attribute in _GROWING.items():
        if given.get(name) is not None:
            latest = given[name] if name == "use_count" else min(given[name], now_ms)
            changes[attribute] = max(latest, getattr(account, attribute) or 0)
    if given.get("created_at"):
        changes["created_at_ms"] = min(given["created_at"], now_ms)
    if reason := given.get("last_fail_reason"):
        changes["last_fail_reason"] = shorten(reason)
    changed = replace(account, **changes)
    return _with_status(changed, given.get("status", account.status), given, now_ms)


def _without_what_is_stale(account: Account, given: Mapping[str, Any]) -> Mapping[str, Any]:
    is_stale = any(
        (given[name] or 0) < (getattr(account, attribute) or 0) for name, attribute in _GROWING.items() if name in given
    )
    if not is_stale or account.status is Status.DISABLED:
        return given
    is_switched = given.get("status") in (Status.DISABLED, Status.EXPIRED)
    ignored = ("quota", "fail_count", *(() if is_switched else ("status",)))
    return {name: value for name, value in given.items() if name not in ignored}


def _with_status(account: Account, status: Status, given: Mapping[str, Any], now_ms: int) -> Account:
    """The account in this state: one that rests knows until when, an active one has quota or rests."""
    if status is Status.COOLING:
        if account.status is Status.COOLING:
            return account
        return cool_down(replace(account, status=Status.ACTIVE), None, _IMPORTED_AT_REST, now_ms)
    changed = replace(account, status=status, cooling_until_ms=0, cooling_reason=None)
    if status is not Status.ACTIVE:
        return changed
    if account.status is not Status.ACTIVE:
        quota = account.quota if account.quota or "quota" in given else DEFAULT_QUOTA[account.pool]
        fail_count = account.fail_count if "fail_count" in given else 0
        changed = replace(changed, quota=quota, fail_count=fail_count)
    return changed if changed.quota else cool_down(changed, None, _NO_QUOTA, now_ms)


def as_record(account: Account) -> dict[str, Any]:
    """The account as lists and exports show it, with its token. Moments are Unix milliseconds."""
    return {
        "token": account.credential.get_secret_value(),
        "status": account.status,
        "quota": account.quota,
        "created_at": account.created_at_ms,
        "last_used_at": account.last_used_at_ms,
        "use_count": account.use_count,
        "fail_count": account.fail_count,
        "last_fail_at": account.last_fail_at_ms,
        "last_fail_reason": account.last_fail_reason,
        "last_sync_at": account.last_sync_at_ms,
        "tags": account.tags,
        "note": account.note,
        "last_asset_clear_at": account.last_asset_clear_at_ms,
    }
