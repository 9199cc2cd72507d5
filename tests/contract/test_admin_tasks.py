"""Long work of real processes, watched and cancelled. Source: API contract, section 10.

What a stream says event by event is held in `test_admin_batch`, where a test decides when an item ends.
"""

from collections.abc import Generator

import httpx
import pytest

from tests.conftest import APP_KEY
from tests.contract.admin import PREFIXES, account_of, asked_for, employ, fresh, operator, set_up, start, watch
from tests.contract.wire import error_of
from tests.servers import Gateway, Sandbox, eventually

REFRESH = "/tokens/refresh/async"
SLOW = "-@limits-hang"
AT_ONCE = 2


@pytest.fixture(params=PREFIXES)
def admin(managed: Gateway, request: pytest.FixtureRequest) -> Generator[httpx.Client]:
    """The operator, at each prefix, who asks for two accounts at once."""
    with operator(managed, request.param) as client:
        set_up(client, usage__concurrent=AT_ONCE)
        yield client
        set_up(client, usage__concurrent=100)


def test_a_cancelled_task_finishes_what_is_under_way(admin: httpx.Client, sandbox: Sandbox) -> None:
    """No new item starts, and watchers see what was finished, how it went, and that it ended."""
    tokens = fresh(*[f"-{number}{SLOW}" for number in range(20)])
    employ(admin, tokens)
    task_id, total = start(admin, REFRESH, {"tokens": tokens})
    eventually(lambda: len(asked_for(sandbox, tokens)) >= AT_ONCE)
    answer = admin.post(f"/batch/{task_id}/cancel")
    assert (answer.status_code, answer.json()) == (200, {"status": "success"})
    first, *_, last = watch(admin, task_id)
    assert (last["type"], last["status"], total) == ("cancelled", "cancelled", 20)
    assert "result" not in last
    assert len(asked_for(sandbox, tokens)) == last["processed"] <= first["processed"] + AT_ONCE

    first, end = watch(admin, task_id)
    assert (first["status"], end) == ("cancelled", last)
    assert admin.post(f"/batch/{task_id}/cancel").json() == {"status": "success"}


def test_a_watcher_who_comes_late_sees_where_it_stands_and_how_it_ended(admin: httpx.Client) -> None:
    """As often as anyone asks."""
    tokens = fresh("-quota7", "-quota8", "-@limits-500")
    employ(admin, tokens)
    task_id, total = start(admin, REFRESH, {"tokens": tokens})
    end = watch(admin, task_id)[-1]
    for _ in range(2):
        first, last = watch(admin, task_id)
        assert first == {
            "type": "snapshot",
            "task_id": task_id,
            "status": "done",
            "total": total,
            "processed": 3,
            "ok": 2,
            "fail": 1,
            "warning": None,
        }
        assert last == end


def test_a_watcher_who_leaves_ends_nothing(admin: httpx.Client, sandbox: Sandbox) -> None:
    """The task goes on, for the next watcher and without one."""
    tokens = fresh(f"-1{SLOW}", f"-2{SLOW}", "-3-quota7")
    employ(admin, tokens)
    task_id, _ = start(admin, REFRESH, {"tokens": tokens})
    with admin.stream("GET", f"/batch/{task_id}/stream") as answer:
        assert '"snapshot"' in next(answer.iter_lines())
    assert watch(admin, task_id)[-1]["type"] == "done"
    assert asked_for(sandbox, tokens) == set(tokens)
    assert account_of(admin, tokens[2])["quota"] == 7


def test_two_tasks_don_t_mix(admin: httpx.Client) -> None:
    """Each has its own id, items and end."""
    one, other = fresh("-1-quota7", "-2-quota8")
    employ(admin, [one, other])
    first, _ = start(admin, REFRESH, {"token": one})
    second, _ = start(admin, REFRESH, {"token": other})
    assert first != second
    assert watch(admin, first)[-1]["result"]["results"] == {one: True}
    assert watch(admin, second)[-1]["result"]["results"] == {other: True}


@pytest.mark.parametrize(("method", "step"), [("GET", "stream"), ("POST", "cancel")])
@pytest.mark.parametrize("task_id", ["nobody", "0", "..%2Fconfig", "x" * 500])
def test_an_unknown_task_is_not_found(admin: httpx.Client, method: str, step: str, task_id: str) -> None:
    """A plain JSON error, on the stream too."""
    answer = admin.request(method, f"/batch/{task_id}/{step}")
    assert answer.status_code == 404
    if "%2F" in task_id:  # may be another path altogether
        assert error_of(answer)["code"] == "not_found"
        return
    assert error_of(answer) == {
        "message": "Task not found",
        "type": "not_found_error",
        "param": None,
        "code": "not_found",
    }


def test_only_a_stream_takes_the_key_from_its_query(admin: httpx.Client, managed: Gateway) -> None:
    """An EventSource can't send headers; everything else can, and URLs are written down in many places."""
    [token] = fresh("-quota7")
    employ(admin, [token])
    task_id, _ = start(admin, REFRESH, {"token": token})
    prefix, query = admin.base_url.path.rstrip("/"), {"app_key": APP_KEY}
    answer = managed.stranger.get(f"{prefix}/batch/{task_id}/stream", params=query)
    assert answer.status_code == 200
    assert '"done"' in answer.text
    for method, path in (
        ("POST", f"/batch/{task_id}/cancel"),
        ("GET", "/verify"),
        ("GET", "/tokens"),
        ("GET", "/config"),
        ("POST", "/config"),
        ("POST", "/tokens/refresh"),
    ):
        refused = managed.stranger.request(method, f"{prefix}{path}", params=query, json={"token": token})
        assert (refused.status_code, error_of(refused)["message"]) == (401, "Missing authentication token"), path
    missing = managed.stranger.get(f"{prefix}/batch/{task_id}/stream")
    assert (missing.status_code, error_of(missing)["message"]) == (401, "Missing authentication token")
    assert APP_KEY not in managed.process.log()
