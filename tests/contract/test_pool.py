"""Which account serves, what it costs, and when it rests. Source: API contract, sections 4 and 5.4."""

import asyncio
from collections import Counter

import openai
import pytest

from grok_app.catalog import Pool
from tests.conftest import ENDLESS, QUICK_RETRIES, GatewayFactory
from tests.contract.test_models import TEXT_MODELS
from tests.contract.wire import CHAT, ask, body
from tests.servers import Gateway, Sandbox, eventually

COSTLY = "grok-4.1-expert"
HIGH_COST = 4
BASIC_QUOTA = 80


def leave_early(gateway: Gateway, prompt: str) -> None:
    """Read the beginning of a stream that then falls silent, and go away."""
    asked = body(f"{prompt} @stall", model=COSTLY, stream=True)
    with gateway.http.stream("POST", CHAT, json=asked) as answer:
        next(answer.iter_lines())


@pytest.mark.parametrize("model", TEXT_MODELS)
def test_basic_accounts_serve_first(gateway: Gateway, sandbox: Sandbox, question: str, model: str) -> None:
    """Super accounts are spared for what only they can do: `grok-4-heavy`."""
    ask(gateway, question, model=model).raise_for_status()

    [asked] = sandbox.asked(question)
    assert asked["account"].startswith("sandbox-super" if model == "grok-4-heavy" else "sandbox-basic")


def test_accounts_that_fail_are_left_alone(make_gateway: GatewayFactory, sandbox: Sandbox, question: str) -> None:
    """A limited account rests, a refused one is asked only when no other is left; callers notice neither."""
    limited, refused, good = f"sandbox-basic-{ENDLESS}-@429", "sandbox-basic-@401", f"sandbox-super-{ENDLESS}"
    gateway = make_gateway(
        {Pool.BASIC: (limited, refused), Pool.SUPER: (good,)},
        {**QUICK_RETRIES, "app.api_key": ""},
    )
    asked = []
    for turn in ("first", "second", "third"):
        ask(gateway, f"{question} {turn}", stream=False).raise_for_status()
        asked.append({entry["account"] for entry in sandbox.asked(f"{question} {turn}")})

    assert asked == [{limited, refused, good}, {good}, {good}]


def test_only_finished_answers_are_charged(make_gateway: GatewayFactory, sandbox: Sandbox, question: str) -> None:
    """An account gives as many answers as its quota holds, and failures and callers who left don't count."""
    accounts = {Pool.BASIC: (f"sandbox-basic-single-{ENDLESS}-@limits-500",)}
    gateway = make_gateway(accounts, {**QUICK_RETRIES, "app.api_key": ""})
    for number in range(8):
        leave_early(gateway, f"{question} left-{number}")
        ask(gateway, f"{question} @{('500', '403-moderated', 'late-error', 'half')[number % 4]}", model=COSTLY)
    eventually(lambda: all(entry["state"] != "open" for entry in sandbox.asked(question)))

    statuses = [
        ask(gateway, question, model=COSTLY, stream=number % 2 == 0).status_code
        for number in range(BASIC_QUOTA // HIGH_COST)
    ]
    resting = ask(gateway, question)

    assert set(statuses) == {200}
    assert resting.status_code == 429
    assert 600 < int(resting.headers["retry-after"]) <= 900


@pytest.fixture
def crowd(make_gateway: GatewayFactory) -> Gateway:
    """A gateway with 60 accounts that nobody has used."""
    names = tuple(f"sandbox-basic-crowd-{number}-{ENDLESS}" for number in range(60))
    return make_gateway({Pool.BASIC: names}, {"app.api_key": "crowd"})


async def test_a_hundred_streams_at_once_all_complete(crowd: Gateway, sandbox: Sandbox, question: str) -> None:
    """A hundred callers at the same time each get their own whole answer, and the accounts share the work."""
    client = openai.AsyncOpenAI(base_url=crowd.base_url, api_key="crowd", max_retries=0)

    async def stream(number: int) -> tuple[str, str | None]:
        asked = f"{question} {number}. @slow"
        chunks = await client.chat.completions.create(
            model="grok-3", messages=[{"role": "user", "content": asked}], stream=True
        )
        async with chunks:
            seen = [chunk.choices[0] async for chunk in chunks]
        return "".join(choice.delta.content or "" for choice in seen), seen[-1].finish_reason

    async with client:
        answers = await asyncio.gather(*(stream(number) for number in range(100)))

    for number, (text, reason) in enumerate(answers):
        assert f"{question} {number}." in text
        assert reason == "stop"
    served = Counter(entry["account"] for entry in sandbox.asked(question))
    assert served.total() == 100
    assert len(served) == 60
    assert max(served.values()) == 2
