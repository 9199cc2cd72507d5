"""What Grok keeps for the accounts, through the operator's API. Source: API contract, section 10."""

from base64 import b64encode
from collections.abc import Generator
from typing import Any, Final

import httpx
import pytest

from grok_app.catalog import Pool
from tests.contract.admin import account_of, asked_for, employ, fresh, outcome, set_up, start, watch
from tests.contract.wire import error_of
from tests.servers import Gateway, Sandbox, eventually

CLEAR: Final = "/cache/online/clear"
LOAD: Final = "/cache/online/load/async"
NOT_LOADED: Final = {"count": 0, "status": "not_loaded", "token": None, "last_asset_clear_at": None}
UNKNOWN: Final = "There is no account with this token"
AT_ONCE: Final = 2


@pytest.fixture
def admin(admin: httpx.Client) -> Generator[httpx.Client]:
    """The operator, at each prefix, who asks for two accounts at once."""
    set_up(admin, asset__list_concurrent=AT_ONCE)
    yield admin
    set_up(admin, asset__list_concurrent=100)


@pytest.fixture
def hasty(admin: httpx.Client) -> Generator[httpx.Client]:
    """The operator, who waits no longer than a second for a list."""
    set_up(admin, asset__list_timeout=1)
    yield admin
    set_up(admin, asset__list_timeout=60)


def keep(sandbox: Sandbox, token: str, count: int = 1) -> None:
    """Let Grok keep so many files more for this account."""
    body = {"fileName": "a.txt", "fileMimeType": "text/plain", "content": b64encode(b"text").decode()}
    for _ in range(count):
        sandbox.http.post("/rest/app-chat/upload-file", json=body, headers=cookies_of(token)).raise_for_status()


def kept(sandbox: Sandbox, token: str) -> int:
    """How many files Grok keeps for this account, a hundred at most."""
    listed = sandbox.http.get("/rest/assets", params={"pageSize": "100"}, headers=cookies_of(token))
    return len(listed.raise_for_status().json()["assets"])


def cookies_of(token: str) -> dict[str, str]:
    """How an account shows itself to Grok."""
    return {"cookie": f"sso={token}; sso-rw={token}"}


def asked(sandbox: Sandbox, token: str) -> int:
    """How many pages of this account's list Grok was asked for."""
    return [(entry["account"], entry["method"]) for entry in sandbox.journal()].count((token, "GET"))


def shown(admin: httpx.Client, **asked_for: str) -> dict[str, Any]:
    """What `GET cache` shows."""
    content: dict[str, Any] = admin.get("/cache", params=asked_for).raise_for_status().json()
    names = {"local_image", "local_video", "online", "online_accounts", "online_scope", "online_details"}
    assert content.keys() == names
    return content


def detail(token: str, count: int, status: str = "ok", cleared_at: int | None = None) -> dict[str, Any]:
    """What is shown of one account that was asked for."""
    masked = f"{token[:4]}…{token[-4:]}"
    return {
        "token": token, "token_masked": masked, "count": count, "status": status, "last_asset_clear_at": cleared_at,
    }  # fmt: skip


def good(total: int, failed: int = 0) -> dict[str, Any]:
    """What a clearing answers that reached Grok."""
    return {"status": "success", "result": {"total": total, "success": total - failed, "failed": failed}}


def test_grok_is_not_asked_for_more_than_is_named(admin: httpx.Client, sandbox: Sandbox) -> None:
    """A console that looks again and again sees its accounts, and that nothing was counted."""
    [first, second] = fresh("-1", "-2")
    admin.post("/tokens", json={Pool.BASIC: [{"token": first, "last_asset_clear_at": 5}], Pool.SUPER: [second]})
    content = shown(admin)

    assert (content["online"], content["online_scope"], content["online_details"]) == (NOT_LOADED, "none", [])
    assert content["online_accounts"] == [
        {
            "token": token,
            "token_masked": f"{token[:4]}…{token[-4:]}",
            "pool": pool,
            "status": "active",
            "last_asset_clear_at": cleared_at,
        }
        for token, pool, cleared_at in ((first, "ssoBasic", 5), (second, "ssoSuper", None))
    ]
    assert (asked(sandbox, first), asked(sandbox, second)) == (0, 0)


def test_every_page_is_counted(admin: httpx.Client, sandbox: Sandbox) -> None:
    """Of fifty files each."""
    [token] = fresh()
    employ(admin, [token])
    keep(sandbox, token, 101)
    content = shown(admin, token=token)

    assert content["online"] == detail(token, 101)
    assert (content["online_scope"], content["online_details"]) == ("single", [])
    assert asked(sandbox, token) == 3


