"""Redis or the database goes away from both replicas and comes back, while they serve."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

import httpx
import psycopg
import pytest

from tests.conftest import APP_KEY, ENDLESS, PUBLIC_KEY
from tests.contract.admin import PREFIXES, fresh, from_nowhere_else, is_in, operator, sign_in, start, visitor, watch
from tests.contract.public import TALK
from tests.contract.wire import body, error_of
from tests.replicas.load import under_load
from tests.replicas.pair import QUOTA, Line, Pair, accounts_of, is_ready
from tests.servers import Gateway, eventually

Away = Callable[[Line], AbstractContextManager[None]]
CALLERS: Final = 3
ENOUGH: Final = 12
ROWS: Final = "SELECT count(*) FROM request WHERE route = '/v1/chat/completions' AND status = 200"
USES: Final = "SELECT sum(use_count) FROM account"


@pytest.fixture(params=[Line.cut, Line.silent], ids=["cut", "silent"])
def away(request: pytest.FixtureRequest) -> Away:
    """How a server is away: its port is closed, or it says nothing any more."""
    away: Away = request.param
    return away


def test_chats_go_on_without_redis(shaken: Pair, away: Away) -> None:
    """None fails while it goes and comes; `/readyz` says what is away; then all that was used is counted once."""
    tokens = fresh(*(f"-{number}-{ENDLESS}" for number in range(12)))
    shaken.employ(tokens)
    ways = {"a": shaken.a.url, "b": shaken.b.url, "nginx": shaken.front}
    with under_load(ways, "Hello", callers=CALLERS) as load:
        eventually(lambda: load.whole() >= ENOUGH)
        with away(shaken.redis):
            for replica in shaken.replicas:
                eventually(lambda: missing(replica) == "redis")  # noqa: B023 - called at once
            cut_at = time.monotonic()
            eventually(lambda: all(load.whole(way, begun_after=cut_at) >= ENOUGH for way in ways), within_s=30)
        eventually(lambda: all(map(is_ready, shaken.replicas)))
        back_at = time.monotonic()
        eventually(lambda: all(load.whole(way, begun_after=back_at) >= ENOUGH for way in ways), within_s=30)

    assert [reply for reply in load.replies if not reply.is_whole] == []
    eventually(lambda: used(shaken.agree()) == load.whole())
    eventually(lambda: look_up(shaken, USES) == load.whole())
    assert {account["use_count"] + account["quota"] for account in shaken.agree().values()} == {QUOTA}


def test_operators_go_on_without_redis(shaken: Pair) -> None:
    """What they change is stored, and known everywhere once Redis is back. Their sessions and keys go on."""
    first, second = fresh(f"-1-{ENDLESS}", f"-2-{ENDLESS}")
    shaken.employ([first])
    with operator(shaken.a, PREFIXES[0]) as admin, visitor(shaken.a) as at_a, visitor(shaken.b) as at_b:
        sign_in(at_a, APP_KEY).raise_for_status()
        at_b.cookies.update(at_a.cookies)
        with shaken.redis.cut():
            eventually(lambda: missing(shaken.a) == "redis")
            assert is_in(at_a)
            assert is_in(at_b)
            admin.post("/config", json={"app.filter_tags": ["gone"]}).raise_for_status()
            admin.post("/tokens/add", json={"tokens": [second]}).raise_for_status()
            assert accounts_of(shaken.b).keys() == {first}
            assert sign_in(at_b, "wrong").status_code == 401
            headers = {**from_nowhere_else(), "Authorization": f"Bearer {PUBLIC_KEY}"}
            assert shaken.b.stranger.post(TALK, json=body("Hello"), headers=headers).status_code == 200
        eventually(lambda: accounts_of(shaken.b).keys() == {first, second})
        eventually(lambda: setting(shaken.b, "app", "filter_tags") == ["gone"])
        at_b.delete("/v1/admin/session").raise_for_status()
        eventually(lambda: not is_in(at_a))


def test_a_task_outlives_redis(shaken: Pair) -> None:
    """It goes on where it was begun; at the other replica it is found again afterwards, whole."""
    tokens = fresh(*(f"-{number}-@limits-hang" for number in range(4)), "-quota7")
    shaken.employ(tokens)
    with operator(shaken.a, PREFIXES[0]) as here, operator(shaken.b, PREFIXES[0]) as there:
        task_id, total = start(here, "/tokens/refresh/async", {"tokens": tokens})
        with shaken.redis.cut():
            *_, last = watch(here, task_id)
            assert (last["type"], last["processed"]) == ("done", total)
        eventually(lambda: is_ready(shaken.b))
        eventually(lambda: there.get(f"/batch/{task_id}/stream").is_success)
        assert watch(there, task_id)[-1] == last


def test_chats_go_on_without_the_database(shaken: Pair, away: Away) -> None:
    """None fails while it goes and comes; what was used and asked is written when it is back, all of it."""
    shaken.employ(fresh(*(f"-{number}-{ENDLESS}" for number in range(12))))
    rows_before = look_up(shaken, ROWS)
    ways = {"a": shaken.a.url, "b": shaken.b.url, "nginx": shaken.front}
    with under_load(ways, "Hello", callers=CALLERS) as load:
        eventually(lambda: load.whole() >= ENOUGH)
        with away(shaken.database):
            for replica in shaken.replicas:
                eventually(lambda: missing(replica) == "database")  # noqa: B023 - called at once
            cut_at = time.monotonic()
            eventually(lambda: all(load.whole(way, begun_after=cut_at) >= ENOUGH for way in ways), within_s=30)
        eventually(lambda: all(map(is_ready, shaken.replicas)))

    assert [reply for reply in load.replies if not reply.is_whole] == []
    assert used(shaken.agree()) == load.whole()
    eventually(lambda: look_up(shaken, USES) == load.whole())
    eventually(lambda: look_up(shaken, ROWS) - rows_before == load.whole())


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("POST", "/config", {"app.filter_tags": ["never"]}),
        ("POST", "/tokens/add", {"tokens": ["sandbox-basic-never"]}),
        ("POST", "/tokens", {"ssoBasic": ["sandbox-basic-never"]}),
        ("POST", "/tokens/delete", {"tokens": ["sandbox-basic-there"]}),
        ("PATCH", "/tokens", {"token": "sandbox-basic-there", "note": "never"}),
    ],
    ids=["settings", "add", "replace", "delete", "edit"],
)
def test_operators_are_refused_without_the_database(shaken: Pair, method: str, path: str, content: Any) -> None:
    """They are told why, and what was refused never comes; what they know can be read."""
    shaken.employ(["sandbox-basic-there"])
    tags, accounts = setting(shaken.a, "app", "filter_tags"), shaken.agree()
    with operator(shaken.a, PREFIXES[0]) as admin, visitor(shaken.a) as browser:
        sign_in(browser, APP_KEY).raise_for_status()
        assert is_in(browser)
        with shaken.database.cut():
            refused = admin.request(method, path, json=content)
            assert refused.status_code == 503
            assert error_of(refused)["message"] == "The database does not answer. Please try again soon."
            assert is_in(browser)
            assert accounts_of(shaken.a) == accounts
        eventually(lambda: is_ready(shaken.a))
        assert (setting(shaken.a, "app", "filter_tags"), shaken.agree()) == (tags, accounts)
        assert admin.request(method, path, json=content).is_success
        assert (setting(shaken.a, "app", "filter_tags"), accounts_of(shaken.a)) != (tags, accounts)
        admin.post("/config", json={"app.filter_tags": tags}).raise_for_status()


def missing(replica: Gateway) -> str:
    """What doesn't answer to this replica, as it says."""
    answer = httpx.get(f"{replica.url}/readyz", timeout=10)
    if answer.is_success:
        return ""
    assert answer.status_code == 503
    message: str = error_of(answer)["message"]
    return message.removeprefix("Not ready: ").removesuffix(" does not answer")


def used(accounts: dict[str, dict[str, Any]]) -> int:
    """How often all of them have answered."""
    return sum(account["use_count"] for account in accounts.values())


def setting(replica: Gateway, section: str, name: str) -> Any:
    """A setting's value there."""
    with operator(replica, PREFIXES[0]) as admin:
        return admin.get("/config").raise_for_status().json()[section][name]


def look_up(pair: Pair, query: str) -> int:
    """A number that the database holds."""
    with psycopg.connect(pair.database_url) as connection:
        row = connection.execute(query).fetchone()
    return int(row[0] or 0) if row else 0
