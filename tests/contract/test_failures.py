"""What a caller gets when Grok fails, one failure at a time. Source: API contract, sections 3 and 5.4.

The failures are the sandbox's magic words; `grok-app sandbox --help` says what each does.
"""

import time
from typing import Any

import pytest

from grok_app.catalog import Pool
from tests.conftest import QUICK_RETRIES, GatewayFactory
from tests.contract.wire import DONE, ask, error_of, events, streamed
from tests.servers import Gateway, Sandbox

NO_TOKENS = "No available tokens. Please try again later."
LIMITED = (429, "rate_limit_error", "rate_limit_exceeded")
FAILED = (502, "server_error", "upstream_error")
REFUSED = (403, "permission_error", "content_policy_violation")
LATE = (504, "server_error", "upstream_timeout")

OTHER_ACCOUNT = {
    "429": LIMITED,
    "429-nested": LIMITED,
    "429-date": LIMITED,
    "429-plain": LIMITED,
    "429-resets": LIMITED,
    "429-team": LIMITED,
    "402": LIMITED,
    "401": FAILED,
    "401-text": FAILED,
    "401-empty": FAILED,
    "400-session": FAILED,
    "403-blocked": FAILED,
    "403-blocked-nested": FAILED,
    "403-blocked-code": FAILED,
    "stream-429": LIMITED,
    "stream-limit": LIMITED,
    "stream-blocked": FAILED,
    "500": FAILED,
}
"""What is the account's fault, and what the caller gets when it is the fault of all that are tried."""
SAME_ACCOUNT = {
    "403-antibot": FAILED,
    "403-challenge": FAILED,
    "403-empty": FAILED,
    "403-temporary": FAILED,
    "502": FAILED,
    "503": FAILED,
    "504": FAILED,
    "stream-error": FAILED,
    "stream-antibot": FAILED,
    "stream-errors": FAILED,
    "stream-event": FAILED,
    "stream-failed": FAILED,
}
"""What may pass."""
AT_ONCE = {
    "403-moderated": REFUSED,
    "403-safety": REFUSED,
    "empty": FAILED,
    "garbage": FAILED,
}
"""What no other attempt can change."""
AFTER_TOKENS = {
    "late-429": LIMITED,
    "late-limit": LIMITED,
    "late-error": FAILED,
    "late-antibot": FAILED,
    "late-blocked": FAILED,
    "late-errors": FAILED,
    "late-event": FAILED,
    "late-failed": FAILED,
    "cut": FAILED,
    "half": FAILED,
    "half-line": FAILED,
    "longline": FAILED,
}
"""What happens in the middle of an answer."""
EVERY = OTHER_ACCOUNT | SAME_ACCOUNT | AT_ONCE
MAX_RETRY = 3
CLOSED_PORT = 9
"""The discard service, which no machine of today runs."""

both_forms = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])


def accounts_of(asked: list[dict[str, Any]]) -> list[str]:
    """Who was asked, in order."""
    return [entry["account"] for entry in asked]


@both_forms
@pytest.mark.parametrize(("word", "expected"), EVERY.items(), ids=EVERY)
def test_a_failure_before_the_first_token_is_an_http_error(
    gateway: Gateway, question: str, word: str, expected: tuple[int, str, str], stream: bool
) -> None:
    """As long as nothing was sent, a failure has its own status and code, streamed or not, and says who failed."""
    answer = ask(gateway, f"{question} @{word}", stream=stream)

    error = error_of(answer)
    assert (answer.status_code, error["type"], error["code"]) == expected
    assert error["param"] is None
    assert error["message"] == NO_TOKENS if expected == LIMITED else "Grok" in error["message"]


@pytest.mark.parametrize(
    ("word", "seconds"), [("429", 37), ("429-nested", 37), ("429-date", 37), ("429-resets", 90)], ids=str
)
def test_a_rate_limit_says_how_long(gateway: Gateway, question: str, word: str, seconds: int) -> None:
    """When Grok said how long to wait, in whichever form, `Retry-After` tells the caller."""
    answer = ask(gateway, f"{question} @{word}")

    assert seconds - 2 <= int(answer.headers["retry-after"]) <= seconds


@pytest.mark.parametrize("word", OTHER_ACCOUNT)
def test_an_accounts_fault_moves_on_to_another(gateway: Gateway, sandbox: Sandbox, question: str, word: str) -> None:
    """What one account can't do another may: the caller gets its answer and notices nothing."""
    answer = ask(gateway, f"{question} @once-{word}", stream=True)

    assert answer.status_code == 200
    assert events(answer.text)[-2]["choices"][0]["finish_reason"] == "stop"
    first, second = accounts_of(sandbox.asked(question))
    assert first != second


@pytest.mark.parametrize("word", OTHER_ACCOUNT)
def test_only_so_many_accounts_are_tried(gateway: Gateway, sandbox: Sandbox, question: str, word: str) -> None:
    """After `retry.max_retry` accounts the caller is told, each was asked once."""
    ask(gateway, f"{question} @{word}", stream=False)

    assert len(set(accounts_of(sandbox.asked(question)))) == len(sandbox.asked(question)) == MAX_RETRY


@pytest.mark.parametrize("word", SAME_ACCOUNT)
def test_a_passing_fault_is_tried_again_on_the_same_account(
    gateway: Gateway, sandbox: Sandbox, question: str, word: str
) -> None:
    """What may pass is tried again where it happened: the caller gets its answer and notices nothing."""
    answer = ask(gateway, f"{question} @once-{word}", stream=True)

    assert answer.status_code == 200
    assert events(answer.text)[-2]["choices"][0]["finish_reason"] == "stop"
    first, second = accounts_of(sandbox.asked(question))
    assert first == second


