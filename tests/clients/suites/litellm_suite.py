"""LiteLLM as a client: its `openai/` provider with our address."""

from base64 import b64decode, b64encode
from collections.abc import Generator
from io import BytesIO
from typing import Any

import litellm
import pytest

Client = dict[str, str]


@pytest.fixture(scope="module")
def client(url: str, key: str) -> Generator[Client]:
    """What every call is told: the address and the key, as keywords."""
    litellm.suppress_debug_info = True
    yield {"api_base": url, "api_key": key}
    litellm.suppress_debug_info = False


def asked(content: Any, model: str = "grok-4") -> dict[str, Any]:
    """The model and the one message of a call, which isn't tried again."""
    return {"model": f"openai/{model}", "messages": [{"role": "user", "content": content}], "max_retries": 0}


def test_completion_answers_whole(client: Client, question: str) -> None:
    """`litellm.completion` gives text and usage, with the parameters that it lets through."""
    answer = litellm.completion(
        **asked(question), **client, temperature=0.5, max_tokens=100, stop=["never"], seed=7, user="me", n=1
    )

    assert question in answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


async def test_acompletion_answers_and_streams(client: Client, question: str) -> None:
    """`litellm.acompletion` gives the same, whole and streamed."""
    answer = await litellm.acompletion(**asked(question), **client)
    stream = await litellm.acompletion(**asked(question), **client, stream=True)
    text = [chunk.choices[0].delta.content or "" async for chunk in stream]

    assert "".join(text) == answer.choices[0].message.content


def test_stream_has_usage_at_its_end(client: Client, question: str) -> None:
    """A stream gives text, and with `include_usage` the usage last."""
    *chunks, last = litellm.completion(**asked(question), **client, stream=True, stream_options={"include_usage": True})

    assert question in "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert last.usage.completion_tokens > 0


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_thinking_is_apart(client: Client, question: str, stream: bool) -> None:
    """Thinking arrives as `reasoning_content`."""
    answer = litellm.completion(**asked(question, "grok-4-thinking"), **client, stream=stream)
    built = litellm.stream_chunk_builder(list(answer)) if stream else answer

    assert question in built.choices[0].message.reasoning_content
    assert "<think>" not in built.choices[0].message.content


def test_pictures_are_drawn_shown_and_changed(client: Client, question: str) -> None:
    """`image_generation` draws, `completion` takes the picture in a message, `image_edit` changes it."""
    drawn = litellm.image_generation(
        model="openai/grok-imagine-1.0",
        prompt=question,
        size="1024x1024",
        n=2,
        extra_body={"response_format": "b64_json"},  # the parameter itself is refused by LiteLLM for unknown models
        **client,
    )
    picture = BytesIO(b64decode(drawn.data[0].b64_json))
    picture.name = "picture.jpg"
    uri = f"data:image/jpeg;base64,{b64encode(picture.getvalue()).decode()}"
    seen = litellm.completion(
        **asked([{"type": "text", "text": question}, {"type": "image_url", "image_url": {"url": uri}}]), **client
    )
    changed = litellm.image_edit(model="openai/grok-imagine-1.0-edit", prompt=question, image=picture, **client)

    assert len(drawn.data) == 2
    assert question in seen.choices[0].message.content
    assert changed.data[0].url.startswith(client["api_base"])


def test_models_are_listed(client: Client) -> None:
    """LiteLLM finds out which models there are."""
    models = litellm.get_valid_models(check_provider_endpoint=True, custom_llm_provider="openai", **client)

    assert {"grok-4", "grok-imagine-1.0"} <= set(models)


@pytest.mark.parametrize(
    ("change", "kind", "status"),
    [
        ({"model": "openai/gpt-4"}, litellm.BadRequestError, 400),
        ({"api_key": "wrong"}, litellm.AuthenticationError, 401),
        ({"messages": [{"role": "user", "content": "@403-moderated"}]}, litellm.APIError, 403),
        ({"messages": [{"role": "user", "content": "@429"}]}, litellm.RateLimitError, 429),
        ({"messages": [{"role": "user", "content": "@500"}]}, litellm.BadGatewayError, 502),
    ],
    ids=["request", "key", "moderated", "limited", "broken"],
)
def test_errors_have_their_class(client: Client, change: dict[str, Any], kind: type[Exception], status: int) -> None:
    """A failure is LiteLLM's own class for it, on which its fall-backs and its router decide."""
    with pytest.raises(kind) as caught:
        litellm.completion(**{**asked("Hello"), **client, **change})

    assert caught.value.status_code == status


def test_a_break_in_the_stream_is_raised(client: Client) -> None:
    """A stream that breaks is an error, not a short answer."""
    with pytest.raises(litellm.exceptions.MidStreamFallbackError, match="Grok ended the answer"):
        list(litellm.completion(**asked("Hello @late-error"), **client, stream=True))
