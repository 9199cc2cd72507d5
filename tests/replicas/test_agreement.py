"""What is done at one replica is so at the other: settings, sessions, limits, accounts, tasks, visitors' wishes."""

from collections.abc import Generator
from contextlib import ExitStack
from typing import Any, Final

import httpx
import pytest

from tests.conftest import APP_KEY, ENDLESS, PUBLIC_KEY
from tests.contract.admin import (
    PREFIXES,
    asked_for,
    fresh,
    from_nowhere_else,
    is_in,
    operator,
    set_up,
    sign_in,
    start,
    visitor,
    watch,
)
from tests.contract.public import FILM_STOP, STOP, TALK, begin, begin_film, filming, stop, watching
from tests.contract.runs import is_final, until
from tests.contract.wire import CHAT, ask, body, error_of
from tests.replicas.pair import MOST_REQUESTS, QUOTA, Pair, accounts_of
from tests.servers import Sandbox, eventually

SOON_S: Final = 5.0
"""A second, and the time that a busy machine takes."""
REFRESH: Final = "/tokens/refresh/async"
SLOW: Final = "-@limits-hang"
FREE_FAILURES: Final = 5


@pytest.fixture
def here(pair: Pair) -> Generator[httpx.Client]:
    """The operator at A."""
    with operator(pair.a, PREFIXES[0]) as admin:
        yield admin


@pytest.fixture
def there(pair: Pair) -> Generator[httpx.Client]:
    """The operator at B."""
    with operator(pair.b, PREFIXES[0]) as admin:
        yield admin


def test_a_setting_is_in_force_everywhere(pair: Pair, here: httpx.Client) -> None:
    """Within a second, for requests that nobody has told of it."""
    pair.employ(fresh(f"-{ENDLESS}"))

    def is_streamed() -> bool:
        answer = pair.b.http.post(CHAT, json=body("Hello")).raise_for_status()
        return answer.headers["content-type"].startswith("text/event-stream")

    assert is_streamed()
    set_up(here, app__stream=False)
    eventually(lambda: not is_streamed(), within_s=SOON_S)
    set_up(here, app__stream=True)
    eventually(is_streamed, within_s=SOON_S)


def test_a_console_session_is_one(pair: Pair) -> None:
    """Begun at A it opens B; ended at B it is over at A."""
    with visitor(pair.a) as at_a, visitor(pair.b) as at_b:
        sign_in(at_a, APP_KEY).raise_for_status()
        at_b.cookies.update(at_a.cookies)
        assert is_in(at_b)
        at_b.delete("/v1/admin/session").raise_for_status()
        eventually(lambda: not is_in(at_a), within_s=SOON_S)


def test_wrong_keys_count_together(pair: Pair) -> None:
    """Who guesses at both has no more tries than at one."""
    guesser = from_nowhere_else()
    with ExitStack() as stack:
        doors = [stack.enter_context(httpx.Client(base_url=replica.url, headers=guesser)) for replica in pair.replicas]
        for number in range(FREE_FAILURES):
            assert sign_in(doors[number % 2], "wrong").status_code == 401
        for door in doors:
            refused = sign_in(door, APP_KEY)
            assert (refused.status_code, error_of(refused)["code"]) == (429, "too_many_attempts")


def test_visits_count_together(pair: Pair) -> None:
    """A visitor has as many requests at both as at one."""
    pair.employ(fresh(*(f"-{number}-{ENDLESS}" for number in range(MOST_REQUESTS))))
    headers = {**from_nowhere_else(), "Authorization": f"Bearer {PUBLIC_KEY}"}

    def visit(number: int) -> int:
        return pair.replicas[number % 2].stranger.post(TALK, json=body("Hello"), headers=headers).status_code

    assert [visit(number) for number in range(MOST_REQUESTS)] == [200] * MOST_REQUESTS
    assert [visit(number) for number in range(2)] == [429] * 2


def test_accounts_are_the_same(pair: Pair, here: httpx.Client, there: httpx.Client) -> None:
    """Added, changed and deleted ones, whoever is asked; and the other replica serves with them."""
    first, second = fresh(f"-1-{ENDLESS}", f"-2-{ENDLESS}")
    pair.employ([first])
    here.post("/tokens/add", json={"tokens": [second]}).raise_for_status()
    eventually(lambda: accounts_of(pair.b).keys() == {first, second}, within_s=SOON_S)
    there.patch("/tokens", json={"token": first, "status": "disabled", "note": "gone fishing"}).raise_for_status()
    eventually(lambda: accounts_of(pair.a)[first]["note"] == "gone fishing", within_s=SOON_S)
    assert pair.agree()[first]["status"] == "disabled"
    assert ask(pair.a, "Hello", stream=False).status_code == 200
    here.post("/tokens/delete", json={"tokens": [first]}).raise_for_status()
    assert pair.agree().keys() == {second}
    assert ask(pair.b, "Hello", stream=False).status_code == 200


