"""Every magic word of one call does what its row of the table says, and on that call only."""

import httpx
import pytest

from grok_app.sandbox.call_faults import SETUP
from grok_app.sandbox.grpc_web import CONTENT_TYPE

from .conftest import DONE, GRPC_STEPS, LOCKED, SUCCESS, Caller

SUCCESS_TEXT = b"AAAAAACAAAAAD2dycGMtc3RhdHVzOjANCg=="
TRAILER_ONLY = "800000000f677270632d7374617475733a300d0a"
FAILURE_7 = (
    "8000000031677270632d7374617475733a370d0a677270632d6d6573736167653a7065726d697373696f6e25323064656e6965640d0a"
)
FAILURE_7_BARE = "8000000010677270632d7374617475733a20370d0a"
FAILURE_8 = (
    "8000000033677270632d7374617475733a380d0a677270632d6d6573736167653a546f6f2532306d616e7925323072657175657374730d0a"
)
FAILURE_16 = "800000002e677270632d7374617475733a31360d0a677270632d6d6573736167653a756e61757468656e746963617465640d0a"
"""Bytes of section 11.15, in hex."""

ANSWERED = [word.name for word in SETUP if not word.name.endswith("-hang")]


@pytest.mark.parametrize("step", GRPC_STEPS)
@pytest.mark.parametrize(
    ("word", "body"),
    [("7", FAILURE_7), ("7-bare", FAILURE_7_BARE), ("8", FAILURE_8), ("16", FAILURE_16)],
    ids=["7", "7-bare", "8", "16"],
)
async def test_a_grpc_failure_has_the_bytes_of_the_protocol(caller: Caller, step: str, word: str, body: str) -> None:
    """HTTP 200 and trailers alone; the step is not done."""
    account = f"sandbox-basic-1-@{step}-{word}"
    response = await caller.do(step, account)
    assert (response.status_code, response.content.hex()) == (200, body)
    assert not await caller.has_done(step, account)


@pytest.mark.parametrize("step", GRPC_STEPS)
@pytest.mark.parametrize(
    ("word", "status", "message"),
    [("header", "0", None), ("7-header", "7", "permission%20denied")],
    ids=["success", "failure"],
)
async def test_a_status_can_stand_in_the_headers(
    real: Caller, step: str, word: str, status: str, message: str | None
) -> None:
    """With an empty body, on a real connection."""
    account = f"sandbox-basic-{step}-@{step}-{word}"
    response = await real.do(step, account)
    assert (response.status_code, response.content) == (200, b"")
    assert (response.headers["grpc-status"], response.headers.get("grpc-message")) == (status, message)
    assert await real.has_done(step, account) == (status == "0")


@pytest.mark.parametrize("step", GRPC_STEPS)
@pytest.mark.parametrize(
    ("word", "body", "content_type"),
    [
        ("text", SUCCESS_TEXT, "application/grpc-web-text"),
        ("trailer", bytes.fromhex(TRAILER_ONLY), CONTENT_TYPE),
        ("compressed", bytes.fromhex("01" + SUCCESS[2:]), CONTENT_TYPE),
        ("cut", bytes.fromhex(SUCCESS)[:-6], CONTENT_TYPE),
    ],
    ids=["text", "trailer", "compressed", "cut"],
)
async def test_a_success_can_look_otherwise(
    caller: Caller, step: str, word: str, body: bytes, content_type: str
) -> None:
    """The step is done, whether or not its answer can be read."""
    account = f"sandbox-basic-1-@{step}-{word}"
    response = await caller.do(step, account)
    assert (response.status_code, response.content, response.headers["content-type"]) == (200, body, content_type)
    assert await caller.has_done(step, account)


@pytest.mark.parametrize("step", GRPC_STEPS)
async def test_garbage_is_neither_frames_nor_base64(caller: Caller, step: str) -> None:
    """A flag that nobody knows, a length beyond the end."""
    content = (await caller.do(step, f"sandbox-basic-1-@{step}-garbage")).content
    assert content[0] not in {0x00, 0x01, 0x80}
    assert int.from_bytes(content[1:5], "big") > len(content)
    assert not content.isascii()