def test_some_accounts_are_counted(admin: httpx.Client, sandbox: Sandbox) -> None:
    """Each has its line, and all together the sum; the others are not asked for, and one may fail."""
    one, two, broken, other = fresh("-1", "-2", "-@assets-500", "-4")
    employ(admin, [one, two, broken, other])
    keep(sandbox, one, 2)
    keep(sandbox, two, 3)
    content = shown(admin, tokens=f"{one},{broken},nobody-has-this-one,{two}", scope="all", token=other)

    assert content["online"] == {"count": 5, "status": "ok", "token": None, "last_asset_clear_at": None}
    assert content["online_scope"] == "selected"
    failed, unknown = content["online_details"].pop(1), content["online_details"].pop(1)
    assert failed == detail(broken, 0, failed["status"])
    assert failed["status"].startswith("error: ")
    assert unknown == detail("nobody-has-this-one", 0, f"error: {UNKNOWN}")
    assert content["online_details"] == [detail(one, 2), detail(two, 3)]
    assert asked(sandbox, other) == 0


def test_all_accounts_are_counted(admin: httpx.Client, sandbox: Sandbox) -> None:
    """Of both pools; `all` wins over one token."""
    [basic], [great] = fresh(), fresh(tier="super")
    admin.post("/tokens", json={Pool.BASIC: [basic], Pool.SUPER: [great]}).raise_for_status()
    keep(sandbox, great, 2)
    content = shown(admin, scope="all", token=basic)

    assert content["online"] == {"count": 2, "status": "ok", "token": None, "last_asset_clear_at": None}
    assert content["online_scope"] == "all"
    assert content["online_details"] == [detail(basic, 0), detail(great, 2)]


def test_without_accounts_there_is_no_token(admin: httpx.Client) -> None:
    """Nothing was counted, and the status says why."""
    employ(admin, [])
    content = shown(admin, scope="all")

    assert content["online"] == {"count": 0, "status": "no_token", "token": None, "last_asset_clear_at": None}
    assert (content["online_accounts"], content["online_details"]) == ([], [])


@pytest.mark.parametrize(
    ("word", "reason"),
    [("500", "500"), ("429", "429"), ("401", "401"), ("page", "JSON"), ("hang", "within 1 s")],
)
def test_a_list_that_fails_says_why(hasty: httpx.Client, word: str, reason: str) -> None:
    """Counted or cleared; and a refused credential is counted."""
    [token] = fresh(f"-@assets-{word}")
    employ(hasty, [token])
    online = shown(hasty, token=token)["online"]
    answer = hasty.post(CLEAR, json={"token": token}).raise_for_status().json()

    assert online == detail(token, 0, online["status"])
    assert online["status"].startswith("error: ")
    assert reason in online["status"]
    assert answer == {"status": "error", "error": online["status"].removeprefix("error: ")}
    account = account_of(hasty, token)
    assert (account["fail_count"], account["last_asset_clear_at"]) == (2 if word == "401" else 0, None)


def test_a_page_token_that_comes_again_ends_the_list(admin: httpx.Client, sandbox: Sandbox) -> None:
    """Grok would go in circles, and what it tells again is counted and deleted once."""
    [token] = fresh("-@assets-repeat")
    employ(admin, [token])
    keep(sandbox, token, 3)

    assert shown(admin, token=token)["online"] == detail(token, 3)
    assert asked(sandbox, token) == 2
    assert admin.post(CLEAR, json={"token": token}).json() == good(3)


def test_an_unknown_token_is_told(admin: httpx.Client, sandbox: Sandbox) -> None:
    """And no other account is touched in its place, not for an empty one either."""
    [token] = fresh()
    employ(admin, [token])
    keep(sandbox, token)

    assert shown(admin, token="nobody-has-this-one")["online"] == detail("nobody-has-this-one", 0, f"error: {UNKNOWN}")
    for unknown in ("nobody-has-this-one", ""):
        assert admin.post(CLEAR, json={"token": unknown}).json() == {"status": "error", "error": UNKNOWN}
    assert kept(sandbox, token) == 1