@pytest.mark.parametrize("word", SAME_ACCOUNT)
def test_a_lasting_fault_is_not_tried_for_ever(gateway: Gateway, sandbox: Sandbox, question: str, word: str) -> None:
    """A fault that stays ends after a few attempts, and costs no other account."""
    ask(gateway, f"{question} @{word}", stream=False)

    asked = accounts_of(sandbox.asked(question))
    assert len(asked) == MAX_RETRY
    assert len(set(asked)) == 1


@both_forms
@pytest.mark.parametrize("word", AT_ONCE)
def test_what_no_retry_can_change_is_not_retried(
    gateway: Gateway, sandbox: Sandbox, question: str, word: str, stream: bool
) -> None:
    """Refused content and nonsense are the caller's at once."""
    ask(gateway, f"{question} @{word}", stream=stream)

    assert len(sandbox.asked(question)) == 1


@pytest.mark.parametrize(("word", "attempts"), [("500", 2), ("503", 1), ("401", 1)])
def test_the_operator_chooses_which_statuses_are_retried(
    changed: Gateway, sandbox: Sandbox, question: str, word: str, attempts: int
) -> None:
    """Only statuses in `retry.retry_status_codes`, here 429 and 500, are tried again."""
    answer = ask(changed, f"{question} @once-{word}")

    assert answer.status_code == (200 if attempts > 1 else 502)
    assert len(sandbox.asked(question)) == attempts


@pytest.mark.parametrize(("word", "expected"), AFTER_TOKENS.items(), ids=AFTER_TOKENS)
def test_a_stream_that_breaks_ends_with_the_error(
    gateway: Gateway, sandbox: Sandbox, question: str, word: str, expected: tuple[int, str, str]
) -> None:
    """After the first token nothing is tried again and nothing ends in silence: tokens, the error, `[DONE]`."""
    answer = ask(gateway, f"{question} @{word}", stream=True)

    assert answer.status_code == 200
    *chunks, last, done = events(answer.text)
    assert streamed(chunks, "content")
    assert all(chunk["choices"][0]["finish_reason"] is None for chunk in chunks)
    assert last.keys() == {"error"}
    assert (last["error"]["type"], last["error"]["code"]) == expected[1:]
    assert last["error"]["message"]
    assert done == DONE
    assert len(sandbox.asked(question)) == 1


@pytest.mark.parametrize(("word", "expected"), AFTER_TOKENS.items(), ids=AFTER_TOKENS)
def test_a_whole_answer_is_never_half(
    gateway: Gateway, question: str, word: str, expected: tuple[int, str, str]
) -> None:
    """An answer that broke off is an error to a caller who doesn't stream, never a shorter answer."""
    answer = ask(gateway, f"{question} @{word}", stream=False)

    error = error_of(answer)
    assert (answer.status_code, error["type"], error["code"]) == expected


@both_forms
def test_silence_before_the_answer_is_a_timeout(changed: Gateway, question: str, stream: bool) -> None:
    """When Grok doesn't begin within `chat.timeout`, the caller is told with a 504."""
    began = time.monotonic()
    answer = ask(changed, f"{question} @hang", stream=stream)

    assert 0.5 < time.monotonic() - began < 5
    error = error_of(answer)
    assert (answer.status_code, error["type"], error["code"]) == LATE


def test_silence_within_a_stream_is_a_timeout(changed: Gateway, question: str) -> None:
    """When Grok falls silent for `chat.stream_timeout`, the stream ends with an error, not with a hanging client."""
    *chunks, last, done = events(ask(changed, f"{question} @stall", stream=True).text)

    assert streamed(chunks, "content")
    assert (last["error"]["type"], last["error"]["code"]) == LATE[1:]
    assert done == DONE


def test_silence_within_a_whole_answer_is_a_timeout(changed: Gateway, question: str) -> None:
    """The same for a caller who doesn't stream: a 504."""
    answer = ask(changed, f"{question} @stall", stream=False)

    error = error_of(answer)
    assert (answer.status_code, error["type"], error["code"]) == LATE


@both_forms
def test_no_account_at_all_is_a_429(changed: Gateway, sandbox: Sandbox, question: str, stream: bool) -> None:
    """A model whose pool is empty can't be served, and Grok isn't asked; nobody knows when that changes."""
    answer = ask(changed, question, model="grok-4-heavy", stream=stream)

    error = error_of(answer)
    assert (answer.status_code, error["type"], error["code"]) == LIMITED
    assert error["message"] == NO_TOKENS
    assert "retry-after" not in answer.headers
    assert sandbox.asked(question) == []


@both_forms
def test_grok_out_of_reach_is_a_502(make_gateway: GatewayFactory, question: str, stream: bool) -> None:
    """When nobody listens where Grok should be, the caller is told so soon, and no account is blamed."""
    gateway = make_gateway(
        {Pool.BASIC: ("sandbox-basic-unreachable",)},
        {**QUICK_RETRIES, "app.api_key": "", "upstream.grok_url": f"http://127.0.0.1:{CLOSED_PORT}"},
    )
    for _ in range(2):
        answer = ask(gateway, question, stream=stream)

        error = error_of(answer)
        assert (answer.status_code, error["type"], error["code"]) == FAILED