@pytest.mark.parametrize("step", DONE)
@pytest.mark.parametrize("status", [401, 500])
async def test_a_step_can_fail_with_an_http_status(caller: Caller, step: str, status: int) -> None:
    """In the JSON of section 11.13; the step is not done."""
    account = f"sandbox-basic-1-@{step}-{status}"
    response = await caller.do(step, account)
    assert response.status_code == status
    assert response.json()["error"]["code"] == {401: 16, 500: 13}[status]
    assert not await caller.has_done(step, account)


async def test_a_birth_date_can_be_rate_limited_or_locked_at_once(caller: Caller) -> None:
    """Two kinds of 429: one with a wait, one that means it is set already."""
    limited = await caller.birth("sandbox-basic-1-@birth-429")
    locked = await caller.birth("sandbox-basic-1-@birth-locked")
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "37")
    assert b"WKE" not in limited.content
    assert (locked.status_code, locked.content) == (429, LOCKED)
    assert "retry-after" not in locked.headers


async def test_a_birth_date_can_be_set_without_a_body(real: Caller) -> None:
    """204 on a real connection; the next one is locked out as ever."""
    account = "sandbox-basic-1-@birth-204"
    responses = [await real.birth(account) for _ in range(2)]
    assert [response.status_code for response in responses] == [204, 429]
    assert "content-length" not in responses[0].headers
    assert await real.has_done("birth", account)


@pytest.mark.parametrize("step", [*DONE, "limits"])
async def test_a_call_can_hang(real: Caller, step: str) -> None:
    """No header comes."""
    real.http.timeout = httpx.Timeout(0.3)
    account = f"sandbox-basic-1-@{step}-hang"
    with pytest.raises(httpx.ReadTimeout):
        await (real.limits(account) if step == "limits" else real.do(step, account))


@pytest.mark.parametrize("name", ANSWERED)
async def test_a_word_of_one_step_leaves_other_calls_alone(caller: Caller, name: str) -> None:
    """Chat, the quota and the other steps work as ever."""
    account = f"sandbox-basic-1-@{name}"
    assert (await caller.chat("a", account=account)).status_code == 200
    assert (await caller.limits(account)).json()["remainingQueries"] == 79
    for step in DONE.keys() - {name.partition("-")[0]}:
        assert (await caller.do(step, account)).status_code == 200
        assert await caller.has_done(step, account)


@pytest.mark.parametrize("word", ["terms-7", "birth-401", "adult-500", "limits-429", "once-terms-7"])
async def test_in_a_message_such_a_word_is_text(caller: Caller, word: str) -> None:
    """It isn't even taken out of the prompt."""
    whole = (await caller.responses(f"@echo a @{word} b"))[-1]["modelResponse"]["message"]
    assert whole == f"a @{word} b"


@pytest.mark.parametrize("name", ["@terms-7@birth-401@adult-500", "-@terms-7-@birth-401-@adult-500"])
async def test_several_words_in_a_name_work_together(caller: Caller, name: str) -> None:
    """One after another, with or without hyphens between them."""
    account = f"sandbox-basic-1{name}"
    responses = [await caller.do(step, account) for step in DONE]
    assert [response.status_code for response in responses] == [200, 401, 500]
    assert responses[0].content.hex() == FAILURE_7


async def test_once_fails_the_first_attempt_of_each_step(caller: Caller) -> None:
    """Per account and step: who tries each step until it works needs two attempts for each."""
    for account in ("sandbox-basic-1-@once-500", "sandbox-basic-2-@once-500"):
        for step in DONE:
            first, second = [(await caller.do(step, account)).status_code for _ in range(2)]
            assert (first, second) == (500, 200)


async def test_once_with_the_word_of_a_step_is_used_up_by_that_step_alone(caller: Caller) -> None:
    """Other calls in between don't count."""
    account = "sandbox-basic-1-@once-terms-7"
    await caller.chat("a", account=account)
    await caller.limits(account)
    await caller.birth(account)
    assert [(await caller.terms(account)).content.hex() for _ in range(2)] == [FAILURE_7, SUCCESS]
    assert (await caller.adult(account)).content.hex() == SUCCESS
