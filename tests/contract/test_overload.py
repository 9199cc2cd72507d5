"""More at once than is served: what waits, what is refused, and that every place comes back.

Source: API contract, section 3, and the settings `chat.concurrent`, `app.key_…`.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

import httpx
import pytest

from grok_app.catalog import Pool
from tests.conftest import API_KEY, ENDLESS, KEYS, OTHER_API_KEY, QUICK_RETRIES
from tests.contract.admin import bearer, operator, set_up
from tests.contract.public import TALK, post, talking
from tests.contract.wire import CHAT, ENDINGS, ask, body, error_of
from tests.servers import Gateway, Sandbox, eventually, start_gateway

HURRIED: Final = """
from grok_app.runtime import opening
opening._WAIT_S = 0.3
"""
IMAGES: Final = "/v1/images/generations"
WAYS_OUT: Final = {
    **ENDINGS,
    "pictures": ("", {"model": "grok-imagine-1.0", "stream": False}),
    "no picture": ("", {"model": "grok-imagine-1.0-edit"}),
}


@pytest.fixture(scope="module")
def gateway(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    """A gateway where nobody waits for long, with more accounts than these tests use."""
    accounts = {Pool.BASIC: tuple(f"sandbox-basic-crowded-{number}-{ENDLESS}" for number in range(30))}
    settings = {**KEYS, **QUICK_RETRIES, "app.public_enabled": "true", "public.max_runs_per_address": "100"}
    folder = tmp_path_factory.mktemp("crowded")
    gateway = start_gateway(folder, sandbox, accounts, settings, beforehand=HURRIED)
    yield gateway
    gateway.stop()


@pytest.fixture
def keeper(gateway: Gateway) -> Generator[httpx.Client]:
    """The operator, whose changes are taken back."""
    with operator(gateway, "/v1/admin") as admin:
        yield admin
        set_up(admin, chat__concurrent=1000, app__key_requests_per_minute=0, app__key_parallel_streams=0)


@contextmanager
def chatting(gateway: Gateway, question: str, key: str = API_KEY) -> Generator[Iterator[str]]:
    """An answer under way, until it is left."""
    asked = body(f"{question} @stall", stream=True)
    with gateway.stranger.stream("POST", CHAT, json=asked, headers=bearer(key)) as answer:
        assert answer.status_code == 200
        lines = answer.iter_lines()
        next(lines)
        yield lines


def visiting(gateway: Gateway, question: str) -> AbstractContextManager[Any]:
    """The same of a visitor."""
    return talking(gateway, f"{question} @stall")


def check_overloaded(answer: httpx.Response) -> None:
    """It is a 503 that says when to come again."""
    assert answer.status_code == 503
    error = error_of(answer)
    assert (error["type"], error["code"], error["param"]) == ("service_unavailable_error", "overloaded", None)
    assert error["message"] == "Too many chats are under way. Please try again later."
    assert int(answer.headers["retry-after"]) >= 1


def check_limited(answer: httpx.Response) -> None:
    """It is a 429 that says when to come again."""
    assert answer.status_code == 429
    error = error_of(answer)
    assert (error["type"], error["code"], error["param"]) == ("rate_limit_error", "rate_limit_exceeded", None)
    assert 1 <= int(answer.headers["retry-after"]) <= 60


def test_one_too_many_waits_for_a_little_and_is_refused(gateway: Gateway, keeper: httpx.Client, question: str) -> None:
    """Visitors' chats and requests of pictures count too; everything else is served as ever."""
    set_up(keeper, chat__concurrent=2)
    with chatting(gateway, question), visiting(gateway, question):
        for stream in (True, False):
            check_overloaded(ask(gateway, question, stream=stream))
        check_overloaded(post(gateway, TALK, body(question)))
        check_overloaded(gateway.http.post(IMAGES, json={"model": "grok-imagine-1.0", "prompt": question}))
        for path in ("/healthz", "/readyz", "/v1/models"):
            assert gateway.http.get(path).status_code == 200

    eventually(lambda: ask(gateway, question, stream=False).status_code == 200, within_s=5)


@pytest.mark.parametrize(("words", "fields"), WAYS_OUT.values(), ids=WAYS_OUT)
def test_however_a_chat_ends_its_place_is_free(
    gateway: Gateway, keeper: httpx.Client, question: str, words: str, fields: dict[str, Any]
) -> None:
    """The next one needs no wait."""
    set_up(keeper, chat__concurrent=1, app__key_parallel_streams=1)
    statuses = {ask(gateway, f"{question} {words}", **fields).status_code for _ in range(3)}

    assert len(statuses) == 1
    assert not statuses & {429, 503}


@pytest.mark.parametrize("word", ["@stall", "@hang"])
def test_whoever_leaves_frees_the_place(gateway: Gateway, keeper: httpx.Client, question: str, word: str) -> None:
    """Before the first word and after it."""
    set_up(keeper, chat__concurrent=1, app__key_parallel_streams=1)
    with pytest.raises(httpx.ReadTimeout):
        gateway.http.post(CHAT, json=body(f"{question} {word}", stream=False), timeout=0.3)

    eventually(lambda: ask(gateway, question, stream=False).status_code == 200, within_s=5)


def test_each_key_has_so_many_requests_a_minute(gateway: Gateway, keeper: httpx.Client) -> None:
    """On every route of /v1; other keys aren't touched, and neither are visitors and the operator."""
    set_up(keeper, app__key_requests_per_minute=5)
    statuses = [gateway.http.get("/v1/models", headers=bearer(OTHER_API_KEY)).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]

    limited: list[Callable[[], httpx.Response]] = [
        lambda: gateway.stranger.get("/grok/v1/models/grok-3", headers=bearer(OTHER_API_KEY)),
        lambda: gateway.stranger.post(CHAT, json=body("Hello"), headers=bearer(OTHER_API_KEY)),
        lambda: gateway.stranger.post(IMAGES, json={}, headers={"x-api-key": OTHER_API_KEY}),
    ]
    for ask_again in limited:
        check_limited(ask_again())
    assert gateway.http.get("/v1/models").status_code == 200
    assert keeper.get("/verify").status_code == 200
    assert OTHER_API_KEY not in gateway.process.log()


def test_each_key_has_so_many_answers_at_once(gateway: Gateway, keeper: httpx.Client, question: str) -> None:
    """Streamed or whole, chats and pictures; one that has ended makes room."""
    set_up(keeper, app__key_parallel_streams=1)
    with chatting(gateway, question):
        check_limited(ask(gateway, question, stream=False))
        check_limited(ask(gateway, question, stream=True))
        check_limited(gateway.http.post(IMAGES, json={"model": "grok-imagine-1.0", "prompt": question}))
        check_limited(gateway.http.post("/v1/images/edits", json={}))
        with chatting(gateway, question, OTHER_API_KEY):
            assert gateway.http.get("/v1/models").status_code == 200

    eventually(lambda: ask(gateway, question, stream=False).status_code == 200, within_s=5)
