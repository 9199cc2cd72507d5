"""Visitors' conversations. Source: API contract, sections 5 and 9.

What is asked and answered is a chat's, see `test_chat`, `test_validation` and others; here is what differs.
"""

from collections.abc import Generator
from typing import Any

import openai
import pytest

from grok_app.catalog import Pool
from tests.conftest import ENDLESS, PUBLIC_KEY, QUICK_RETRIES, GatewayFactory
from tests.contract.admin import OTHER_ORIGIN
from tests.contract.media import attached, image, picture, text
from tests.contract.public import KEY, PREFIXES, TALK, post, talking
from tests.contract.test_models import TEXT_MODELS
from tests.contract.wire import CHAT, DONE, body, error_of, events, streamed
from tests.servers import Gateway, Sandbox

THINKER = "grok-4-thinking"
THOUGHT = "Thinking about your request"
OTHERS = ["grok-imagine-1.0", "grok-imagine-1.0-edit", "grok-imagine-1.0-video"]
PAGE = {"Content-Type": "text/plain"}
"""What a page says of its body whose browser shall not look first whether it may ask."""

both_forms = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])


@pytest.fixture(scope="module")
def keyless(make_gateway: GatewayFactory) -> Gateway:
    """A gateway whose studio is open to everybody."""
    accounts = {Pool.BASIC: tuple(f"sandbox-basic-keyless-{number}-{ENDLESS}" for number in range(10))}
    settings = {
        **QUICK_RETRIES,
        "cors_origins": OTHER_ORIGIN,
        "app.public_enabled": "true",
        "app.public_key": "",
        "app.thinking": "false",
        "public.requests_per_minute": "100000",
    }
    return make_gateway(accounts, settings)


@pytest.fixture(params=["key", "no key"])
def visited(studio: Gateway, keyless: Gateway, request: pytest.FixtureRequest) -> Gateway:
    """A gateway whose studio is open, with a key and without."""
    return studio if request.param == "key" else keyless


@pytest.fixture(params=["key", "no key"])
def closed(gateway: Gateway, changed: Gateway, request: pytest.FixtureRequest) -> Gateway:
    """A gateway whose studio is closed, with a key and without."""
    return gateway if request.param == "key" else changed


@pytest.fixture(params=PREFIXES)
def visitor(studio: Gateway, request: pytest.FixtureRequest) -> Generator[openai.OpenAI]:
    """The official client with the visitors' key, at each prefix."""
    base_url = f"{studio.url}{request.param}"
    with openai.OpenAI(base_url=base_url, api_key=PUBLIC_KEY, max_retries=0) as client:
        yield client


def reasoning_of(part: Any) -> str:
    """The thinking of a message or of a delta: a field that the SDK doesn't know and keeps."""
    return (part.model_extra or {}).get("reasoning_content") or ""


def test_the_official_client_streams(visitor: openai.OpenAI, question: str) -> None:
    """The address and the visitors' key are all that it needs."""
    with visitor.chat.completions.create(
        model=THINKER,
        messages=[{"role": "user", "content": question}],
        stream=True,
        stream_options={"include_usage": True},
    ) as stream:
        *chunks, last = stream

    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert (deltas[0].role, chunks[-1].choices[0].finish_reason) == ("assistant", "stop")
    assert question in "".join(delta.content or "" for delta in deltas)
    assert THOUGHT in "".join(map(reasoning_of, deltas))
    assert last.usage is not None
    assert last.usage.completion_tokens > 0


def test_the_official_client_gets_whole_answers(visitor: openai.OpenAI, question: str) -> None:
    """With all that a completion has."""
    answer = visitor.chat.completions.create(
        model=THINKER, messages=[{"role": "user", "content": question}], stream=False
    )

    [choice] = answer.choices
    assert (answer.object, answer.model, choice.finish_reason) == ("chat.completion", THINKER, "stop")
    assert question in (choice.message.content or "")
    assert THOUGHT in reasoning_of(choice.message)
    assert answer.usage is not None
    assert answer.usage.completion_tokens > 0


@pytest.mark.parametrize("model", TEXT_MODELS)
def test_every_text_model_answers(studio: Gateway, question: str, model: str) -> None:
    """Those that make pictures and videos aside, all of the list."""
    answer = post(studio, TALK, body(question, model=model, stream=False)).raise_for_status().json()

    assert answer["model"] == model
    assert question in answer["choices"][0]["message"]["content"]


@pytest.mark.parametrize("model", OTHERS)
def test_other_models_are_refused(studio: Gateway, sandbox: Sandbox, question: str, model: str) -> None:
    """Before anything else that may be wrong with such a request; pictures and videos have routes of their own."""
    answer = post(studio, TALK, body(question, model=model, image_config={"n": 99}, temperature=3))

    assert answer.status_code == 400
    assert error_of(answer) == {
        "message": f"The model `{model}` is not a text model.",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_supported",
    }
    assert sandbox.asked(question) == []


@pytest.mark.parametrize(
    "asked",
    [
        body("Hi", model="unheard-of"),
        body("Hi", temperature=3),
        body("Hi", reasoning_effort="huge"),
        body(""),
        body([{"type": "image_url", "image_url": {"url": "data:image/png;base64,bm8gcGljdHVyZQ=="}}]),
        body([]),
        {"model": "grok-3", "messages": []},
        {},
    ],
    ids=["model", "temperature", "effort", "blank", "no picture", "no blocks", "no messages", "nothing"],
)
def test_a_wrong_body_is_refused_as_a_programs_is(studio: Gateway, asked: dict[str, Any]) -> None:
    """Letter by letter."""
    answer, other = post(studio, TALK, asked), studio.http.post(CHAT, json=asked)

    assert (answer.status_code, error_of(answer)) == (400, error_of(other))


