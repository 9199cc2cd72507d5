"""Adult content switched on for accounts. Source: API contract, section 10; protocol notes, section 7."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from grok_app.catalog import Pool
from tests.contract.admin import account_of, employ, fresh, set_up, start, watch
from tests.contract.wire import error_of
from tests.servers import Sandbox

Statuses = tuple[int | None, int | None, str | None]
BORN = "1990-05-06"
ENABLE = "/tokens/nsfw/enable"
FIELDS = {"success", "http_status", "grpc_status", "grpc_message", "error"}
STEPS = ("terms_accepted", "birth_date", "adult_content")
"""What the sandbox remembers of each step, in their order."""
FAILURES = [
    ("terms-7", 0, (200, 7, "permission denied")),
    ("terms-7-bare", 0, (200, 7, None)),
    ("terms-7-header", 0, (200, 7, "permission denied")),
    ("terms-8", 0, (200, 8, "Too many requests")),
    ("terms-16", 0, (200, 16, "unauthenticated")),
    ("terms-garbage", 0, (200, None, None)),
    ("terms-401", 0, (401, None, None)),
    ("terms-500", 0, (500, None, None)),
    ("terms-hang", 0, (None, None, None)),
    ("birth-429", 1, (429, None, None)),
    ("birth-401", 1, (401, None, None)),
    ("birth-500", 1, (500, None, None)),
    ("birth-hang", 1, (None, None, None)),
    ("adult-7", 2, (200, 7, "permission denied")),
    ("adult-7-header", 2, (200, 7, "permission denied")),
    ("adult-8", 2, (200, 8, "Too many requests")),
    ("adult-16", 2, (200, 16, "unauthenticated")),
    ("adult-garbage", 2, (200, None, None)),
    ("adult-401", 2, (401, None, None)),
    ("adult-500", 2, (500, None, None)),
    ("adult-hang", 2, (None, None, None)),
]
"""The account's word, the steps that succeed, and what is told: HTTP status, gRPC status, gRPC message."""
STEP_WORDS = ("terms", "date of birth", "on")
"""What the error says of the step that failed."""


def enable(admin: httpx.Client, **sent: Any) -> dict[str, Any]:
    """Switch it on and wait; the answer."""
    answer = admin.post(ENABLE, json={"birth_date": BORN, **sent})
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    assert content.keys() == {"status", "summary", "results"}
    summary = content["summary"]
    assert summary.keys() == {"total", "ok", "fail"}
    assert summary["total"] == summary["ok"] + summary["fail"] == len(content["results"])
    assert sum(result["success"] for result in content["results"].values()) == summary["ok"]
    for result in content["results"].values():
        assert result.keys() == FIELDS
    return content


def result_for(admin: httpx.Client, token: str) -> dict[str, Any]:
    """What came of this one account."""
    [(name, result)] = enable(admin, token=token)["results"].items()
    assert name != token
    assert (name[:4], name[-4:]) == (token[:4], token[-4:])
    return dict(result)


def steps_of(sandbox: Sandbox, token: str) -> list[Any]:
    """What Grok has of the three steps for this account."""
    known = [account for account in sandbox.state()["accounts"] if account["account"] == token]
    return [known[0][step] if known else None for step in STEPS]


def years_ago(years: int) -> date:
    """The birthday of someone who is that old since today."""
    today = datetime.now(UTC).date()
    day = 28 if (today.month, today.day) == (2, 29) else today.day
    return today.replace(year=today.year - years, day=day)


def test_all_three_steps_are_taken(admin: httpx.Client, sandbox: Sandbox) -> None:
    """Terms, the stated date and the switch; the account gets its tag beside the ones that it has."""
    [token] = fresh()
    admin.post("/tokens", json={"ssoBasic": [{"token": token, "tags": ["mine"]}]})
    assert result_for(admin, token) == {
        "success": True,
        "http_status": 200,
        "grpc_status": 0,
        "grpc_message": None,
        "error": None,
    }
    terms, born, switch = steps_of(sandbox, token)
    assert (terms, born[:10], switch) == (True, BORN, True)
    assert account_of(admin, token)["tags"] == ["mine", "nsfw"]

    assert result_for(admin, token)["success"] is True, "a second time it is set already"
    assert account_of(admin, token)["tags"] == ["mine", "nsfw"]


