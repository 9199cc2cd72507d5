"""An operator's day with ten thousand accounts, at a gateway that keeps serving. Source: API contract, 5.4 and 10.

What is done at one prefix is looked at from the other.
"""

import asyncio
from collections.abc import Generator, Iterator
from typing import Any

import httpx
import openai
import orjson
import pytest

from grok_app.catalog import DEFAULT_QUOTA, Pool
from tests.conftest import ENDLESS, KEYS, QUICK_RETRIES
from tests.contract.admin import PREFIXES, account_of, operator, start, watch
from tests.contract.wire import ask, error_of
from tests.servers import Gateway, Sandbox, start_gateway, start_sandbox

ACCOUNTS = 10_000
AT_ONCE = 10
TOKENS = [f"sandbox-basic-day-{number:05}" for number in range(ACCOUNTS)]
DEAD = [f"sandbox-basic-dead-{number}-@limits-401" for number in range(7)]
DRAINED = "sandbox-basic-drained-quota3"
DRAINED_QUOTA = 3
GROKS_WINDOW_S = 20 * 3600
OUR_REST_S = 900
LIMITS_PATH = "/rest/rate-limits"
REFRESH = "/tokens/refresh/async"
CHATS = 500
PROGRAMS = 10
GOOD = [f"sandbox-basic-good-{number}-{ENDLESS}" for number in range(7)]
BAD = [f"sandbox-basic-bad-{ENDLESS}-@{status}" for status in (429, 401, 500)]


@pytest.fixture(scope="module")
def grok(tmp_path_factory: pytest.TempPathFactory) -> Generator[Sandbox]:
    """A sandbox of our own, so that everything it is asked is asked by us."""
    sandbox = start_sandbox(tmp_path_factory.mktemp("grok"))
    yield sandbox
    sandbox.http.close()
    sandbox.process.stop()


