"""What is recorded of each request that asks for a model. Source: issue 6, point 2; UI notes, Requests."""

from typing import Any

import httpx
import pytest

from grok_app.catalog import Pool
from grok_app.requests import RequestDetail
from grok_app.trace import LEFT
from tests.conftest import API_KEY, ENDLESS, PUBLIC_KEY, QUICK_RETRIES, GatewayFactory
from tests.contract.film import MODEL as FILM
from tests.contract.pictures import DRAW, EDIT, EDITS, GENERATIONS, picture, upload_of
from tests.contract.public import FILM as FILM_SSE
from tests.contract.public import SSE, TALK, WS, begin, begin_film
from tests.contract.records import named, recorded, written
from tests.contract.websocket import connected, upgrade_status
from tests.contract.wire import CHAT, body, events, streamed
from tests.servers import Gateway

both_forms = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])


def ask(gateway: Gateway, path: str, content: Any) -> tuple[httpx.Response, RequestDetail]:
    """The answer, and what was recorded of it."""
    headers = named()
    answer = gateway.http.post(path, json=content, headers=headers)
    return answer, recorded(gateway, headers)


def said(answer: httpx.Response, *, is_stream: bool) -> str:
    """The text of an answer, as far as it is kept."""
    if is_stream:
        return streamed(events(answer.text)[:-1], "content")[:10_000]
    return str(answer.json()["choices"][0]["message"]["content"])[:10_000]


@both_forms
@pytest.mark.parametrize("prefix", ["", "/grok"])
def test_a_chat(gateway: Gateway, question: str, stream: bool, prefix: str) -> None:
    """Everything about it is there but its content, under whichever prefix it was asked for."""
    answer, detail = ask(gateway, f"{prefix}{CHAT}", body(question, stream=stream, model="grok-4"))
    record = detail.record
    assert (record.route, record.model, record.is_stream) == (CHAT, "grok-4", stream)
    assert (record.status, record.outcome, record.error, record.retries) == (200, "ok", None, 0)
    assert record.key == f"…{API_KEY[-4:]}"
    assert record.bytes_sent == len(answer.content)
    assert record.prompt_tokens > 0
    assert record.completion_tokens > 0
    assert record.first_chunk_ms is not None
    assert 0 < record.first_chunk_ms <= record.duration_ms
    if not stream:
        usage = answer.json()["usage"]
        assert (record.prompt_tokens, record.completion_tokens) == (usage["prompt_tokens"], usage["completion_tokens"])
    [attempt] = detail.attempts
    assert (attempt.account_id, attempt.error) == (record.account_id, None)
    assert (detail.prompt, detail.answer, detail.reason) == (None, None, "")


@pytest.mark.parametrize(
    ("headers", "content", "refused", "key"),
    [
        ({"Authorization": "Bearer wrong-key-of-someone"}, {}, (401, "invalid_api_key"), "…eone"),
        ({"Authorization": "Bearer short"}, {}, (401, "invalid_api_key"), "…"),
        ({}, {}, (401, "invalid_api_key"), ""),
        ({"x-api-key": API_KEY}, {"model": "unheard-of"}, (400, "model_not_found"), f"…{API_KEY[-4:]}"),
        ({"x-api-key": API_KEY}, {"messages": "Hi"}, (400, "list_type"), f"…{API_KEY[-4:]}"),
    ],
    ids=["wrong-key", "short-key", "no-key", "unknown-model", "wrong-body"],
)
def test_a_refusal(
    gateway: Gateway, headers: dict[str, str], content: dict[str, Any], refused: tuple[int, str], key: str
) -> None:
    """What never reached Grok is recorded too, and never more of a key than its last four characters."""
    names = named()
    answer = gateway.stranger.post(CHAT, json={**body("Hi"), **content}, headers={**headers, **names})
    detail = recorded(gateway, names)
    record = detail.record
    assert (answer.status_code, (record.status, record.error), record.outcome) == (refused[0], refused, "error")
    assert (record.key, record.model, record.account_id, detail.attempts) == (key, "", None, ())
    assert detail.reason == answer.json()["error"]["message"]