@both_forms
def test_thinking_has_a_field_of_its_own(studio: Gateway, question: str, stream: bool) -> None:
    """Though the setting says tags, as a program gets them: a page shows thoughts apart."""
    asked = body(question, model=THINKER, stream=stream)
    assert "<think>" in studio.http.post(CHAT, json=asked).raise_for_status().text
    answer = post(studio, TALK, asked).raise_for_status()
    if stream:
        *chunks, done = events(answer.text)
        assert done == DONE
        content, reasoning = streamed(chunks, "content"), streamed(chunks, "reasoning_content")
    else:
        message = answer.json()["choices"][0]["message"]
        content, reasoning = message["content"], message["reasoning_content"]

    assert THOUGHT in reasoning
    assert question in content
    assert THOUGHT not in content
    assert "think>" not in content + reasoning


@both_forms
@pytest.mark.parametrize(
    ("effort", "is_shown"), [("none", False), (None, False), ("low", True)], ids=["none", "unsaid", "low"]
)
def test_effort_and_setting_decide_whether_there_is_thinking(
    keyless: Gateway, question: str, effort: str | None, is_shown: bool, stream: bool
) -> None:
    """Here `app.thinking` is off."""
    asked = body(question, model=THINKER, reasoning_effort=effort, stream=stream)
    answer = keyless.stranger.post(TALK, json=asked).raise_for_status()

    assert ("reasoning_content" in answer.text) is is_shown
    assert (THOUGHT in answer.text) is is_shown


@both_forms
def test_an_attached_picture_reaches_grok(studio: Gateway, sandbox: Sandbox, question: str, stream: bool) -> None:
    """As a data URI, for a page has no other address for what somebody picks."""
    content = picture()
    post(studio, TALK, body([text(question), image(content)], stream=stream)).raise_for_status()

    [asked] = sandbox.asked(question)
    assert asked["body"]["message"] == question
    assert [found.content for found in attached(sandbox, asked)] == [content]


def test_an_answer_that_breaks_ends_with_the_error(studio: Gateway, question: str) -> None:
    """In the stream, after what was said, and then `[DONE]`."""
    with talking(studio, f"{question} @late-error") as told:
        *chunks, error, done = told

    assert streamed(chunks, "content")
    assert error["error"].pop("message")
    assert error == {"error": {"type": "server_error", "param": None, "code": "upstream_error"}}
    assert done == DONE


def test_text_leaves_at_once(studio: Gateway, question: str) -> None:
    """Here the answer never ends."""
    with talking(studio, f"{question} @stall") as chunks:
        said = next(chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"][0]["delta"].get("content"))

    assert said["content"]


def test_without_a_public_key_everybody_may_ask(keyless: Gateway, question: str) -> None:
    """Whatever is shown, as long as the studio is open."""
    for headers in ({}, {"Authorization": "Bearer anything"}):
        answer = keyless.stranger.post(TALK, json=body(question, stream=False), headers=headers)
        assert answer.status_code == 200


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("headers", [KEY, {}], ids=["key", "no key"])
def test_while_the_studio_is_closed_there_is_no_chat(
    closed: Gateway, sandbox: Sandbox, question: str, prefix: str, headers: dict[str, str]
) -> None:
    """Least of all one without a key: it is a 404, whatever is shown and sent."""
    for content in (body(question), {}):
        answer = closed.stranger.post(f"{prefix}/chat/completions", json=content, headers=headers)
        assert answer.status_code == 404
        assert error_of(answer) == {
            "message": "The public pages are switched off",
            "type": "not_found_error",
            "param": None,
            "code": "not_found",
        }
    assert sandbox.asked(question) == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({**PAGE, "Origin": "https://elsewhere.example"}, 403),
        ({**PAGE, "Sec-Fetch-Site": "cross-site"}, 403),
        ({**PAGE, "Origin": OTHER_ORIGIN}, 200),
        ({**PAGE, "Sec-Fetch-Site": "same-origin"}, 200),
    ],
    ids=["foreign", "foreign, without saying which", "named", "our own"],
)
def test_foreign_pages_ask_nothing(
    visited: Gateway, sandbox: Sandbox, question: str, headers: dict[str, str], status: int
) -> None:
    """A page that somebody visits gets no work done through that browser; those of `GROK_APP_CORS_ORIGINS` may."""
    answer = post(visited, TALK, body(question, stream=False), headers)

    assert answer.status_code == status
    assert len(sandbox.asked(question)) == (status == 200)
    if status == 403:
        assert error_of(answer)["code"] == "cross_site"


def test_the_reference_names_what_a_visitor_may_say(studio: Gateway) -> None:
    """The text models, and no options of others."""
    document = studio.stranger.get("/openapi.json").json()
    operation = document["paths"][TALK]["post"]
    fields = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]

    assert fields["model"]["enum"] == TEXT_MODELS
    assert fields.keys() >= {"messages", "stream", "reasoning_effort", "stream_options"}
    assert not fields.keys() & {"image_config", "video_config"}
    assert operation["responses"]["200"]["content"].keys() == {"application/json", "text/event-stream"}
