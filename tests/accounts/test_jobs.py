"""Tasks over many accounts."""

from datetime import date
from typing import Any

import pytest

from grok_app.accounts import AccountJobs, Roster, Status, read_birth_date
from grok_app.accounts.credential import mask
from grok_app.catalog import Pool
from grok_app.errors import InvalidRequestError
from grok_app.upstream import ErrorKind, GrpcStatus, UpstreamError
from tests.accounts.grok import ScriptedGrok

BORN = date(1990, 2, 3)
LONG = "a-token-that-is-long-enough-to-be-masked"
TODAY = date(2026, 11, 23)


async def test_many_are_refreshed_whatever_becomes_of_one(
    roster: Roster, jobs: AccountJobs, grok: ScriptedGrok
) -> None:
    """Each token that was asked for has its result, unknown ones included."""
    await roster.add({Pool.SUPER: ["second"]})
    grok.quotas["second"] = UpstreamError(ErrorKind.UNAVAILABLE, "Grok is away", status=503)
    task = jobs.start_refresh(["sso=first", "second", "unknown"])
    assert await task.wait() == {
        "status": "success",
        "summary": {"total": 3, "ok": 1, "fail": 2},
        "results": {"sso=first": True, "second": False, "unknown": False},
        "errors": {"second": "Grok is away", "unknown": "There is no account with this token"},
    }
    assert [outcome.reason for outcome in task.failures()] == ["Grok is away", "There is no account with this token"]


async def test_accounts_that_failed_are_refreshed_again(roster: Roster, jobs: AccountJobs, grok: ScriptedGrok) -> None:
    """They alone, and the result is theirs alone."""
    await roster.add({Pool.SUPER: ["second"]})
    grok.quotas["second"] = UpstreamError(ErrorKind.UNAVAILABLE, "Grok is away", status=503)
    task = jobs.start_refresh(["first", "second"])
    await task.wait()
    del grok.quotas["second"]
    assert await task.retry_failed().wait() == {
        "status": "success",
        "summary": {"total": 1, "ok": 1, "fail": 0},
        "results": {"second": True},
        "errors": {},
    }


async def test_the_three_steps_are_taken_in_order(roster: Roster, jobs: AccountJobs, grok: ScriptedGrok) -> None:
    """With the date that the owner stated; the account then has its tag."""
    result = await jobs.start_adult_content(["first"], BORN).wait()
    assert [name for name, _ in grok.asked] == ["terms", "birth date", "adult content"]
    assert grok.birth_date == BORN
    assert result["results"] == {
        "…": {"success": True, "http_status": 200, "grpc_status": 0, "grpc_message": None, "error": None}
    }
    assert roster.all()[0].tags == ("nsfw",)


STEPS = {
    "terms": "Accepting the terms",
    "birth date": "Stating the date of birth",
    "adult content": "Switching it on",
}


@pytest.mark.parametrize("step", STEPS)
async def test_the_first_failure_ends_it_and_is_named(
    roster: Roster, jobs: AccountJobs, grok: ScriptedGrok, step: str
) -> None:
    """Nothing after it is tried, the account gets no tag, and the result says which step and why."""
    grok.refusals[step, "first"] = UpstreamError(ErrorKind.RATE_LIMITED, "too many", status=429)
    [told] = (await jobs.start_adult_content(["first"], BORN).wait())["results"].values()
    assert told["error"] == f"{STEPS[step]} failed: too many"
    assert [name for name, _ in grok.asked] == list(STEPS)[: list(STEPS).index(step) + 1]
    assert roster.all()[0].tags == ()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (UpstreamError(ErrorKind.PROTOCOL, "no", status=200, grpc=GrpcStatus(7, "denied")), (200, 7, "denied")),
        (UpstreamError(ErrorKind.RATE_LIMITED, "too many", status=429), (429, None, None)),
        (UpstreamError(ErrorKind.TIMEOUT, "no answer"), (None, None, None)),
    ],
    ids=["grpc", "http", "silence"],
)
async def test_a_failure_is_told_as_grok_put_it(
    jobs: AccountJobs, grok: ScriptedGrok, error: UpstreamError, expected: tuple[Any, ...]
) -> None:
    """The status of both protocols, where it got that far."""
    grok.refusals["terms", "first"] = error
    [told] = (await jobs.start_adult_content(["first"], BORN).wait())["results"].values()
    assert (told["http_status"], told["grpc_status"], told["grpc_message"]) == expected
    assert told["success"] is False


async def test_a_refused_credential_is_counted(roster: Roster, jobs: AccountJobs, grok: ScriptedGrok) -> None:
    """Here as everywhere else."""
    grok.refusals["terms", "first"] = UpstreamError(ErrorKind.INVALID_CREDENTIAL, "unauthenticated", status=401)
    for _ in range(5):
        await jobs.start_adult_content(["first"], BORN).wait()
    assert roster.all()[0].status is Status.EXPIRED


async def test_results_show_no_tokens(roster: Roster, jobs: AccountJobs) -> None:
    """Tokens are masked; those that look alike then are told apart."""
    await roster.add({Pool.BASIC: [LONG, LONG.replace("long", "wide")]})
    result = await jobs.start_adult_content([LONG, LONG.replace("long", "wide"), "unknown"], BORN).wait()
    assert list(result["results"]) == [mask(LONG), f"{mask(LONG)} (2)", "…"]
    assert result["results"]["…"]["error"] == "There is no account with this token"


@pytest.mark.parametrize(
    ("stated", "setting"),
    [(None, ""), ("", ""), ("yesterday", "1990-01-01"), ("2008-11-24", ""), (None, "2020-01-01")],
    ids=["missing", "empty", "no date", "a day too young", "a child in the settings"],
)
def test_a_date_of_birth_is_needed_and_never_made_up(stated: str | None, setting: str) -> None:
    """It is stated by the owner, and the owner is an adult."""
    with pytest.raises(InvalidRequestError) as refused:
        read_birth_date(stated, setting, TODAY)
    assert (refused.value.code, refused.value.param) == ("birth_date_required", "birth_date")


def test_the_request_wins_over_the_setting() -> None:
    """And whoever is 18 today is an adult."""
    assert read_birth_date("2008-11-23", "1990-01-01", TODAY) == date(2008, 11, 23)
    assert read_birth_date(None, "1990-01-01", TODAY) == date(1990, 1, 1)
