"""Two processes of one gateway over Redis: to visitors and to the operator they are one."""

import time
from collections.abc import Generator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from grok_app.catalog import Pool
from grok_app.db import open_vault
from tests.conftest import APP_KEY, ENDLESS, KEYS, QUICK_RETRIES, GatewayFactory
from tests.contract.admin import SESSION, from_nowhere_else, operator, sign_in
from tests.contract.media import UPLOAD, Calls, data_uri
from tests.contract.public import (
    FILM,
    FILM_STOP,
    KEY,
    PUBLIC,
    TASK_NOT_FOUND,
    begin,
    begin_film,
    film_of,
    filming,
    stop,
    transports,
    watching,
)
from tests.contract.runs import is_status, until
from tests.contract.test_public_limits import MOST_REQUESTS, VERIFY, Address, by_sse, check_refused, occupy, runs
from tests.contract.test_public_video import large_picture
from tests.contract.wire import error_of
from tests.redis import forget, redis_url
from tests.servers import Gateway, eventually

__all__ = ["redis_url"]
Pair = tuple[Gateway, Gateway]
AT_ONCE_S = 1.0


@pytest.fixture(scope="module")
def pair(make_gateway: GatewayFactory, redis_url: str) -> Generator[Pair]:
    """Two processes with one database and one Redis, behind a proxy that tells the visitors' addresses."""
    accounts = {Pool.BASIC: tuple(f"sandbox-basic-pair-{number}-{ENDLESS}" for number in range(50))}
    settings = {
        **KEYS,
        **QUICK_RETRIES,
        "app.public_enabled": "true",
        "trusted_proxies": "127.0.0.1",
        "token.auto_refresh": "false",
        "redis_url": redis_url,
    }
    first = make_gateway(accounts, settings)
    yield first, make_gateway({}, {**settings, "data_dir": str(first.process.folder)})
    forget(redis_url, open_vault("", first.process.folder).fingerprint("installation")[:16])


@pytest.fixture
def address() -> Address:
    """An address that no other test has."""
    return from_nowhere_else()


@transports
def test_a_task_is_watched_and_stopped_elsewhere(pair: Pair, question: str, address: Address, transport: str) -> None:
    """Begun at one process, watched at the other, and ended by the first."""
    here, there = pair
    task_id = begin(here, question, address)
    with watching(there, transport, task_id, address) as events:
        assert is_status(next(events), "running")
        began = time.monotonic()
        assert stop(here, task_id) == 1
        until(events, lambda event: is_status(event, "stopped"))
        assert time.monotonic() - began < AT_ONCE_S


def test_a_film_is_made_elsewhere(pair: Pair, calls: Calls, question: str, address: Address) -> None:
    """With its picture of several megabytes; once, whoever is asked."""
    here, there = pair
    content = large_picture()
    task_id = begin_film(here, question, address, image_url=data_uri(content))
    film_of(there, task_id, address)

    [uploaded] = calls(UPLOAD)
    assert uploaded["body_bytes"] > len(content) * 4 / 3
    for gateway in pair:
        answer = gateway.stranger.get(FILM, params={"task_id": task_id}, headers=address)
        assert (answer.status_code, error_of(answer)["message"]) == (404, TASK_NOT_FOUND)


def test_a_film_under_way_is_stopped_elsewhere(pair: Pair, question: str, address: Address) -> None:
    """Its stream ends in order."""
    here, there = pair
    task_id = begin_film(here, f"{question} @video-stall", address)
    with filming(there, task_id, address) as events:
        next(events)
        began = time.monotonic()
        assert stop(here, task_id, path=FILM_STOP) == 1
        list(events)
        assert time.monotonic() - began < AT_ONCE_S


def test_an_address_has_one_allowance(pair: Pair, address: Address) -> None:
    """However its requests are spread."""
    asked = [pair[number % 2].stranger.get(VERIFY, headers={**KEY, **address}) for number in range(MOST_REQUESTS + 2)]

    assert [answer.status_code for answer in asked] == [*[200] * MOST_REQUESTS, 429, 429]


def test_an_address_has_so_many_runs_in_all(pair: Pair, question: str, address: Address) -> None:
    """One that ends at one process makes room at the other."""
    here, there = pair
    with ExitStack() as stack:
        occupy(stack, there, question, address, by_sse, by_sse)
        with ExitStack() as left:
            occupy(left, here, question, address, by_sse)
            check_refused(there, question, address, "chat")

        eventually(lambda: runs(there, question, address), within_s=AT_ONCE_S)


def test_more_processes_give_no_more_guesses(pair: Pair, address: Address) -> None:
    """After five wrong keys at any of them, the right one waits at all of them."""

    def knock(gateway: Gateway, key: str) -> httpx.Response:
        return gateway.stranger.post(SESSION, json={"app_key": key}, headers=address)

    assert [knock(pair[number % 2], "wrong").status_code for number in range(5)] == [401] * 5
    assert [knock(gateway, APP_KEY).status_code for gateway in pair] == [429, 429]


def test_a_sign_out_holds_everywhere(pair: Pair) -> None:
    """At once, also where the session was known."""
    here, there = pair
    with httpx.Client(base_url=here.url) as browser, httpx.Client(base_url=there.url) as other:
        assert sign_in(browser, APP_KEY).status_code == 200
        other.cookies = httpx.Cookies(browser.cookies)
        assert other.get(SESSION).status_code == 200
        browser.delete(SESSION).raise_for_status()
        eventually(lambda: other.get(SESSION).status_code == 401, within_s=AT_ONCE_S)


def test_a_setting_is_in_force_elsewhere(pair: Pair) -> None:
    """A second later at the latest."""
    here, there = pair
    with operator(here, "/v1/admin") as admin:
        for size in (12_345, 54_321):
            admin.post("/config", json={"image": {"final_min_bytes": size}}).raise_for_status()
            eventually(lambda: config_of(there)["final_min_bytes"] == size, within_s=AT_ONCE_S)  # noqa: B023 - called at once


def config_of(gateway: Gateway) -> dict[str, Any]:
    """What visitors see of the settings."""
    shown: dict[str, Any] = gateway.stranger.get(f"{PUBLIC}/imagine/config", headers=from_nowhere_else()).json()
    return shown
