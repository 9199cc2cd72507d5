"""Answers, streamed and whole, as the official client reads them. Source: API contract, section 5.3."""

import re
from uuid import UUID

import openai
import pytest

from tests.contract.test_models import TEXT_MODELS
from tests.contract.wire import CHAT, DONE, ask, body, events, streamed, text_of
from tests.servers import Gateway, Sandbox

UNICODE = 'Zażółć gęślą jaźń 你好世界 👩‍👩‍👧‍👦 \u202e \u0000 \\ " </script> 𝔘\u2028\x85.'


@pytest.mark.parametrize("model", TEXT_MODELS)
def test_every_text_model_answers_whole(client: openai.OpenAI, question: str, model: str) -> None:
    """Each model of the list answers with all that an OpenAI completion has, usage included."""
    answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": question}], stream=False)

    assert answer.object == "chat.completion"
    assert answer.model == model
    assert answer.created > 1_700_000_000
    assert answer.system_fingerprint
    [choice] = answer.choices
    assert (choice.index, choice.finish_reason, choice.message.role) == (0, "stop", "assistant")
    assert question in (choice.message.content or "")
    assert answer.usage is not None
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.completion_tokens > 0
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


@pytest.mark.parametrize("model", TEXT_MODELS)
def test_every_text_model_streams(client: openai.OpenAI, question: str, model: str) -> None:
    """Each model streams: the role first, then text, the finish reason last; every chunk under one id."""
    with client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": question}], stream=True
    ) as stream:
        chunks = list(stream)

    first, *middle, last = chunks
    assert (first.choices[0].delta.role, first.choices[0].delta.content) == ("assistant", "")
    assert last.choices[0].finish_reason == "stop"
    assert last.choices[0].delta.content is None
    assert all(chunk.choices[0].finish_reason is None for chunk in (first, *middle))
    assert question in "".join(chunk.choices[0].delta.content or "" for chunk in middle)
    assert {chunk.id for chunk in chunks} == {first.id}
    assert {(chunk.model, chunk.object, chunk.system_fingerprint) for chunk in chunks} == {
        (model, "chat.completion.chunk", first.system_fingerprint)
    }
    assert first.system_fingerprint
    assert {chunk.usage for chunk in chunks} == {None}


async def test_the_async_client_gets_the_same(async_client: openai.AsyncOpenAI, question: str) -> None:
    """A program that awaits reads the same answer, streamed and whole."""
    answer = await async_client.chat.completions.create(
        model="grok-4", messages=[{"role": "user", "content": question}], stream=False
    )
    stream = await async_client.chat.completions.create(
        model="grok-4", messages=[{"role": "user", "content": question}], stream=True
    )
    async with stream:
        text = [chunk.choices[0].delta.content or "" async for chunk in stream]

    assert question in (answer.choices[0].message.content or "")
    assert "".join(text) == answer.choices[0].message.content


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_the_id_is_groks(gateway: Gateway, question: str, stream: bool) -> None:
    """The id of an answer is the response id that Grok gave it, and no two answers share one."""
    answers = [ask(gateway, question, stream=stream) for _ in range(2)]
    ids = [events(answer.text)[0]["id"] if stream else answer.json()["id"] for answer in answers]

    assert len({UUID(found) for found in ids}) == 2


def test_a_stream_is_not_buffered_by_anyone(gateway: Gateway, question: str) -> None:
    """The headers forbid caches and proxies to hold the stream back, and it ends with `[DONE]`."""
    answer = ask(gateway, question, stream=True)

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.text.endswith("data: [DONE]\n\n")
    assert events(answer.text).count(DONE) == 1


def test_each_token_is_a_chunk(gateway: Gateway, question: str) -> None:
    """One chunk per token of Grok's: 2000 of them, none merged."""
    *chunks, _ = events(ask(gateway, f"{question} @long", stream=True).text)

    assert len([chunk for chunk in chunks if chunk["choices"][0]["delta"].get("content")]) == 2000


def test_a_chunk_leaves_at_once(gateway: Gateway, question: str) -> None:
    """The first tokens are there while the rest is still to come: here it never does."""
    with gateway.http.stream("POST", CHAT, json=body(f"{question} @stall", stream=True)) as answer:
        lines = (line for line in answer.iter_lines() if line)
        seen = [next(lines) for _ in range(4)]

    assert all(line.startswith("data: {") for line in seen)


