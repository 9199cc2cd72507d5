"""The official `openai` client: its error classes, its retries, its helpers."""

from typing import cast

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from tests.servers import Gateway, Sandbox


def ask(client: openai.OpenAI, content: str, *, model: str = "grok-3") -> str:
    """The text of a streamed answer."""
    with client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": content}], stream=True
    ) as stream:
        return "".join(chunk.choices[0].delta.content or "" for chunk in stream)


@pytest.mark.parametrize(
    ("word", "kind", "code"),
    [
        ("@403-moderated", openai.PermissionDeniedError, "content_policy_violation"),
        ("@429", openai.RateLimitError, "rate_limit_exceeded"),
        ("@500", openai.InternalServerError, "upstream_error"),
        ("@garbage", openai.InternalServerError, "upstream_error"),
    ],
    ids=["moderated", "limited", "broken", "nonsense"],
)
def test_failures_of_grok_have_their_class(
    client: openai.OpenAI, question: str, word: str, kind: type[openai.APIStatusError], code: str
) -> None:
    """A program tells failures apart by the class that the SDK raises."""
    with pytest.raises(kind) as caught:
        ask(client, f"{question} {word}")

    assert caught.value.code == code
    assert caught.value.request_id


def test_a_wrong_request_is_a_bad_request(client: openai.OpenAI) -> None:
    """What the caller did wrong is a `BadRequestError` with the field in `param`."""
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, "Hello", model="gpt-4")

    assert (caught.value.param, caught.value.code) == ("model", "model_not_found")
    assert caught.value.type == "invalid_request_error"


def test_a_wrong_key_is_an_authentication_error(gateway: Gateway) -> None:
    """The wrong key is an `AuthenticationError`."""
    with (
        openai.OpenAI(base_url=gateway.base_url, api_key="wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        client.models.list()

    assert caught.value.code == "invalid_api_key"


def test_an_unknown_model_is_not_found(client: openai.OpenAI) -> None:
    """Looking up what isn't there is a `NotFoundError`."""
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("gpt-4")

    assert caught.value.code == "model_not_found"


def test_an_unknown_route_is_not_found(client: openai.OpenAI) -> None:
    """What the gateway doesn't offer is a `NotFoundError` too, not a page."""
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="grok-3", input="Hello")


def test_a_break_in_the_stream_is_raised(client: openai.OpenAI, question: str) -> None:
    """A stream that breaks raises what was said, after the text that had come."""
    with (
        client.chat.completions.create(
            model="grok-3", messages=[{"role": "user", "content": f"{question} @late-error"}], stream=True
        ) as stream,
        pytest.raises(openai.APIError) as caught,
    ):
        for _ in stream:
            pass

    assert caught.value.code == "upstream_error"
    assert "Grok" in caught.value.message


def test_the_clients_own_retry_gets_the_answer(gateway: Gateway, sandbox: Sandbox, question: str) -> None:
    """The SDK tries a 502 again by itself, and the second time the answer comes."""
    with openai.OpenAI(base_url=gateway.base_url, api_key=gateway.key, max_retries=1) as client:
        text = ask(client, f"{question} @once-500")

    assert question in text
    assert len(sandbox.asked(question)) == 2


def test_the_stream_helper_gives_the_final_completion(client: openai.OpenAI, question: str) -> None:
    """`client.chat.completions.stream` collects the chunks into a completion with usage."""
    with client.chat.completions.stream(
        model="grok-4-thinking",
        messages=[{"role": "user", "content": question}],
        stream_options={"include_usage": True},
    ) as stream:
        completion = stream.get_final_completion()

    assert completion.choices[0].finish_reason == "stop"
    assert question in (completion.choices[0].message.content or "")
    assert completion.usage is not None
    assert completion.usage.total_tokens > 0


def test_a_whole_answer_is_said_back(whole: Gateway, question: str) -> None:
    """Without a word about streaming the answer is whole, and its message goes into the next call as it is."""
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Remember the cheese"}]
    with openai.OpenAI(base_url=whole.base_url, api_key=whole.key, max_retries=0) as client:
        said = client.chat.completions.create(model="grok-4", messages=messages).choices[0].message
        messages += [cast("ChatCompletionMessageParam", said), {"role": "user", "content": question}]
        answer = client.chat.completions.create(model="grok-4", messages=messages)

    assert question in (answer.choices[0].message.content or "")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_the_clients_timeout_is_raised(client: openai.OpenAI, question: str, stream: bool) -> None:
    """Who waits no longer gets an `APITimeoutError`, also where it was about to stream."""
    with pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(
            model="grok-3", messages=[{"role": "user", "content": f"{question} @hang"}], stream=stream, timeout=0.2
        )


def test_a_streaming_response_shows_the_lines(client: openai.OpenAI, question: str) -> None:
    """`with_streaming_response` gives what goes over the wire, with its headers."""
    with client.chat.completions.with_streaming_response.create(
        model="grok-3", messages=[{"role": "user", "content": question}], stream=True
    ) as response:
        lines = [line for line in response.iter_lines() if line]

    assert response.headers["content-type"].startswith("text/event-stream")
    assert lines[-1] == "data: [DONE]"


def test_a_raw_response_is_parsed(client: openai.OpenAI, question: str) -> None:
    """`with_raw_response` has the status and the same completion."""
    raw = client.chat.completions.with_raw_response.create(
        model="grok-3", messages=[{"role": "user", "content": question}], stream=False
    )

    assert raw.http_response.status_code == 200
    assert question in (raw.parse().choices[0].message.content or "")


def test_raw_responses_carry_the_request_id(client: openai.OpenAI) -> None:
    """`with_raw_response` shows our id, the one that stands in the log."""
    raw = client.models.with_raw_response.list(extra_headers={"x-request-id": "from-the-sdk"})

    assert raw.headers["x-request-id"] == "from-the-sdk"


def test_listing_iterates_over_models(client: openai.OpenAI) -> None:
    """`for model in client.models.list()` is enough to see them all."""
    assert "grok-4" in [model.id for model in client.models.list()]
