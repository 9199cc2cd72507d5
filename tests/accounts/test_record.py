"""Fields of accounts as they come from outside, and what becomes of an account that gets them."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from grok_app.accounts import Account, Status, as_record
from grok_app.accounts.account import COOL_DOWN_S
from grok_app.accounts.listing import read_items
from grok_app.accounts.record import amend, read_item
from grok_app.catalog import Pool
from grok_app.errors import InvalidRequestError

NOW = 1_800_000_000_000
ACCOUNT = Account(1, Pool.BASIC, SecretStr("token"), Status.ACTIVE, 10, use_count=5, created_at_ms=1, note="old")


@pytest.mark.parametrize(
    "item",
    [
        7,
        None,
        {},
        {"token": None},
        {"token": "a b"},
        {"token": "good", "status": "unwell"},
        {"token": "good", "quota": -1},
        {"token": "good", "quota": "many"},
        {"token": "good", "created_at": "yesterday"},
        {"token": "good", "tags": "one"},
        {"token": "good", "tags": [""]},
        {"token": "good", "use_count": 1.5},
        {"token": "good", "note": "a\x00b"},
        {"token": "good", "note": "x" * 2001},
    ],
    ids=repr,
)
def test_an_item_that_is_no_account_is_skipped_with_a_reason(item: Any) -> None:
    """And stops none of the others; the reason never quotes a token."""
    listing = read_items({Pool.BASIC: [item, "other-token"]})
    assert list(listing.wanted) == ["other-token"]
    [skipped] = listing.result.skipped
    assert skipped.pool is Pool.BASIC
    assert skipped.reason
    assert "good" not in skipped.reason


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["token", "status", "quota", "tags", "note"]), inner)
        ),
    )
)
def test_no_item_breaks_the_reading(item: Any) -> None:
    """Whatever JSON a list holds, each item is an account or is skipped."""
    listing = read_items({Pool.BASIC: [item]})
    assert len(listing.wanted) + len(listing.result.skipped) == 1


def test_unknown_fields_are_dropped_and_missing_ones_say_nothing() -> None:
    """An export of a later version is read as far as we know it."""
    token, record = read_item({"token": " sso=abcd; x=y", "note": None, "quota": None, "consumed": 9})
    assert (token, record.given()) == ("abcd", {})


@pytest.mark.parametrize("dash", ["\u2010", "\u2011", "\u2013", "\u2212"], ids=ascii)
def test_what_word_processors_do_to_a_token_is_undone(dash: str) -> None:
    """Dashes and invisible blanks that came along when it was copied."""
    assert read_item(f"\ufeffabc{dash}def\u200b\u00a0")[0] == "abc-def"


def test_counters_and_moments_only_grow() -> None:
    """A list that was read a while ago takes nothing back."""
    after = amend(replace(ACCOUNT, last_used_at_ms=50), {"use_count": 4, "last_used_at": 40, "last_sync_at": 9}, NOW)
    assert (after.use_count, after.last_used_at_ms, after.last_sync_at_ms) == (5, 50, 9)
    assert amend(ACCOUNT, {"use_count": 9}, NOW).use_count == 9


def test_an_export_read_again_is_the_same_account() -> None:
    """Nothing is lost on the way out and in."""
    known = replace(
        ACCOUNT,
        last_used_at_ms=2,
        last_fail_at_ms=3,
        last_fail_reason="x",
        last_sync_at_ms=4,
        tags=("a",),
        fail_count=2,
    )
    token, record = read_item(as_record(known))
    fresh = Account(1, Pool.BASIC, SecretStr(token), Status.ACTIVE, 80, created_at_ms=NOW)
    assert amend(fresh, record.given(), NOW) == known


@pytest.mark.parametrize(
    ("before", "given", "status", "quota"),
    [
        (Status.ACTIVE, {"status": Status.DISABLED}, Status.DISABLED, 10),
        (Status.DISABLED, {"status": Status.ACTIVE}, Status.ACTIVE, 10),
        (Status.EXPIRED, {"status": Status.ACTIVE}, Status.ACTIVE, 10),
        (Status.COOLING, {"status": Status.ACTIVE}, Status.ACTIVE, 80),
        (Status.COOLING, {"status": Status.ACTIVE, "quota": 3}, Status.ACTIVE, 3),
        (Status.COOLING, {"note": "x"}, Status.COOLING, 0),
        (Status.DISABLED, {"status": Status.ACTIVE, "quota": 0}, Status.COOLING, 0),
        (Status.ACTIVE, {"status": Status.COOLING}, Status.COOLING, 0),
        (Status.ACTIVE, {"quota": 0}, Status.COOLING, 0),
        (Status.ACTIVE, {"status": Status.EXPIRED}, Status.EXPIRED, 10),
    ],
)
def test_each_state_can_be_given(before: Status, given: dict[str, Any], status: Status, quota: int) -> None:
    """The operator decides; who rests wakes by itself, and who is active has something to give."""
    account = replace(ACCOUNT, status=before, fail_count=5)
    if before is Status.COOLING:
        account = replace(account, quota=0, cooling_until_ms=NOW + 5)
    after = amend(account, given, NOW)
    assert (after.status, after.quota) == (status, quota)
    rests_until = NOW + 5 if before is Status.COOLING else NOW + COOL_DOWN_S * 1000
    assert after.cooling_until_ms == (rests_until if status is Status.COOLING else 0)


@pytest.mark.parametrize("before", [Status.EXPIRED, Status.DISABLED])
def test_an_account_that_is_switched_on_again_begins_anew(before: Status) -> None:
    """Old refusals don't count any more, and one that was resting when it was disabled has something to give."""
    after = amend(replace(ACCOUNT, status=before, fail_count=5, quota=0), {"status": Status.ACTIVE}, NOW)
    assert (after.status, after.fail_count, after.quota) == (Status.ACTIVE, 0, 80)


@pytest.mark.parametrize(
    "seen", [{"use_count": 4}, {"last_fail_at": None}, {"last_sync_at": 8}], ids=["used", "failed", "refreshed"]
)
def test_a_list_read_before_something_happened_does_not_undo_it(seen: dict[str, Any]) -> None:
    """Status, quota and failures stay as requests have left them; what only operators write is taken over."""
    resting = replace(
        ACCOUNT, status=Status.COOLING, quota=0, cooling_until_ms=NOW + 5, last_fail_at_ms=7, last_sync_at_ms=9
    )
    unchanged = {"use_count": 5, "last_fail_at": 7, "last_sync_at": 9}
    stale = {"status": Status.ACTIVE, "quota": 80, "fail_count": 0, "note": "mine", **unchanged, **seen}
    assert amend(resting, stale, NOW) == replace(resting, note="mine")
    assert amend(resting, {**stale, **unchanged}, NOW).status is Status.ACTIVE
    assert amend(resting, {**stale, "status": Status.DISABLED}, NOW).status is Status.DISABLED


def test_nothing_has_happened_in_the_future() -> None:
    """A moment that a wrong clock wrote would otherwise stay for ever, since moments only grow."""
    after = amend(ACCOUNT, {"last_sync_at": 2**53, "created_at": 2**53}, NOW)
    assert (after.last_sync_at_ms, after.created_at_ms) == (NOW, NOW)


def test_a_bad_token_is_never_quoted() -> None:
    """Not even in the error."""
    with pytest.raises(InvalidRequestError) as refused:
        read_item({"token": "secret token", "quota": 1})
    assert "secret" not in refused.value.message