@both_forms
def test_attempts_on_several_accounts(make_gateway: GatewayFactory, question: str, stream: bool) -> None:
    """Each account that was asked, with what it said, and the one that answered last."""
    accounts = {
        Pool.BASIC: (f"sandbox-basic-tried-{stream}-{ENDLESS}-@429",),
        Pool.SUPER: (f"sandbox-super-tried-{stream}-{ENDLESS}",),
    }
    gateway = make_gateway(accounts, {**QUICK_RETRIES, "app.api_key": ""})
    _, detail = ask(gateway, CHAT, body(question, stream=stream))
    limited, good = detail.attempts
    assert (limited.error, good.error) == ("rate_limited", None)
    assert limited.reason
    assert limited.account_id != good.account_id == detail.record.account_id
    assert (detail.record.outcome, detail.record.retries, detail.record.key) == ("ok", 1, "")


@both_forms
@pytest.mark.parametrize(
    ("word", "kinds", "told"),
    [
        ("429", ["rate_limited"] * 3, (429, "rate_limit_exceeded")),
        ("403-moderated", ["moderated"], (403, "content_policy_violation")),
        ("403-challenge", ["anti_bot"] * 3, (502, "upstream_error")),
    ],
    ids=["limited", "moderated", "challenged"],
)
def test_a_failure_of_grok(gateway: Gateway, word: str, kinds: list[str], told: tuple[int, str], stream: bool) -> None:
    """Its kind with each attempt, and what the caller was told with the request."""
    answer, detail = ask(gateway, CHAT, body(f"Hi @{word}", stream=stream))
    assert [attempt.error for attempt in detail.attempts] == kinds
    record = detail.record
    assert (answer.status_code, (record.status, record.error), record.outcome) == (told[0], told, "error")
    assert (record.retries, record.first_chunk_ms) == (len(kinds) - 1, None)


def test_a_stream_that_breaks(gateway: Gateway, question: str) -> None:
    """The status that it began with, and the error that ended it, at the account that was answering."""
    _, detail = ask(gateway, CHAT, body(f"{question} @late-error", stream=True))
    record = detail.record
    assert (record.status, record.outcome, record.error) == (200, "error", "upstream_error")
    assert record.first_chunk_ms is not None
    assert detail.attempts[-1].error
    assert detail.attempts[-1].account_id == record.account_id


@both_forms
@pytest.mark.parametrize("word", ["stall", "hang"])
def test_a_caller_who_leaves(gateway: Gateway, question: str, stream: bool, word: str) -> None:
    """In the midst of the answer or before it: that is no error of anyone's."""
    headers = named()
    asked = body(f"{question} @{word}", stream=stream)
    with pytest.raises(httpx.ReadTimeout):
        gateway.http.post(CHAT, json=asked, headers=headers, timeout=0.5)
    record = recorded(gateway, headers).record
    assert (record.outcome, record.error, record.model) == ("left", LEFT, "grok-3")
    assert record.status == (200 if stream and word == "stall" else 499)
    assert 400 < record.duration_ms < 5_000


@both_forms
def test_pictures(gateway: Gateway, question: str, stream: bool) -> None:
    """Drawn ones, by themselves and through chat."""
    for path, content in (
        (GENERATIONS, {"prompt": question, "n": 1, "stream": stream}),
        (CHAT, body(question, model=DRAW, stream=stream)),
    ):
        answer, detail = ask(gateway, path, content)
        record = detail.record
        assert (record.route, record.model, record.is_stream, record.outcome) == (path, DRAW, stream, "ok")
        assert record.bytes_sent == len(answer.content)
        assert record.completion_tokens == 1024
        assert len(detail.attempts) == 1


def test_an_edit(gateway: Gateway, question: str) -> None:
    """Given and made pictures are counted."""
    headers = named()
    files = [upload_of(picture("red"))]
    gateway.http.post(EDITS, data={"model": EDIT, "prompt": question, "n": "1"}, files=files, headers=headers)
    record = recorded(gateway, headers).record
    assert (record.route, record.model, record.status, record.completion_tokens) == (EDITS, EDIT, 200, 1024)
    assert record.prompt_tokens > 1024


