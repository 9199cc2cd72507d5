"""What a chat answer consists of."""

from typing import Any

import orjson
import pytest

from grok_app.catalog import MODELS

from .conftest import Caller

THINKING_MODES = [mode for mode in {model.upstream_mode for model in MODELS.values()} if "THINKING" in mode]


def answer_of(responses: list[dict[str, Any]]) -> str:
    """The concatenation of the answer tokens."""
    return "".join(response["token"] for response in responses if "token" in response and not response["isThinking"])


def thoughts_of(responses: list[dict[str, Any]]) -> str:
    """The concatenation of the thinking tokens."""
    return "".join(response["token"] for response in responses if response.get("isThinking"))


def whole_of(responses: list[dict[str, Any]]) -> dict[str, Any]:
    """The modelResponse, which is the last frame."""
    whole: dict[str, Any] = responses[-1]["modelResponse"]
    return whole


async def test_frames_come_in_the_order_of_the_protocol(caller: Caller) -> None:
    """Conversation, user turn, fingerprint, answer tokens, soft stop, final metadata, whole response (section 11.1)."""
    lines = [orjson.loads(line)["result"] for line in (await caller.chat("Hello")).content.splitlines()]
    assert lines[0]["conversation"]["conversationId"]
    responses = [line["response"] for line in lines[1:]]
    assert responses[0]["userResponse"]["message"] == "Hello"
    assert responses[1]["llmInfo"]["modelHash"] == whole_of(responses)["metadata"]["llm_info"]["modelHash"]
    assert {(r["isThinking"], r["messageTag"]) for r in responses[2:-2]} == {(False, "final")}
    assert responses[-3] == {**responses[-3], "token": "", "isSoftStop": True}
    assert "finalMetadata" in responses[-2]


@pytest.mark.parametrize(
    "message", ["What is 17*23?", "你好，请介绍一下", "@long", "@card", "@artifact", "@echo a\r\n\tb  🙂"]
)
async def test_the_whole_message_is_the_concatenation_of_its_tokens(caller: Caller, message: str) -> None:
    """No token is lost, doubled or changed."""
    responses = await caller.responses(message)
    assert whole_of(responses)["message"] == answer_of(responses)


async def test_the_same_question_gets_the_same_answer_under_fresh_ids(caller: Caller) -> None:
    """Tests can rely on the text; ids never repeat."""
    first, second = await caller.responses("Same?"), await caller.responses("Same?")
    assert answer_of(first) == answer_of(second)
    assert whole_of(first)["responseId"] != whole_of(second)["responseId"]


async def test_the_answer_quotes_the_last_part_of_the_prompt(caller: Caller) -> None:
    """Of a flat prompt only the question is answered."""
    answer = answer_of(await caller.responses("system: be brief\n\nassistant: Hi\n\nWhat is rain?"))
    assert "> What is rain?" in answer
    assert "be brief" not in answer


@pytest.mark.parametrize("mode", [*sorted(THINKING_MODES), "MODEL_MODE_EXPERT"])
async def test_thinking_models_always_think_first(caller: Caller, mode: str) -> None:
    """Every thought stands before the first answer token, with tag, step and rollout."""
    responses = [r for r in await caller.responses("Why?", mode) if "token" in r]
    kinds = [r["isThinking"] for r in responses]
    assert kinds[0]
    assert kinds == sorted(kinds, reverse=True)
    assert responses[0] == {**responses[0], "messageTag": "header", "messageStepId": 0, "rolloutId": "Grok"}


@pytest.mark.parametrize("mode", ["MODEL_MODE_GROK_3", "MODEL_MODE_FAST", "MODEL_MODE_GROK_420"])
async def test_other_models_answer_at_once(caller: Caller, mode: str) -> None:
    """Without a thinking mode there is no thinking token."""
    assert thoughts_of(await caller.responses("Why?", mode)) == ""


async def test_heavy_thinks_with_two_agents(caller: Caller) -> None:
    """Each agent has its own rolloutId."""
    response = await caller.chat("Why?", "MODEL_MODE_HEAVY", "sandbox-super-1")
    assert b'"rolloutId":"Agent 1"' in response.content
    assert b'"rolloutId":"Agent 2"' in response.content


async def test_a_tool_card_is_split_over_thinking_tokens(caller: Caller) -> None:
    """@search: the XML of section 11.3, in pieces that together are well-formed."""
    responses = await caller.responses("rain @search")
    thoughts = thoughts_of(responses)
    assert "<xai:tool_name>web_search</xai:tool_name>" in thoughts
    assert '<![CDATA[{"query":"rain"}]]>' in thoughts
    assert not any("<xai:tool_usage_card>" in r.get("token", "") for r in responses)


async def test_agents_talk_and_look_for_pictures(caller: Caller) -> None:
    """@agents: the two other tools that clients render, and one that they don't know."""
    thoughts = thoughts_of(await caller.responses("rain @agents"))
    assert all(tool in thoughts for tool in ("chatroom_send", "search_images", "browse_page"))


async def test_a_picture_card_comes_before_the_tag_that_refers_to_it(caller: Caller) -> None:
    """@card: attachment, tag in the tokens and cardAttachmentsJson share one id."""
    responses = await caller.responses("@card rain")
    card = next(r["cardAttachment"]["jsonData"] for r in responses if "cardAttachment" in r)
    assert f'<grok:render card_id="{orjson.loads(card)["id"]}"' in answer_of(responses)
    assert whole_of(responses)["cardAttachmentsJson"] == [card]


async def test_generated_images_progress_to_their_paths(caller: Caller) -> None:
    """@images: the last path of each image stands in modelResponse."""
    responses = await caller.responses("@images")
    progress = [r["streamingImageGenerationResponse"] for r in responses if "streamingImageGenerationResponse" in r]
    assert [p["imageUrl"] for p in progress if p["progress"] == 100] == whole_of(responses)["generatedImageUrls"]


async def test_a_long_answer_has_2000_tokens(caller: Caller) -> None:
    """@long."""
    assert sum(bool(r.get("token")) for r in await caller.responses("@long")) == 2000


async def test_echo_returns_the_prompt_without_its_words(caller: Caller) -> None:
    """@echo: earlier turns keep even their magic words."""
    prompt = "user: @429 once\n\nassistant: no\n\n@echo exactly  this\n\nand this @search"
    expected = "user: @429 once\n\nassistant: no\n\nexactly  this\n\nand this "
    assert answer_of(await caller.responses(prompt)) == expected


@pytest.mark.parametrize("text", ["me@429", "@429x", "@429-", "@@429", "user: @429", "@nothing-known"])
async def test_only_whole_words_of_the_current_turn_are_magic(caller: Caller, text: str) -> None:
    """Everything else is text."""
    assert answer_of(await caller.responses(f"{text}\n\n@echo")).strip() == text


@pytest.mark.parametrize(
    "body",
    [[], "text", {}, {"message": 1}, {"message": None}, {"message": "a", "modelMode": 4}],
    ids=["list", "text", "no message", "number", "null", "mode"],
)
async def test_a_malformed_request_is_refused(caller: Caller, body: object) -> None:
    """400 in the form of gRPC-gateway."""
    response = await caller.post("/rest/app-chat/conversations/new", body)
    assert response.status_code == 400
    assert response.json()["code"] == 3
