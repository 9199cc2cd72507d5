"""Thinking: shown or hidden, between tags or in a field of its own. Source: API contract, section 5.3."""

from typing import Any

import pytest

from tests.contract.wire import DONE, ask, events, streamed
from tests.servers import Gateway

MODEL = "grok-4-thinking"
THOUGHT = "Thinking about your request"


def parts(gateway: Gateway, question: str, *, stream: bool, **fields: Any) -> tuple[str, str]:
    """Content and `reasoning_content` of an answer."""
    answer = ask(gateway, question, stream=stream, **{"model": MODEL, **fields}).raise_for_status()
    if stream:
        *chunks, done = events(answer.text)
        assert done == DONE
        return streamed(chunks, "content"), streamed(chunks, "reasoning_content")
    message = answer.json()["choices"][0]["message"]
    return message["content"], message.get("reasoning_content") or ""


pytestmark = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])


@pytest.mark.parametrize("effort", [None, "minimal", "low", "medium", "high", "xhigh"], ids=str)
def test_thinking_comes_between_tags_by_default(
    gateway: Gateway, question: str, stream: bool, effort: str | None
) -> None:
    """By default thinking is shown inside the content: one `<think>` element, then the answer."""
    content, reasoning = parts(gateway, question, stream=stream, reasoning_effort=effort)

    assert reasoning == ""
    assert content.startswith("<think>\n")
    thinking, closing, answer = content.removeprefix("<think>\n").partition("\n</think>\n")
    assert closing
    assert THOUGHT in thinking
    assert question in answer
    assert "think>" not in thinking + answer


@pytest.mark.parametrize("effort", ["minimal", "low", "medium", "high", "xhigh"])
def test_thinking_may_have_a_field_of_its_own(changed: Gateway, question: str, stream: bool, effort: str) -> None:
    """With `app.thinking_format = reasoning_content` the content is the answer alone."""
    content, reasoning = parts(changed, question, stream=stream, reasoning_effort=effort)

    assert THOUGHT in reasoning
    assert THOUGHT not in content
    assert "think>" not in content + reasoning
    assert question in content


def test_effort_none_hides_thinking(gateway: Gateway, question: str, stream: bool) -> None:
    """`reasoning_effort: none` leaves the answer alone, whatever the setting says."""
    content, reasoning = parts(gateway, question, stream=stream, reasoning_effort="none")

    assert reasoning == ""
    assert THOUGHT not in content
    assert "think>" not in content
    assert question in content


@pytest.mark.parametrize("effort", [None, "none"], ids=str)
def test_the_setting_hides_thinking(changed: Gateway, question: str, stream: bool, effort: str | None) -> None:
    """With `app.thinking = false` a request that doesn't say gets the answer alone."""
    content, reasoning = parts(changed, question, stream=stream, reasoning_effort=effort)

    assert reasoning == ""
    assert THOUGHT not in content
    assert question in content


def test_an_answer_without_thinking_has_no_tags(gateway: Gateway, question: str, stream: bool) -> None:
    """A model that did not think leaves nothing of it, not even an empty element."""
    content, reasoning = parts(gateway, question, stream=stream, model="grok-3", reasoning_effort="high")

    assert "think>" not in content
    assert reasoning == ""
