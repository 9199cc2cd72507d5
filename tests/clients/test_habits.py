"""What the chat programs of other people send (Open WebUI, Cherry Studio, LobeChat and their like), over raw HTTP.

What Grok has no use for is passed over, whatever its value: an answer is better than a lesson.
"""

from typing import Any

import pytest

from tests.clients.conftest import OTHER_SITE
from tests.conftest import API_KEY
from tests.contract.wire import CHAT, DONE, body, events
from tests.servers import Gateway

SDK_HEADERS = (
    "authorization,content-type,x-stainless-arch,x-stainless-lang,x-stainless-retry-count,x-title,http-referer"
)
FIELDS: dict[str, dict[str, Any]] = {
    "lengths": {"max_tokens": 5, "max_completion_tokens": 5},
    "length without limit": {"max_tokens": -1},
    "several answers": {"n": 2},
    "stop words": {"stop": ["the", "\n"]},
    "one stop word": {"stop": "the"},
    "json mode": {"response_format": {"type": "json_object"}},
    "text mode": {"response_format": {"type": "text"}},
    "log probabilities": {"logprobs": True, "top_logprobs": 5},
    "seed": {"seed": 7, "user": "someone", "safety_identifier": "x", "prompt_cache_key": "x"},
    "penalties": {"frequency_penalty": 0.5, "presence_penalty": -0.5, "logit_bias": {"50256": -100}},
    "storage": {"store": False, "metadata": {"chat_id": "x"}, "service_tier": "auto"},
    "no tools": {"tools": [], "tool_choice": "none", "parallel_tool_calls": False},
    "kinds of thinking": {"reasoning": {"effort": "low"}, "thinking": {"type": "disabled"}, "enable_thinking": False},
    "Open WebUI": {"chat_id": "x", "session_id": "x", "id": "x", "features": {"web_search": False}, "variables": {}},
    "Ollama's": {"options": {"num_ctx": 4096}, "keep_alive": "5m", "format": "json", "top_k": 40, "min_p": 0},
    "odd values": {"n": "many", "stop": {}, "seed": "x", "max_tokens": [], "response_format": 1, "tools": "none"},
    "nulls": dict.fromkeys(["n", "stop", "seed", "max_tokens", "tools", "stream_options", "temperature", "top_p"]),
    "no usage": {"stream_options": {"include_usage": False}},
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
def test_what_grok_has_no_use_for_is_passed_over(
    gateway: Gateway, question: str, fields: dict[str, Any], stream: bool
) -> None:
    """There is one answer, all of it, ended by itself, without log probabilities."""
    answer = gateway.http.post(CHAT, json=body(question, stream=stream, **fields)).raise_for_status()
    *chunks, last = events(answer.text)[:-1] if stream else [answer.json()]
    [choice] = last["choices"]

    assert (choice["index"], choice["finish_reason"], choice["logprobs"]) == (0, "stop", None)
    assert not stream or len(chunks) > 10


def test_messages_have_fields_of_their_own(gateway: Gateway, question: str) -> None:
    """A history may carry what the program, or an earlier answer, put into its messages."""
    history = [
        {"role": "system", "content": "Be brief", "name": "rules"},
        {"role": "user", "content": "Hello", "id": "1", "timestamp": 1, "files": []},
        {"role": "assistant", "content": "Hi", "refusal": None, "tool_calls": None, "reasoning_content": "Hm"},
        {"role": "user", "content": [{"type": "text", "text": question, "cache_control": {"type": "ephemeral"}}]},
    ]
    answer = gateway.http.post(CHAT, json=body("", messages=history, stream=False)).raise_for_status()

    assert question in answer.json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/", "/v1/models?limit=100", "/grok/v1/models"])
def test_a_connection_is_tried_by_listing_models(gateway: Gateway, path: str) -> None:
    """Programs test an address by its models, with and without a slash, and need the key for it."""
    found = gateway.http.get(path, follow_redirects=False).raise_for_status().json()

    assert found["object"] == "list"
    assert {"grok-4", "grok-imagine-1.0"} <= {model["id"] for model in found["data"]}
    assert gateway.stranger.get(path).status_code == 401


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/embeddings", "/v1/audio/speech", "/v1/completions"])
def test_what_is_not_offered_says_so(gateway: Gateway, path: str) -> None:
    """Programs that try another route first get a JSON 404, on which they fall back."""
    answer = gateway.http.post(path, json={})

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize(("path", "method"), [(CHAT, "POST"), (f"{CHAT}/", "POST"), ("/v1/models", "GET")])
def test_a_browser_is_allowed_to_ask(whole: Gateway, path: str, method: str) -> None:
    """The preflight of a site named in `GROK_APP_CORS_ORIGINS` allows the key and the headers of the SDKs."""
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": SDK_HEADERS}
    answer = whole.stranger.options(path, headers={"Origin": OTHER_SITE, **asked})

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == OTHER_SITE
    assert method in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == SDK_HEADERS


@pytest.mark.parametrize("key", [API_KEY, "wrong"], ids=["answer", "error"])
def test_a_browser_is_shown_what_came(whole: Gateway, key: str) -> None:
    """Answers and errors name the site too, and let its page read the request's id; another site gets neither."""
    headers = {"Origin": OTHER_SITE, "Authorization": f"Bearer {key}"}
    answer = whole.stranger.get("/v1/models", headers=headers)
    stranger = whole.stranger.get("/v1/models", headers={**headers, "Origin": "https://other.example.com"})

    assert answer.headers["access-control-allow-origin"] == OTHER_SITE
    assert "x-request-id" in answer.headers["access-control-expose-headers"].lower()
    assert "access-control-allow-origin" not in stranger.headers


def test_a_stream_ends_as_programs_expect(gateway: Gateway, question: str) -> None:
    """With `include_usage` a chunk without choices has the usage, right before `[DONE]`."""
    fields = {"stream": True, "stream_options": {"include_usage": True}}
    *_, finish, usage, done = events(gateway.http.post(CHAT, json=body(question, **fields)).text)

    assert finish["choices"][0]["finish_reason"] == "stop"
    assert (usage["choices"], usage["usage"]["total_tokens"] > 0) == ([], True)
    assert done == DONE