@pytest.mark.parametrize("prefix", ["", "/grok"], ids=["/v1", "/grok/v1"])
def test_usage_comes_before_the_end_when_asked_for(gateway: Gateway, question: str, prefix: str) -> None:
    """With `include_usage` the last chunk has no choices but the usage, the same as the whole answer's."""
    with openai.OpenAI(base_url=f"{gateway.url}{prefix}/v1", api_key=gateway.key) as client:
        with client.chat.completions.create(
            model="grok-4-thinking",
            messages=[{"role": "user", "content": question}],
            stream=True,
            stream_options={"include_usage": True},
        ) as stream:
            *chunks, last = stream
        whole = client.chat.completions.create(
            model="grok-4-thinking", messages=[{"role": "user", "content": question}], stream=False
        )

    assert {chunk.usage for chunk in chunks} == {None}
    assert last.choices == []
    assert last.usage == whole.usage
    assert last.usage is not None
    assert last.usage.completion_tokens_details is not None
    assert (last.usage.completion_tokens_details.reasoning_tokens or 0) > 0


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_every_letter_survives(gateway: Gateway, question: str, stream: bool) -> None:
    """Accents, Chinese, emoji, quotes and control characters go to Grok and come back as they are."""
    asked = f"{question} {UNICODE}"

    assert text_of(gateway, f"{asked} @echo", stream=stream).rstrip() == asked


def test_a_long_prompt_arrives_whole(gateway: Gateway, sandbox: Sandbox, question: str) -> None:
    """50 KB of text reach Grok to the last letter."""
    prompt = f"{question} " + "0123456789abcdef " * 3000 + "end"
    ask(gateway, prompt, stream=False).raise_for_status()

    [asked] = sandbox.asked(question)
    assert asked["body"]["message"] == prompt


def test_the_usage_is_never_zero(gateway: Gateway) -> None:
    """The shortest question counts one token at least, in the prompt and in the answer."""
    usage = ask(gateway, "a @echo", stream=False).json()["usage"]

    assert usage["prompt_tokens"] >= 1
    assert usage["completion_tokens"] >= 1
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_usage_counts_thinking_that_was_hidden(gateway: Gateway, question: str) -> None:
    """Hiding the thinking does not make it cheaper."""
    shown = ask(gateway, question, model="grok-4-thinking", stream=False, reasoning_effort="low").json()["usage"]
    hidden = ask(gateway, question, model="grok-4-thinking", stream=False, reasoning_effort="none").json()["usage"]

    assert hidden == shown


@pytest.mark.parametrize("word", ["unknown", "sse", "trickle", "onechunk", "slow"])
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_framing_does_not_matter(gateway: Gateway, question: str, word: str, stream: bool) -> None:
    """However Grok's bytes are framed, split or delayed, the answer is the same."""
    asked = f"{question} 你好 @search"

    assert text_of(gateway, f"{asked} @{word}", stream=stream) == text_of(gateway, asked, stream=stream)


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("words", ["@artifact", "@card", "@search", "@agents", "@artifact @card @agents @trickle"])
def test_groks_markup_never_shows(gateway: Gateway, question: str, words: str, stream: bool) -> None:
    """Elements of `app.filter_tags` are taken out, also when they are split over tokens."""
    text = text_of(gateway, f"{question} {words}", stream=stream)

    assert not re.search(r"xaiartifact|xai:tool|grok:render|CDATA|artifact_id", text)
    assert question in text


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_tool_cards_become_lines(gateway: Gateway, question: str, stream: bool) -> None:
    """Each use of a tool is one readable line that says which agent did what."""
    lines = text_of(gateway, f"{question} @agents", stream=stream).splitlines()

    assert f"[Agent 1][AgentThink] I look at the facts first: {question}" in lines
    assert f"[Agent 2][SearchImage] {question}" in lines


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_a_search_becomes_a_line(gateway: Gateway, question: str, stream: bool) -> None:
    """A web search shows what was searched for."""
    assert f"[Grok][WebSearch] {question}" in text_of(gateway, f"{question} @search", stream=stream).splitlines()


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_a_found_image_is_shown(gateway: Gateway, question: str, stream: bool) -> None:
    """A card with an image becomes Markdown, once."""
    text = text_of(gateway, f"{question} @card", stream=stream)

    assert text.count("![A picture](https://example.com/a.jpg)") == 1


def test_the_operator_chooses_what_is_filtered(changed: Gateway, question: str) -> None:
    """With other `app.filter_tags`, Grok's own markup stays in, and theirs is taken out."""
    text = text_of(changed, f"{question} a<mytag>hidden</mytag>b <xaiartifact>kept</xaiartifact> @echo", stream=False)

    assert text.rstrip() == f"{question} ab <xaiartifact>kept</xaiartifact>"


def test_a_streamed_answer_is_the_whole_one(gateway: Gateway, question: str) -> None:
    """Streamed or not, the same question gets the same text."""
    asked = f"{question} @agents @card @artifact"
    *chunks, _ = events(ask(gateway, asked, stream=True, model="grok-4-heavy").text)
    whole = ask(gateway, asked, stream=False, model="grok-4-heavy").json()

    assert streamed(chunks, "content") == whole["choices"][0]["message"]["content"]


def test_options_of_other_models_are_ignored(gateway: Gateway, question: str) -> None:
    """What only pictures and videos know is nothing to a text model, like every unknown field."""
    options = {"image_config": {"n": 50}, "video_config": "none"}
    assert question in text_of(gateway, question, stream=False, **options)