def test_accounts_are_cleared(admin: httpx.Client, sandbox: Sandbox) -> None:
    """All their files, over all pages; each account has its result, and those not named keep theirs."""
    many, one, empty, broken, other = fresh("-1", "-2", "-3", "-@assets-500", "-5")
    employ(admin, [many, one, empty, broken, other])
    keep(sandbox, many, 60)
    keep(sandbox, one)
    keep(sandbox, other)
    named = [many, one, empty, broken, "nobody-has-this-one", one]
    answer = admin.post(CLEAR, json={"tokens": named}).raise_for_status().json()

    assert answer.keys() == {"status", "results"}
    assert answer["status"] == "success"
    failed = answer["results"].pop(broken)
    assert (failed.keys(), failed["status"]) == ({"status", "error"}, "error")
    assert answer["results"] == {
        many: good(60),
        one: good(1),
        empty: good(0),
        "nobody-has-this-one": {"status": "error", "error": UNKNOWN},
    }
    assert [kept(sandbox, token) for token in (many, one, other)] == [0, 0, 1]
    cleared = {token: account_of(admin, token)["last_asset_clear_at"] for token in (many, one, empty, broken, other)}
    assert all(isinstance(cleared[token], int) for token in (many, one, empty))
    assert (cleared[broken], cleared[other]) == (None, None)
    assert shown(admin, token=many)["online"] == detail(many, 0, cleared_at=cleared[many])


def test_the_moment_of_a_clearing_survives_its_list(admin: httpx.Client) -> None:
    """A list that is sent back as it was read changes nothing, and one that is older takes nothing back."""
    [token] = fresh()
    employ(admin, [token])
    older = admin.get("/tokens").json()
    admin.post(CLEAR, json={"token": token}).raise_for_status()
    moment = account_of(admin, token)["last_asset_clear_at"]
    for listed in (admin.get("/tokens").json(), older):
        admin.post("/tokens", json=listed).raise_for_status()
        assert account_of(admin, token)["last_asset_clear_at"] == moment
    assert moment


@pytest.mark.parametrize("path", [CLEAR, f"{CLEAR}/async", LOAD])
def test_strangers_count_and_clear_nothing(admin: httpx.Client, managed: Gateway, path: str) -> None:
    """Without the operator's key."""
    url = f"{admin.base_url.path.rstrip('/')}{path}"
    assert managed.stranger.post(url, json={"tokens": ["nobody-has-this-one"]}).status_code == 401


@pytest.mark.parametrize(("word", "failed"), [("once-delete-500", 2), ("once-delete-404", 2), ("delete-500", 4)])
def test_deletions_may_fail(admin: httpx.Client, sandbox: Sandbox, word: str, failed: int) -> None:
    """The others go on, and how many failed is told. Where all did, the account was not cleared."""
    [token] = fresh(f"-@{word}")
    employ(admin, [token])
    keep(sandbox, token, 4)

    assert admin.post(CLEAR, json={"token": token}).raise_for_status().json() == good(4, failed)
    assert kept(sandbox, token) == failed
    assert bool(account_of(admin, token)["last_asset_clear_at"]) is (failed < 4)


def test_refused_deletions_are_one_failure(admin: httpx.Client, sandbox: Sandbox) -> None:
    """Many files at once don't expire an account that a single refusal wouldn't."""
    [token] = fresh("-@delete-401")
    employ(admin, [token])
    keep(sandbox, token, 30)

    assert admin.post(CLEAR, json={"token": token}).json() == good(30, 30)
    account = account_of(admin, token)
    assert (account["fail_count"], account["status"]) == (1, "active")


@pytest.mark.parametrize("body", [{}, {"token": None}, {"tokens": None}], ids=str)
def test_without_a_name_one_account_is_cleared_and_never_all(
    admin: httpx.Client, sandbox: Sandbox, body: dict[str, None]
) -> None:
    """One that could serve now: not the disabled one."""
    tokens = fresh("-1", "-2", "-3")
    employ(admin, [tokens[0], tokens[1], {"token": tokens[2], "status": "disabled"}])
    for token in tokens:
        keep(sandbox, token, 2)

    assert admin.post(CLEAR, json=body).raise_for_status().json() == good(2)
    assert sorted(kept(sandbox, token) for token in tokens[:2]) == [0, 2]
    assert kept(sandbox, tokens[2]) == 2
    accounts = [account_of(admin, token) for token in tokens]
    assert [account["use_count"] for account in accounts] == [0, 0, 0]
    assert [bool(account["last_asset_clear_at"]) for account in accounts].count(True) == 1