@pytest.mark.parametrize(
    "word",
    ["birth-locked", "birth-204", "terms-header", "terms-trailer", "terms-text", "adult-header", "adult-text"],
)
def test_every_form_of_success_counts(admin: httpx.Client, sandbox: Sandbox, word: str) -> None:
    """A date that is set already included, and each way that gRPC-web has of saying yes."""
    [token] = fresh(f"-@{word}")
    employ(admin, [token])
    result = result_for(admin, token)
    assert (result["success"], result["error"]) == (True, None)
    assert steps_of(sandbox, token)[2] is True
    assert account_of(admin, token)["tags"] == ["nsfw"]


@pytest.mark.parametrize(("word", "done", "statuses"), FAILURES, ids=[row[0] for row in FAILURES])
def test_the_first_failure_ends_it_and_is_named(
    admin: httpx.Client, sandbox: Sandbox, word: str, done: int, statuses: Statuses
) -> None:
    """The statuses are Grok's own, the error says which step; no later step is tried, and there is no tag."""
    [token] = fresh(f"-@{word}")
    employ(admin, [token])
    result = result_for(admin, token)
    assert result["success"] is False
    assert (result["http_status"], result["grpc_status"], result["grpc_message"]) == statuses
    assert STEP_WORDS[done] in result["error"]
    assert token not in str(result)
    assert [bool(step) for step in steps_of(sandbox, token)] == [number < done for number in range(3)]
    assert account_of(admin, token)["tags"] == []


@pytest.mark.parametrize("word", ["terms-compressed", "terms-cut", "adult-compressed", "adult-cut"])
def test_an_answer_that_can_t_be_read_is_no_success(admin: httpx.Client, word: str) -> None:
    """Whatever Grok may have done: the account isn't tagged on a guess."""
    [token] = fresh(f"-@{word}")
    employ(admin, [token])
    result = result_for(admin, token)
    assert (result["success"], result["http_status"], result["grpc_status"]) == (False, 200, None)
    assert STEP_WORDS[0 if word.startswith("terms") else 2] in result["error"]
    assert account_of(admin, token)["tags"] == []


@pytest.mark.parametrize("word", ["terms-401", "terms-16", "birth-401", "adult-401", "adult-16"])
def test_a_refused_credential_is_counted(admin: httpx.Client, word: str) -> None:
    """As everywhere: `token.fail_threshold` of them in a row expire the account."""
    [token] = fresh(f"-@{word}")
    employ(admin, [token])
    states = []
    for _ in range(2):
        result_for(admin, token)
        account = account_of(admin, token)
        states.append((account["fail_count"], account["status"]))
    assert states == [(1, "active"), (2, "expired")]


def test_one_failure_stops_no_other(admin: httpx.Client) -> None:
    """Accounts that look alike when masked, and one that isn't there, have a result each."""
    tokens = [*fresh("-same", "-same", "-@adult-7", "-same"), "nobody-has-this-token"]
    employ(admin, tokens[:-1])
    content = enable(admin, tokens=tokens)
    assert content["status"] == "success"
    assert content["summary"] == {"total": 5, "ok": 3, "fail": 2}
    tags = [account_of(admin, token)["tags"] for token in tokens[:-1]]
    assert tags == [["nsfw"], ["nsfw"], [], ["nsfw"]]
    assert not set(tokens) & content["results"].keys()


@pytest.mark.parametrize("form", ["nothing", "nulls", "an empty list", "as a task"])
def test_none_given_means_all(admin: httpx.Client, sandbox: Sandbox, form: str) -> None:
    """Of every pool."""
    basic, great = fresh("-1", "-2"), fresh("-3", tier="super")
    admin.post("/tokens", json={Pool.BASIC: basic, Pool.SUPER: great}).raise_for_status()
    forms: dict[str, dict[str, Any]] = {"nulls": {"token": None, "tokens": None}, "an empty list": {"tokens": []}}
    if form == "as a task":
        task_id, total = start(admin, f"{ENABLE}/async", {"birth_date": BORN})
        content = watch(admin, task_id)[-1]["result"]
        assert total == 3
    else:
        content = enable(admin, **forms.get(form, {}))
    assert content["summary"] == {"total": 3, "ok": 3, "fail": 0}
    for token in (*basic, *great):
        assert all(steps_of(sandbox, token))
        assert account_of(admin, token)["tags"] == ["nsfw"]


