"""A gateway that looks used, for pictures of its pages: sixty accounts, a busy hour, and real work for the cache.

Everything is drawn from one seed, so that two runs show the same but for the time of day.
"""

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx

from grok_app.catalog import DEFAULT_QUOTA, Pool
from grok_app.db import open_database, open_vault, upgrade
from grok_app.requests.record import detail_of
from grok_app.requests.repository import RequestRepository
from grok_app.trace import Attempt, Trace

from .conftest import Demo

ACCOUNTS: Final = 60
DEMO_ACCOUNTS: Final = 32
"""The demo's own, which ours replace: our ids follow theirs."""
ON_FIRST_PAGE: Final = 50
"""For the others Grok fails or never answers, so that a batch is seen under way."""
SHARES: Final = {"active": 0.8, "cooling": 0.1, "expired": 0.06, "disabled": 0.04}
TAGS: Final = (("team",), ("team", "nsfw"), ("spare",), (), ("nsfw",), ())
NOTES: Final = ("Marketing", "Second team", "For the night jobs", "Anna's", "", "", "")
MODELS: Final = {
    "grok-4": 30, "grok-4.1-fast": 22, "grok-4-thinking": 12, "grok-3": 8, "grok-4.1-thinking": 6,
    "grok-imagine-1.0": 9, "grok-imagine-1.0-edit": 2, "grok-imagine-1.0-video": 2,
}  # fmt: skip
KEYS: Final = ("team…7f3a", "bots…91cd", "visitor")
FAULTS: Final = (
    ("rate_limited", "Grok answered 429: Too many requests"),
    ("unavailable", "Grok answered 503: temporarily unavailable"),
    ("timeout", "Grok sent nothing for 60 s"),
)
PROMPTS: Final = (
    "A lighthouse in a storm, oil on canvas",
    "A red teapot on a blue table",
    "A quiet street in Lisbon at dawn",
    "A paper boat on a mountain lake",
)
HOUR_S: Final = 3600
DAY_MS: Final = 86_400_000


def seed_requests(folder: Path, seed: int = 6) -> None:
    """Let an empty data folder have seen an hour of requests, more and more of them."""
    asyncio.run(_save(folder, random.Random(seed)))  # noqa: S311 - pictures need no secrets


