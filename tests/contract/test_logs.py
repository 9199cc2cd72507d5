"""Log lines of a request: each one carries its ids, whoever writes it."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from grok_app.catalog import Pool
from tests.conftest import ENDLESS, KEYS, PUBLIC_KEY, QUICK_RETRIES, GatewayFactory
from tests.contract.wire import CHAT, body
from tests.servers import Gateway, eventually

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
TOKENS = tuple(f"sandbox-basic-logged-{number}-{ENDLESS}" for number in range(20))


@pytest.fixture(scope="module")
def talkative(make_gateway: GatewayFactory) -> Gateway:
    """A gateway that logs everything, as JSON, and does nothing by itself."""
    settings = {**KEYS, **QUICK_RETRIES, "log_json": "true", "log_level": "debug", "app.public_enabled": "true"}
    return make_gateway({Pool.BASIC: TOKENS}, settings)


def lines(gateway: Gateway) -> list[dict[str, Any]]:
    """What was logged since the mark; what is no JSON was not written by us."""
    return [json.loads(line) for line in gateway.process.news().splitlines() if line.startswith("{")]


def until_ended(gateway: Gateway, request_id: str) -> list[dict[str, Any]]:
    """The same, once the line that ends this request is there."""

    def ended() -> list[dict[str, Any]] | None:
        found = lines(gateway)
        is_over = any(it["event"] == "request" and it.get("request_id") == request_id for it in found)
        return found if is_over else None

    return eventually(ended)


def ask(gateway: Gateway, path: str, sent: dict[str, Any], request_id: str, *, key: str) -> Iterable[dict[str, Any]]:
    """What is logged of one request."""
    gateway.process.mark()
    headers = {
        "authorization": f"Bearer {key}",
        "x-request-id": request_id,
        "traceparent": f"00-{TRACE}-{PARENT}-01",
    }
    gateway.stranger.post(path, json=sent, headers=headers)
    return until_ended(gateway, request_id)


@pytest.mark.parametrize(
    ("path", "sent", "key"),
    [
        (CHAT, body("Hello", stream=True), "api"),
        (CHAT, body("Hello @429"), "api"),
        (CHAT, body("Hello @503", stream=True), "api"),
        (CHAT, body("Draw @images", stream=True), "api"),
        ("/v1/images/generations", {"prompt": "A teapot", "n": 2}, "api"),
        ("/v1/public/chat/completions", body("Hello @cut", stream=True), "public"),
        ("/v1/no/such/route", {}, "api"),
    ],
    ids=["chat", "fail-over", "retries", "pictures in a chat", "pictures", "broken off", "unknown"],
)
def test_each_line_of_a_request_has_its_ids(
    talkative: Gateway, path: str, sent: dict[str, Any], key: str, request: pytest.FixtureRequest
) -> None:
    """Those of work that it began as well: nothing else is logged while it lasts."""
    request_id = request.node.callspec.id.replace(" ", "-")
    shown = talkative.key if key == "api" else PUBLIC_KEY
    found = list(ask(talkative, path, sent, request_id, key=shown))
    assert [it["event"] for it in found][-1] == "request"
    assert [it for it in found if (it.get("request_id"), it.get("trace_id")) != (request_id, TRACE)] == []


def test_a_caller_writes_no_lines_of_its_own(talkative: Gateway) -> None:
    """What is odd in an id or a trace is not taken over, and a path is quoted."""
    talkative.process.mark()
    headers = {"x-request-id": 'a"},{"event":"forged"', "traceparent": f"00-{TRACE}-{PARENT}-01-forged"}
    answer = talkative.stranger.get("/v1/%0A%7B%22event%22:%22forged%22%7D", headers=headers)
    found = until_ended(talkative, answer.headers["x-request-id"])
    assert [it["event"] for it in found] == ["request"]
    assert "traceparent" not in answer.headers
