"""Quotas as Grok tells them, taken over."""

from dataclasses import replace

import pytest

from grok_app.accounts import Refresher, Roster, Status
from grok_app.catalog import Pool
from grok_app.errors import NotFoundError
from grok_app.upstream import ErrorKind, Quota, UpstreamError
from tests.accounts.grok import ScriptedGrok


async def test_the_quota_is_taken_over(roster: Roster, refresher: Refresher, grok: ScriptedGrok) -> None:
    """With the time when it was told."""
    grok.quotas["first"] = Quota(17, 7200)
    [first] = roster.all()
    after = await refresher.refresh(first.id)
    assert (after.quota, after.status) == (17, Status.ACTIVE)
    assert after.last_sync_at_ms
    assert roster.all() == [after]


async def test_a_refused_credential_is_counted(roster: Roster, refresher: Refresher, grok: ScriptedGrok) -> None:
    """As often in a row as `token.fail_threshold` says, and the account is expired; a told quota revives it."""
    grok.quotas["first"] = UpstreamError(ErrorKind.INVALID_CREDENTIAL, "bad-credentials", status=401)
    [first] = roster.all()
    for _ in range(5):
        with pytest.raises(UpstreamError):
            await refresher.refresh(first.id)
    [expired] = roster.all()
    assert (expired.status, expired.last_fail_reason, expired.last_sync_at_ms) == (
        Status.EXPIRED,
        "bad-credentials",
        None,
    )
    del grok.quotas["first"]
    assert (await refresher.refresh(first.id)).status is Status.ACTIVE


@pytest.mark.parametrize("kind", [ErrorKind.RATE_LIMITED, ErrorKind.UNAVAILABLE, ErrorKind.TIMEOUT])
async def test_what_says_nothing_of_the_account_is_noted_and_no_more(
    roster: Roster, refresher: Refresher, grok: ScriptedGrok, kind: ErrorKind
) -> None:
    """A question that was not answered is no answer; the operator sees why it wasn't."""
    grok.quotas["first"] = UpstreamError(kind, "later")
    [before] = roster.all()
    with pytest.raises(UpstreamError):
        await refresher.refresh(before.id)
    [after] = roster.all()
    assert after.last_fail_reason == "later"
    assert replace(after, last_fail_reason=None, last_fail_at_ms=None) == before


async def test_an_account_that_is_gone_can_not_be_refreshed(roster: Roster, refresher: Refresher) -> None:
    """Whoever asks for it hears so."""
    [first] = roster.all()
    await roster.delete(["first"])
    with pytest.raises(NotFoundError):
        await refresher.refresh(first.id)


async def test_those_that_would_wake_first_are_asked_for(
    roster: Roster, refresher: Refresher, grok: ScriptedGrok
) -> None:
    """As many as a batch has, of the pools that were asked for."""
    items = [{"token": f"resting-{number}", "status": "cooling"} for number in range(60)]
    await roster.replace({Pool.BASIC: items, Pool.SUPER: [{"token": "other", "status": "cooling"}]})
    await refresher.wake((Pool.BASIC,), ())
    assert len(grok.asked) == 50
    assert ("quota", "other") not in grok.asked