def fill(demo: Demo, seed: int = 6) -> None:
    """Give a running demo its accounts, and have it draw, film and answer. Nothing changes by itself afterwards."""
    chance = random.Random(seed)  # noqa: S311 - likewise
    basic, great = (range(ACCOUNTS * 4 // 5), range(ACCOUNTS * 4 // 5, ACCOUNTS))
    pools = {
        Pool.BASIC: [_account(chance, number, Pool.BASIC) for number in basic],
        Pool.SUPER: [_account(chance, number, Pool.SUPER) for number in great],
    }
    with demo.operator() as operator:
        operator.post("/tokens", json=pools).raise_for_status()
        operator.post(
            "/config", json={"token.auto_refresh": False, "usage.timeout": 5, "usage.concurrent": 2}
        ).raise_for_status()
    asyncio.run(_work(demo))


def _account(chance: random.Random, number: int, pool: Pool) -> dict[str, Any]:
    now_ms = time.time_ns() // 1_000_000
    status = chance.choices(list(SHARES), list(SHARES.values()))[0]
    tier = "super" if pool is Pool.SUPER else "basic"
    end = f"{chance.randrange(16**4):04x}"
    word = "" if number < ON_FIRST_PAGE else "-@limits-500" if number % 5 == 0 else "-@limits-hang"
    failed = status != "active"
    return {
        "token": f"sandbox-{tier}-{end}{word}",
        "status": status,
        "quota": 0 if status == "cooling" else chance.randint(DEFAULT_QUOTA[pool] // 5, DEFAULT_QUOTA[pool]),
        "use_count": chance.randint(3, 480),
        "created_at": now_ms - chance.randint(20, 200) * DAY_MS,
        "last_used_at": now_ms - chance.randint(1, 90) * 60_000,
        "last_sync_at": now_ms - chance.randint(1, 7) * HOUR_S * 1000,
        "fail_count": 5 if status == "expired" else int(failed),
        "last_fail_at": now_ms - 40 * 60_000 if failed else None,
        "last_fail_reason": "Grok answered 401: invalid credentials" if status == "expired" else None,
        "tags": list(chance.choice(TAGS)),
        "note": chance.choice(NOTES),
    }


async def _save(folder: Path, chance: random.Random) -> None:
    url = f"sqlite:///{folder / 'grok_app.db'}"
    await asyncio.to_thread(upgrade, url)
    async with open_database(url) as database:
        await RequestRepository(database, open_vault("", folder)).save([detail_of(it) for it in _hour(chance)])


def _hour(chance: random.Random) -> Iterator[Trace]:
    """Its requests, oldest first."""
    now_ms = time.time_ns() // 1_000_000
    for second in range(-HOUR_S, -20):
        busy = 0.05 + 0.12 * (1 + second / HOUR_S) + (0.15 if -1500 < second < -1100 else 0)
        if chance.random() < busy:
            yield _request(chance, now_ms + second * 1000)


def _request(chance: random.Random, at_ms: int) -> Trace:
    model = chance.choices(list(MODELS), list(MODELS.values()))[0]
    is_media = "imagine" in model
    trace = Trace(
        f"{chance.randrange(16**32):032x}",
        "/v1/images/generations" if model == "grok-imagine-1.0" else "/v1/chat/completions",
        chance.choices(KEYS, (6, 3, 2))[0],
        is_stream=chance.random() < 0.8,
        model=model,
        started_at_ms=at_ms,
    )
    failures = chance.choices((0, 1, 3), (90, 8, 2))[0]
    kind, reason = chance.choice(FAULTS)
    trace.attempts = [_attempt(chance, kind, reason) for _ in range(failures)]
    if failures > 2:
        trace.error, trace.reason = "rate_limit_exceeded", "No available tokens. Please try again later."
        trace.status, trace.duration_ms = 429, chance.randint(300, 900)
        return trace
    first_ms = chance.randint(5_000, 9_000) if is_media else int(chance.lognormvariate(6.4, 0.45))
    trace.attempts.append(_attempt(chance, None, "", first_ms))
    trace.status, trace.first_chunk_ms = 200, first_ms
    trace.duration_ms = first_ms + chance.randint(800, 9_000)
    trace.prompt_tokens, trace.completion_tokens = chance.randint(12, 2_400), chance.randint(40, 1_600)
    trace.bytes_sent = trace.completion_tokens * chance.randint(120, 220)
    return trace


def _attempt(chance: random.Random, error: str | None, reason: str, duration_ms: int = 120) -> Attempt:
    account_id = DEMO_ACCOUNTS + 1 + chance.randrange(ACCOUNTS)
    return Attempt(account_id, error, reason, duration_ms)


async def _work(demo: Demo) -> None:
    headers = {"Authorization": f"Bearer {demo.api_key}"}
    async with httpx.AsyncClient(base_url=f"{demo.url}/v1", headers=headers, timeout=120) as client:
        film = {"model": "grok-imagine-1.0-video", "messages": [_says("A ball that jumps")], "stream": False}
        chats = ("Write a haiku about gateways", "@search What is new?", "@think Why is the sky blue?")
        answers = await asyncio.gather(
            client.post("/chat/completions", json=film),
            *(client.post("/images/generations", json={"prompt": prompt, "n": 2}) for prompt in PROMPTS),
            *(client.post("/chat/completions", json={"model": "grok-4", "messages": [_says(it)]}) for it in chats),
        )
    for answer in answers:
        answer.raise_for_status()


def _says(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}