@pytest.mark.parametrize("path", [ENABLE, f"{ENABLE}/async"])
@pytest.mark.parametrize(
    "stated",
    [
        {},
        {"birth_date": None},
        {"birth_date": ""},
        {"birth_date": "06.05.1990"},
        {"birth_date": "1990-5-6"},
        {"birth_date": "19900506"},
        {"birth_date": "1990-13-01"},
        {"birth_date": "1990-02-30"},
        {"birth_date": "1990-05-06T00:00:00Z"},
        {"birth_date": "1990-W18-7"},
        {"birth_date": "2990-01-01"},
        pytest.param({"birth_date": (years_ago(18) + timedelta(days=2)).isoformat()}, id="17"),
        pytest.param({"birth_date": years_ago(10).isoformat()}, id="10"),
    ],
    ids=lambda stated: str(stated.get("birth_date", "missing")),
)
def test_without_the_date_of_an_adult_nothing_is_done(
    admin: httpx.Client, sandbox: Sandbox, path: str, stated: dict[str, Any]
) -> None:
    """Missing, malformed or under 18: a 400, and Grok isn't asked at all."""
    [token] = fresh()
    employ(admin, [token])
    answer = admin.post(path, json={"token": token, **stated})
    assert answer.status_code == 400
    error = error_of(answer)
    assert (error["type"], error["code"]) == ("invalid_request_error", "birth_date_required")
    assert error["param"] == "birth_date"
    assert steps_of(sandbox, token) == [None, None, None]
    assert account_of(admin, token)["tags"] == []


@pytest.mark.parametrize("born", [pytest.param(years_ago(18), id="18"), date(1920, 1, 31), date(2000, 2, 29)], ids=str)
def test_the_stated_date_is_what_grok_gets(admin: httpx.Client, sandbox: Sandbox, born: date) -> None:
    """From the 18th birthday on, and never another day of the calendar."""
    [token] = fresh()
    employ(admin, [token])
    assert enable(admin, token=token, birth_date=born.isoformat())["summary"]["ok"] == 1
    assert steps_of(sandbox, token)[1].startswith(f"{born.isoformat()}T")


def test_the_date_may_stand_in_the_settings(admin: httpx.Client, sandbox: Sandbox) -> None:
    """What the request states wins; a minor's date there is as good as none."""
    from_setting, from_request = fresh("-1", "-2")
    employ(admin, [from_setting, from_request])
    try:
        set_up(admin, nsfw__birth_date="1985-02-03")
        admin.post(ENABLE, json={"token": from_setting}).raise_for_status()
        admin.post(ENABLE, json={"token": from_request, "birth_date": BORN}).raise_for_status()
        minor = admin.post(ENABLE, json={"token": from_setting, "birth_date": years_ago(17).isoformat()})
    finally:
        set_up(admin, nsfw__birth_date="")
    assert steps_of(sandbox, from_setting)[1].startswith("1985-02-03T")
    assert steps_of(sandbox, from_request)[1].startswith(BORN)
    assert error_of(minor)["code"] == "birth_date_required"
    assert admin.post(ENABLE, json={"token": from_setting}).status_code == 400


@pytest.mark.parametrize("path", [ENABLE, f"{ENABLE}/async"])
@pytest.mark.parametrize(
    ("sent", "param"),
    [({"tokens": "one"}, "tokens"), ({"tokens": [1]}, "tokens.0"), ({"birth_date": 1990}, "birth_date"), ([], "body")],
    ids=str,
)
def test_a_wrong_shape_is_named(admin: httpx.Client, path: str, sent: Any, param: str) -> None:
    """Also where naming none would have meant all."""
    answer = admin.post(path, json={"birth_date": BORN, **sent} if isinstance(sent, dict) else sent)
    assert answer.status_code == 400
    assert error_of(answer)["param"] == param


def test_it_can_be_watched_to_its_end(admin: httpx.Client) -> None:
    """The result of the task is the answer that one would have waited for."""
    tokens = fresh("-good", "-@terms-7", "-@adult-hang")
    employ(admin, tokens)
    task_id, total = start(admin, f"{ENABLE}/async", {"tokens": tokens, "birth_date": BORN})
    story = watch(admin, task_id)
    last = story[-1]
    assert (total, last["type"], last["ok"], last["fail"]) == (3, "done", 1, 2)
    assert last["result"]["summary"] == {"total": 3, "ok": 1, "fail": 2}
    assert len(last["result"]["results"]) == 3
    for result in last["result"]["results"].values():
        assert result.keys() == FIELDS
    assert not any(token in str(story) for token in tokens)