@pytest.fixture(scope="module")
def managed(grok: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    """The operator's gateway, without accounts; each test brings its own."""
    settings = {**KEYS, **QUICK_RETRIES, "usage.concurrent": str(AT_ONCE)}
    gateway = start_gateway(tmp_path_factory.mktemp("managed"), grok, {}, settings)
    yield gateway
    gateway.stop()


@pytest.fixture
def admin(managed: Gateway) -> Generator[httpx.Client]:
    """The operator at the canonical prefix."""
    with operator(managed, PREFIXES[0]) as client:
        yield client


@pytest.fixture
def alias(managed: Gateway) -> Generator[httpx.Client]:
    """The operator at the other prefix."""
    with operator(managed, PREFIXES[1]) as client:
        yield client


def replace(client: httpx.Client, tokens: list[str]) -> dict[str, Any]:
    """Let these be all the accounts."""
    answer: dict[str, Any] = client.post("/tokens", json={"ssoBasic": tokens}).raise_for_status().json()
    return answer


def listed(client: httpx.Client) -> dict[str, dict[str, Any]]:
    """The basic accounts by their tokens."""
    accounts = client.get("/tokens").raise_for_status().json()["ssoBasic"]
    return {account["token"]: account for account in accounts}


def read_events(stream: httpx.Response) -> Iterator[dict[str, Any]]:
    """The events of a task as they come."""
    for line in stream.iter_lines():
        if line.startswith("data: "):
            yield orjson.loads(line.removeprefix("data: "))


def asked_so_far(grok: Sandbox) -> int:
    """How often Grok was asked for anything."""
    return int(grok.state()["total_requests"])


def quotas_asked(grok: Sandbox, token: str) -> int:
    """How often Grok was lately asked for the quota of this account."""
    entries = grok.http.get("/sandbox/requests").raise_for_status().json()
    return sum(entry["account"] == token and entry["path"] == LIMITS_PATH for entry in entries)


def test_ten_thousand_accounts_move_in(admin: httpx.Client, alias: httpx.Client) -> None:
    """A list is taken over whole, in whatever form its tokens are pasted; taken over again it changes nothing."""
    pasted = [f"sso={token}; path=/" if number % 2 else token for number, token in enumerate(TOKENS)]
    replace(alias, ["sandbox-basic-of-yesterday"])

    moved_in = replace(admin, pasted)
    accounts = listed(alias)
    again = replace(alias, TOKENS)

    assert (moved_in["added"], moved_in["deleted"], moved_in["skipped"]) == (ACCOUNTS, 1, [])
    assert accounts.keys() == set(TOKENS)
    assert {(account["status"], account["quota"]) for account in accounts.values()} == {
        ("active", DEFAULT_QUOTA[Pool.BASIC])
    }
    assert [again[count] for count in ("added", "updated", "deleted", "duplicates")] == [0, 0, 0, 0]
    assert listed(admin) == accounts


@pytest.mark.timeout(300)  # ten thousand questions to Grok; how fast they go is for the benchmarks to say
def test_all_accounts_are_refreshed_under_the_operators_eyes(
    admin: httpx.Client, alias: httpx.Client, grok: Sandbox
) -> None:
    """Every account is asked for once, each step is one event, and a bad account is a failed item and no more."""
    tokens = TOKENS[len(DEAD) :] + DEAD
    replace(admin, tokens)
    asked_before = asked_so_far(grok)

    task_id, total = start(admin, REFRESH, {"tokens": tokens})
    *_, end = watch(alias, task_id)

    assert (end["type"], end["status"]) == ("done", "done")
    assert (total, end["processed"], end["fail"]) == (ACCOUNTS, ACCOUNTS, len(DEAD))
    assert end["result"]["results"] == dict.fromkeys(tokens, True) | dict.fromkeys(DEAD, False)
    assert asked_so_far(grok) - asked_before == ACCOUNTS
    assert {token for token, account in listed(alias).items() if not account["last_sync_at"]} == set(DEAD)


def test_a_cancelled_refresh_asks_for_no_further_account(
    admin: httpx.Client, alias: httpx.Client, grok: Sandbox
) -> None:
    """What is under way finishes, nothing new begins, and the watcher is told where it ended."""
    replace(admin, TOKENS)
    asked_before = asked_so_far(grok)

    task_id, _ = start(alias, REFRESH, {"tokens": TOKENS})
    with admin.stream("GET", f"/batch/{task_id}/stream") as stream:
        events = read_events(stream)
        next(event for event in events if event["processed"] >= ACCOUNTS // 50)
        assert alias.post(f"/batch/{task_id}/cancel").json() == {"status": "success"}
        asked_when_cancelled = asked_so_far(grok)
        *_, end = events
    admin.post("/tokens/refresh", json={"token": TOKENS[0]}).raise_for_status()
    asked_after = asked_so_far(grok) - 1

    assert (end["type"], end["status"], end["fail"]) == ("cancelled", "cancelled", 0)
    assert asked_after - asked_before == end["processed"] < ACCOUNTS
    assert asked_after - asked_when_cancelled <= AT_ONCE


def test_a_wrong_setting_changes_nothing(admin: httpx.Client, alias: httpx.Client) -> None:
    """The field is named, and what else was sent with it is not stored either."""
    before = admin.get("/config").json()
    answer = alias.post("/config", json={"chat.timeout": 90, "token": {"max_inflight": 0}})

    assert answer.status_code == 400
    assert error_of(answer)["param"] == "token.max_inflight"
    assert admin.get("/config").json() == before


def test_a_setting_is_in_force_at_the_next_request(
    admin: httpx.Client, alias: httpx.Client, managed: Gateway, question: str
) -> None:
    """No restart, no delay: the very next chat is answered the other way."""
    replace(admin, GOOD)
    seen = []
    for client, value in ((admin, False), (alias, True)):
        client.post("/config", json={"app": {"stream": value}}).raise_for_status()
        seen.append(ask(managed, question).raise_for_status().headers["content-type"])

    assert seen == ["application/json", "text/event-stream; charset=utf-8"]
    assert admin.get("/config").json()["app"]["stream"] is True


def test_accounts_are_added_switched_and_deleted_one_by_one(
    admin: httpx.Client, alias: httpx.Client, managed: Gateway, question: str
) -> None:
    """Each step tells on the next chat: an account that is disabled or deleted serves nobody, one that is back does."""
    replace(admin, [])
    token = GOOD[0]
    steps = (
        (admin, "POST", "/tokens/add", {"tokens": [token], "pool": "ssoBasic"}, 200),
        (alias, "PATCH", "/tokens", {"token": token, "status": "disabled", "note": "on leave"}, 429),
        (admin, "PATCH", "/tokens", {"token": token, "status": "active"}, 200),
        (alias, "POST", "/tokens/delete", {"tokens": [token]}, 429),
        (alias, "POST", "/tokens/add", {"tokens": [token]}, 200),
    )
    for client, method, path, body, expected in steps:
        client.request(method, path, json=body).raise_for_status()
        answer = ask(managed, question, stream=False)
        assert answer.status_code == expected, (method, body)
        if expected == 429:
            assert error_of(answer)["message"] == "No available tokens. Please try again later."
            assert "retry-after" not in answer.headers


def test_a_drained_account_rests_and_comes_back(
    admin: httpx.Client, alias: httpx.Client, managed: Gateway, grok: Sandbox, question: str
) -> None:
    """It serves until Grok says no, then callers are told when to come back.

    The first request that finds it resting asks Grok once and is served when there is quota again; later ones don't ask
    again within a minute; the operator may at any time.
    """
    replace(admin, [DRAINED])

    def chat() -> httpx.Response:
        return ask(managed, question, stream=False)

    *served, refused = [chat() for _ in range(DRAINED_QUOTA + 1)]
    assert [answer.status_code for answer in (*served, refused)] == [200] * DRAINED_QUOTA + [429]
    assert OUR_REST_S < int(refused.headers["retry-after"]) <= GROKS_WINDOW_S
    resting = account_of(alias, DRAINED)
    assert (resting["status"], resting["quota"]) == ("cooling", 0)

    grok.http.post("/sandbox/reset").raise_for_status()
    assert [chat().status_code for _ in range(DRAINED_QUOTA)] == [200] * DRAINED_QUOTA
    spent = chat()
    assert spent.status_code == 429
    assert 0 < int(spent.headers["retry-after"]) <= OUR_REST_S
    assert quotas_asked(grok, DRAINED) == 1

    grok.http.post("/sandbox/reset").raise_for_status()
    assert alias.post("/tokens/refresh", json={"token": DRAINED}).json()["results"] == {DRAINED: True}
    back = account_of(admin, DRAINED)
    assert (back["status"], back["quota"]) == ("active", DRAINED_QUOTA)
    assert chat().status_code == 200


async def test_no_chat_fails_that_an_account_could_have_served(
    admin: httpx.Client, alias: httpx.Client, managed: Gateway, grok: Sandbox, question: str
) -> None:
    """Of ten accounts one is limited, one is refused, one breaks: five hundred chats at once are all answered."""
    replace(admin, [*GOOD, *BAD])
    grok.http.post("/sandbox/reset").raise_for_status()
    prompts = [f"{question} {number}." for number in range(CHATS)]
    programs = (run_program(managed, prompts[first::PROGRAMS]) for first in range(PROGRAMS))
    failures = [failure for program in await asyncio.gather(*programs) for failure in program]

    assert failures == []
    assert {account["account"] for account in grok.state()["accounts"]} == {*GOOD, *BAD}
    accounts = listed(alias)
    assert sum(accounts[token]["use_count"] for token in GOOD) == CHATS
    assert [accounts[token]["use_count"] for token in BAD] == [0, 0, 0]


async def run_program(gateway: Gateway, prompts: list[str]) -> list[object]:
    """A program that asks all of this at once, every other time as a stream; what it got instead of answers."""
    async with openai.AsyncOpenAI(base_url=gateway.base_url, api_key=gateway.key, max_retries=0) as client:
        chats = (chat(client, prompt, stream=number % 2 == 0) for number, prompt in enumerate(prompts))
        answers = await asyncio.gather(*chats, return_exceptions=True)
    return [got for prompt, got in zip(prompts, answers, strict=True) if not isinstance(got, str) or prompt not in got]


async def chat(client: openai.AsyncOpenAI, prompt: str, *, stream: bool) -> str:
    """Ask one thing; the text of the answer, which must come to its end."""
    messages: list[Any] = [{"role": "user", "content": prompt}]
    if not stream:
        whole = await client.chat.completions.create(model="grok-3", messages=messages, stream=False)
        assert whole.choices[0].finish_reason == "stop"
        return whole.choices[0].message.content or ""
    async with await client.chat.completions.create(model="grok-3", messages=messages, stream=True) as chunks:
        seen = [chunk.choices[0] async for chunk in chunks]
    assert seen[-1].finish_reason == "stop"
    return "".join(choice.delta.content or "" for choice in seen)