def test_what_is_used_counts_once(pair: Pair) -> None:
    """Both know what either has taken of an account."""
    [token] = fresh(f"-{ENDLESS}")
    pair.employ([token])
    for replica in (pair.a, pair.b, pair.b):
        assert ask(replica, "Hello", stream=False).status_code == 200
    eventually(lambda: pair.agree()[token]["use_count"] == 3)
    assert pair.agree()[token]["quota"] == QUOTA - 3


def test_an_account_that_rests_is_left_alone(pair: Pair, paced: Sandbox, question: str) -> None:
    """Also by the replica that was not refused itself."""
    tired, fit = fresh("-@429", f"-{ENDLESS}")
    pair.employ([tired, fit])
    eventually(lambda: ask(pair.a, question, stream=False).is_success and asked_with(paced, question, tired))
    eventually(lambda: accounts_of(pair.b)[tired]["status"] == "cooling", within_s=SOON_S)
    seen = len(asked_with(paced, question, tired))
    for _ in range(3):
        assert ask(pair.b, question, stream=False).status_code == 200
    assert len(asked_with(paced, question, tired)) == seen == 1


def test_a_task_is_steered_elsewhere(pair: Pair, paced: Sandbox, here: httpx.Client, there: httpx.Client) -> None:
    """Begun at A; watched, paused, resumed and cancelled at B."""
    tokens = fresh(*[f"-{number}{SLOW}" for number in range(20)])
    pair.employ(tokens)
    task_id, _ = start(here, REFRESH, {"tokens": tokens})
    eventually(lambda: asked_for(paced, tokens))
    there.post(f"/batch/{task_id}/pause").raise_for_status()
    eventually(lambda: status_of(here, task_id) == "paused")
    there.post(f"/batch/{task_id}/resume").raise_for_status()
    eventually(lambda: status_of(here, task_id) == "running")
    there.post(f"/batch/{task_id}/cancel").raise_for_status()

    ends = [watch(admin, task_id)[-1] for admin in (there, here)]
    assert ends[0] == ends[1]
    assert (ends[0]["type"], ends[0]["processed"]) == ("cancelled", len(asked_for(paced, tokens)))
    assert ends[0]["processed"] < len(tokens)


def test_a_task_is_watched_to_its_good_end_elsewhere(pair: Pair, here: httpx.Client, there: httpx.Client) -> None:
    """With its result."""
    tokens = fresh("-quota7", "-quota8")
    pair.employ(tokens)
    task_id, _ = start(here, REFRESH, {"tokens": tokens})
    *_, last = watch(there, task_id)
    assert (last["type"], last["result"]["results"]) == ("done", dict.fromkeys(tokens, True))


def test_what_a_visitor_wants_drawn_is_drawn_elsewhere(pair: Pair) -> None:
    """Wished for at A, watched at B, stopped from A."""
    pair.employ(fresh(*(f"-{number}-{ENDLESS}" for number in range(4))))
    address = from_nowhere_else()
    task_id = begin(pair.a, "A lighthouse", address)
    with watching(pair.b, "sse", task_id, address) as events:
        assert until(events, is_final)
        assert stop(pair.a, task_id, path=STOP) == 1
        assert until(events, lambda event: event.get("status") == "stopped")


def test_what_a_visitor_wants_filmed_is_filmed_elsewhere(pair: Pair) -> None:
    """Wished for at A, watched at B, stopped from A."""
    pair.employ(fresh(*(f"-{number}-{ENDLESS}" for number in range(4)), tier="basic"))
    address = from_nowhere_else()
    task_id = begin_film(pair.a, "A lighthouse @video-stall", address)
    with filming(pair.b, task_id, address) as events:
        assert next(events)
        assert stop(pair.a, task_id, path=FILM_STOP) == 1
        assert list(events)[-1] == ("message", "[DONE]")


def asked_with(sandbox: Sandbox, question: str, token: str) -> list[dict[str, Any]]:
    """How Grok was asked this with this account."""
    return [entry for entry in sandbox.asked(question) if entry["account"] == token]


def status_of(admin: httpx.Client, task_id: str) -> str:
    """How a task is now."""
    with admin.stream("GET", f"/batch/{task_id}/stream") as answer:
        line = next(answer.iter_lines())
    return str(next(word for word in ("paused", "running", "cancelled", "done") if f'"status":"{word}"' in line))
