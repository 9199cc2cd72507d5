"""The official `openai` client for programs that await."""

import asyncio
from collections.abc import AsyncGenerator

import openai
import pytest

from tests.servers import Gateway


@pytest.fixture
async def awaited(whole: Gateway) -> AsyncGenerator[openai.AsyncOpenAI]:
    """The client, without retries of its own."""
    async with openai.AsyncOpenAI(base_url=whole.base_url, api_key=whole.key, max_retries=0) as client:
        yield client


async def ask(client: openai.AsyncOpenAI, content: str, timeout_s: float = 10) -> str:
    """The text of a whole answer."""
    answer = await client.chat.completions.create(
        model="grok-4", messages=[{"role": "user", "content": content}], timeout=timeout_s
    )
    return answer.choices[0].message.content or ""


async def test_many_are_answered_at_once(awaited: openai.AsyncOpenAI, question: str) -> None:
    """One client asks twenty things at once; each gets its own answer."""
    answers = await asyncio.gather(*(ask(awaited, f"{question} Number {number}.") for number in range(20)))

    assert [f"{question} Number {number}." in answer for number, answer in enumerate(answers)] == [True] * 20


async def test_a_stream_is_awaited(awaited: openai.AsyncOpenAI, question: str) -> None:
    """Thinking, text and usage arrive as in the whole answer."""
    async with await awaited.chat.completions.create(
        model="grok-4-thinking",
        messages=[{"role": "user", "content": question}],
        stream=True,
        stream_options={"include_usage": True},
    ) as stream:
        *chunks, last = [chunk async for chunk in stream]

    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert question in "".join(delta.content or "" for delta in deltas)
    assert question in "".join((delta.model_extra or {}).get("reasoning_content", "") for delta in deltas)
    assert last.usage is not None
    assert last.usage.completion_tokens_details is not None
    assert (last.usage.completion_tokens_details.reasoning_tokens or 0) > 0


async def test_a_stream_may_be_left(awaited: openai.AsyncOpenAI, question: str) -> None:
    """Who has read enough goes, and the same client asks again."""
    async with await awaited.chat.completions.create(
        model="grok-4", messages=[{"role": "user", "content": f"{question} @stall"}], stream=True
    ) as stream:
        async for chunk in stream:
            if chunk.choices[0].delta.content:
                break

    assert question in await ask(awaited, question)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("@403-moderated", openai.PermissionDeniedError),
        ("@429", openai.RateLimitError),
        ("@500", openai.InternalServerError),
    ],
    ids=["moderated", "limited", "broken"],
)
async def test_failures_have_their_class(
    awaited: openai.AsyncOpenAI, question: str, word: str, kind: type[openai.APIStatusError]
) -> None:
    """The classes are those of the client that doesn't await."""
    with pytest.raises(kind):
        await ask(awaited, f"{question} {word}")


async def test_the_clients_timeout_is_raised(awaited: openai.AsyncOpenAI, question: str) -> None:
    """Who waits no longer gets an `APITimeoutError`."""
    with pytest.raises(openai.APITimeoutError):
        await ask(awaited, f"{question} @hang", timeout_s=0.2)


async def test_pictures_are_drawn(awaited: openai.AsyncOpenAI, question: str) -> None:
    """`images.generate` awaits as well, and links to our files."""
    answer = await awaited.images.generate(model="grok-imagine-1.0", prompt=question)

    assert answer.data is not None
    assert (answer.data[0].url or "").startswith("http")


async def test_models_are_listed(awaited: openai.AsyncOpenAI) -> None:
    """`async for model in client.models.list()` sees them all."""
    assert "grok-4" in [model.id async for model in awaited.models.list()]