def test_without_an_account_that_could_serve_nothing_is_cleared(admin: httpx.Client, sandbox: Sandbox) -> None:
    """As a chat would be told."""
    [token] = fresh()
    employ(admin, [{"token": token, "status": "disabled"}])
    keep(sandbox, token)
    answer = admin.post(CLEAR, json={})

    assert answer.status_code == 429
    assert error_of(answer)["message"] == "No available tokens. Please try again later."
    assert kept(sandbox, token) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CLEAR, {"tokens": []}),
        (f"{CLEAR}/async", {"tokens": []}),
        (f"{CLEAR}/async", {}),
        (LOAD, {"tokens": []}),
        (LOAD, {}),
    ],
    ids=str,
)
def test_no_accounts_are_not_all(admin: httpx.Client, path: str, body: dict[str, Any]) -> None:
    """400, and nothing is done."""
    answer = admin.post(path, json=body)

    assert answer.status_code == 400
    error = error_of(answer)
    assert (error["message"], error["param"]) == ("No tokens provided", "tokens")


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        (CLEAR, {"tokens": "one"}, "tokens"),
        (CLEAR, {"token": 1}, "token"),
        (CLEAR, [], "body"),
        (f"{CLEAR}/async", {"tokens": [1]}, "tokens.0"),
        (LOAD, {"scope": "some"}, "scope"),
    ],
    ids=str,
)
def test_a_wrong_shape_is_named(admin: httpx.Client, path: str, body: Any, param: str) -> None:
    """400 with the field, and no account is picked in its place."""
    answer = admin.post(path, json=body)

    assert answer.status_code == 400
    assert error_of(answer)["param"] == param


def test_a_wrong_scope_is_named(admin: httpx.Client) -> None:
    """Rather than answered with nothing counted."""
    answer = admin.get("/cache", params={"scope": "some"})

    assert answer.status_code == 400
    assert error_of(answer)["param"] == "scope"


def test_a_clearing_can_be_watched_to_its_end(hasty: httpx.Client, sandbox: Sandbox) -> None:
    """Its result has every account, and no event shows a token but that."""
    full, partly, broken = fresh("-1", "-@once-delete-500", "-@assets-hang")
    employ(hasty, [full, partly, broken])
    keep(sandbox, full, 55)
    keep(sandbox, partly, 2)
    task_id, total = start(hasty, f"{CLEAR}/async", {"tokens": [full, partly, broken]})
    *before, last = watch(hasty, task_id)

    assert (total, last["type"], last["ok"], last["fail"]) == (3, "done", 2, 1)
    result = last["result"]
    assert (result["status"], result["summary"]) == ("success", {"total": 3, "ok": 2, "fail": 1})
    failed = result["results"].pop(broken)
    assert failed["status"] == "error"
    assert result["results"] == {full: good(55), partly: good(2, 1)}
    assert not any(token in str(before) for token in (full, partly, broken))
    assert kept(sandbox, full) == 0


@pytest.mark.parametrize("form", ["selected", "all"])
def test_a_count_can_be_watched_to_its_end(admin: httpx.Client, sandbox: Sandbox, form: str) -> None:
    """Its result is what `GET cache` shows."""
    tokens = fresh("-1", "-2", "-@assets-500")
    employ(admin, tokens)
    keep(sandbox, tokens[0], 52)
    body = {"scope": "all"} if form == "all" else {"tokens": tokens}
    result = outcome(admin, LOAD, body)

    assert (result["online_scope"], result["online"]["count"]) == (form, 52)
    assert result["online_details"][:2] == [detail(tokens[0], 52), detail(tokens[1], 0)]
    assert result["online_details"][2]["status"].startswith("error: ")
    query = {"scope": "all"} if form == "all" else {"tokens": ",".join(tokens)}
    assert result == shown(admin, **query)


@pytest.mark.parametrize("path", [f"{CLEAR}/async", LOAD])
def test_a_cancelled_task_begins_no_other_account(hasty: httpx.Client, sandbox: Sandbox, path: str) -> None:
    """Those under way end, two at once here; the files of the others stay."""
    tokens = fresh(*[f"-{number}-@assets-hang" for number in range(20)])
    employ(hasty, tokens)
    task_id, _ = start(hasty, path, {"tokens": tokens})
    eventually(lambda: len(asked_for(sandbox, tokens)) >= AT_ONCE)
    hasty.post(f"/batch/{task_id}/cancel").raise_for_status()
    first, *_, last = watch(hasty, task_id)

    assert last["type"] == "cancelled"
    assert "result" not in last
    assert len(asked_for(sandbox, tokens)) == last["processed"] <= first["processed"] + AT_ONCE


def test_changed_limits_are_in_force(admin: httpx.Client, sandbox: Sandbox) -> None:
    """With one deletion at once that Grok never answers, each takes its time and the others wait for it."""
    [token] = fresh("-@delete-hang")
    employ(admin, [token])
    keep(sandbox, token, 3)
    try:
        set_up(admin, asset__delete_concurrent=1, asset__delete_timeout=0.3)
        answer = admin.post(CLEAR, json={"token": token}).raise_for_status()
    finally:
        set_up(admin, asset__delete_concurrent=100, asset__delete_timeout=60)

    assert answer.json() == good(3, 3)
    assert [(entry["account"], entry["method"]) for entry in sandbox.journal()].count((token, "DELETE")) == 3
    assert answer.elapsed.total_seconds() > 3 * 0.3