@both_forms
def test_a_video(gateway: Gateway, question: str, stream: bool) -> None:
    """As any other answer."""
    _, detail = ask(gateway, CHAT, body(question, model=FILM, stream=stream))
    record = detail.record
    assert (record.route, record.model, record.is_stream, record.outcome) == (CHAT, FILM, stream, "ok")
    assert record.completion_tokens > 0


def test_what_visitors_ask_for(studio: Gateway, question: str) -> None:
    """A chat; pictures without end, whose viewers always leave, over both transports; a video; a voice token."""
    token = "/v1/public/voice/token"
    answers: dict[str, dict[str, str]] = {path: named() for path in (TALK, SSE, WS, FILM_SSE, token)}
    visitor = {"Authorization": f"Bearer {PUBLIC_KEY}"}
    talk = {**visitor, **answers[TALK]}
    studio.stranger.post(f"/api{TALK}", json=body(question, model="grok-4"), headers=talk).raise_for_status()
    task = begin(studio, question)
    with studio.stranger.stream("GET", SSE, params={"task_id": task}, headers=answers[SSE]) as answer:
        assert next(line for line in answer.iter_lines() if "image_generation" in line)
    with connected(studio, WS, {"task_id": task}, answers[WS]) as socket:
        socket.say(type="start")
        assert next(message for message in socket if message["type"].startswith("image_generation"))
    studio.stranger.get(
        FILM_SSE, params={"task_id": begin_film(studio, question)}, headers=answers[FILM_SSE]
    ).raise_for_status()
    studio.stranger.get(f"/api{token}", headers={**visitor, **answers[token]}).raise_for_status()

    records = {path: recorded(studio, headers).record for path, headers in answers.items()}
    assert {path: (record.route, record.model, record.status, record.outcome) for path, record in records.items()} == {
        TALK: (TALK, "grok-4", 200, "ok"),
        SSE: (SSE, DRAW, 200, "ok"),
        WS: (WS, DRAW, 101, "ok"),
        FILM_SSE: (FILM_SSE, FILM, 200, "ok"),
        token: (token, "voice", 200, "ok"),
    }
    assert {record.key for record in records.values()} == {"public"}
    assert all(record.bytes_sent > 0 for record in records.values())


def test_a_socket_that_is_refused(studio: Gateway) -> None:
    """As the 403 that its client sees."""
    headers = named()
    assert upgrade_status(studio, WS, {"task_id": "none"}, headers) == 403
    record = recorded(studio, headers).record
    assert (record.status, record.outcome, record.error) == (403, "error", "invalid_api_key")


@both_forms
def test_content_is_kept_where_it_is_wanted(make_gateway: GatewayFactory, question: str, stream: bool) -> None:
    """With `app.log_content` on: the conversation, at most 10,000 characters, and the answer without its thinking."""
    accounts = {Pool.BASIC: tuple(f"sandbox-basic-logged-{number}-{ENDLESS}" for number in range(5))}
    settings = {**QUICK_RETRIES, "app.api_key": "", "app.log_content": "true", "app.thinking": "false"}
    gateway = make_gateway(accounts, settings)
    answer, detail = ask(gateway, CHAT, body(f"{question} ￥ {'x' * 10_000}", stream=stream))
    assert detail.prompt == f"{question} ￥ {'x' * 10_000}"[:10_000]
    assert detail.answer == said(answer, is_stream=stream)


def test_what_asks_for_no_model_is_not_recorded(gateway: Gateway) -> None:
    """Nor HEAD and OPTIONS: the record is that of requests to Grok."""
    before, after = named(), named()
    for method, path in (("GET", "/v1/models"), ("GET", "/healthz"), ("OPTIONS", CHAT), ("HEAD", SSE)):
        gateway.stranger.request(method, path, headers=before)
    gateway.http.post(CHAT, json=body("Hi"), headers=after)
    assert recorded(gateway, after).record.route == CHAT
    assert written(gateway, before) == []
