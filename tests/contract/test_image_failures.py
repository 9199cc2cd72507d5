"""What a caller gets when Grok doesn't draw. Source: API contract, sections 3, 5.4 and 6; protocol notes, 11.10.

The failures are the sandbox's magic words, in the prompt or in an account's name.
"""

import time
from typing import Any

import pytest

from tests.contract.pictures import SOCKET, Watch, content_of, draw, drawn, opened, pictures_of, staff
from tests.contract.test_failures import FAILED, LATE, LIMITED, MAX_RETRY, NO_TOKENS, REFUSED
from tests.contract.wire import error_of
from tests.servers import Gateway, Sandbox

BLOCKED = (502, "server_error", "blocked")
SOON_S = 5.0

AT_ONCE = {"ws-429": LIMITED, "429": LIMITED, "ws-error": FAILED, "ws-garbage": FAILED}
"""What the socket may say in place of a picture."""
REFUSALS = {
    "429": LIMITED,
    "401": FAILED,
    "403-blocked": FAILED,
    "403-challenge": FAILED,
    "403-moderated": REFUSED,
    "503": FAILED,
    "hang": LATE,
}
"""How an account's socket may be refused, or never answered."""

both_forms = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])


def accounts_of(entries: list[dict[str, Any]]) -> list[str]:
    """Who drew, in order."""
    return [entry["account"] for entry in entries]


@both_forms
@pytest.mark.parametrize(("word", "expected"), AT_ONCE.items(), ids=AT_ONCE)
def test_a_failure_before_the_first_picture_is_an_http_error(
    gateway: Gateway, question: str, word: str, expected: tuple[int, str, str], stream: bool
) -> None:
    """As long as nothing was shown, a failure has its own status and code, streamed or not."""
    answer = draw(gateway, f"{question} @{word}", stream=stream)

    error = error_of(answer)
    assert (answer.status_code, error["type"], error["code"]) == expected
    assert error["message"] == NO_TOKENS if expected == LIMITED else error["message"]
    assert error["param"] is None


@both_forms
@pytest.mark.parametrize(("word", "expected"), REFUSALS.items(), ids=REFUSALS)
def test_a_refused_socket_is_an_http_error(
    hasty: Gateway, question: str, word: str, expected: tuple[int, str, str], stream: bool
) -> None:
    """When no account gets as far as drawing, the caller is told why."""
    staff(hasty, *[word] * 2)
    began = time.monotonic()
    answer = draw(hasty, question, stream=stream)

    assert time.monotonic() - began < SOON_S
    error = error_of(answer)
    assert (answer.status_code, error["type"], error["code"]) == expected
    assert error["message"] == NO_TOKENS if expected == LIMITED else error["message"]


def test_a_rate_limit_says_how_long(hasty: Gateway, question: str) -> None:
    """When Grok said how long to wait, `Retry-After` tells the caller."""
    staff(hasty, "429")

    assert 30 <= int(draw(hasty, question).headers["retry-after"]) <= 37


@both_forms
@pytest.mark.parametrize("word", ["ws-429", "429", "401", "403-blocked"])
def test_an_accounts_fault_moves_on_to_another(
    hasty: Gateway, watch: Watch, question: str, word: str, stream: bool
) -> None:
    """What one account can't do another does: the callers get their pictures and notice nothing."""
    bad, _ = staff(hasty, word, "")
    for number in range(4):
        assert draw(hasty, f"{question} {number}", stream=stream).status_code == 200

    assert bad in accounts_of(watch.calls(SOCKET))


@pytest.mark.parametrize("word", ["ws-429", "ws-error", "ws-close"])
def test_what_happens_once_is_not_noticed(gateway: Gateway, sandbox: Sandbox, question: str, word: str) -> None:
    """As long as nothing was shown, another attempt is made: for who doesn't stream, even after previews."""
    [item] = pictures_of(draw(gateway, f"{question} @once-{word}"))

    assert opened(content_of(gateway, item)).format == "JPEG"
    assert len(drawn(sandbox, question)) == 2


@pytest.mark.parametrize("word", ["ws-429", "ws-error"])
def test_a_stream_that_has_not_begun_is_tried_again(
    gateway: Gateway, sandbox: Sandbox, question: str, word: str
) -> None:
    """A stream too, before its first event."""
    assert draw(gateway, f"{question} @once-{word}", stream=True).status_code == 200
    assert len(drawn(sandbox, question)) == 2


def test_a_rate_limit_is_another_accounts_turn(gateway: Gateway, sandbox: Sandbox, question: str) -> None:
    """A limited account isn't asked again, and only so many are tried."""
    draw(gateway, f"{question} @ws-429")

    accounts = accounts_of(drawn(sandbox, question))
    assert len(accounts) == len(set(accounts)) == MAX_RETRY


def test_no_account_at_all_is_a_429(hasty: Gateway, sandbox: Sandbox, question: str) -> None:
    """Where there is nobody to draw, Grok isn't asked."""
    staff(hasty)
    answer = draw(hasty, question)

    error = error_of(answer)
    assert (answer.status_code, error["type"], error["code"]) == LIMITED
    assert error["message"] == NO_TOKENS
    assert drawn(sandbox, question) == []


@both_forms
def test_silence_is_a_timeout(hasty: Gateway, question: str, stream: bool) -> None:
    """When nothing comes within `image.timeout`, the caller is told with a 504."""
    staff(hasty, "", "")
    began = time.monotonic()
    answer = draw(hasty, f"{question} @ws-silent", stream=stream)

    assert 0.9 < time.monotonic() - began < SOON_S
    error = error_of(answer)
    assert (answer.status_code, error["type"], error["code"]) == LATE


def test_moderated_pictures_are_the_callers_fault(gateway: Gateway, sandbox: Sandbox, question: str) -> None:
    """Refused content is a 403 at once; no account can change that."""
    answer = draw(gateway, f"{question} @moderated", n=2)

    error = error_of(answer)
    assert (answer.status_code, error["type"], error["code"]) == REFUSED
    assert len(drawn(sandbox, question)) == 1


def test_a_blocked_picture_is_an_error_of_its_own(hasty: Gateway, question: str) -> None:
    """When no final picture follows the medium one, the code says `blocked`, and it says so soon."""
    staff(hasty, *[""] * 8)
    began = time.monotonic()
    answer = draw(hasty, f"{question} @blocked")

    assert time.monotonic() - began < SOON_S
    error = error_of(answer)
    assert (answer.status_code, error["type"], error["code"]) == BLOCKED


def test_a_blocked_picture_is_asked_for_elsewhere(hasty: Gateway, sandbox: Sandbox, question: str) -> None:
    """Other accounts are asked before the caller is told, and what one of them draws is the answer."""
    staff(hasty, *[""] * 8)
    [item] = pictures_of(draw(hasty, f"{question} @once-blocked"))

    assert opened(content_of(hasty, item)).format == "JPEG"
    accounts = accounts_of(drawn(sandbox, question))
    assert len(accounts) == len(set(accounts)) > 1


def test_an_account_whose_pictures_are_blocked_comes_last(hasty: Gateway, watch: Watch, question: str) -> None:
    """It keeps its quota, and must not be the first choice for that: each time costs the caller the wait."""
    bad, *_ = staff(hasty, "blocked", "", "")
    for number in range(6):
        pictures_of(draw(hasty, f"{question} {number}"))

    assert [entry["account"] for entry in watch.calls(SOCKET)].count(bad) == 1


@pytest.mark.parametrize(("word", "n"), [("ws-partial", 4), ("moderated-one", 6)])
def test_a_shorter_list_says_so(gateway: Gateway, question: str, word: str, n: int) -> None:
    """Fewer pictures than asked for are real ones, with a warning beside them."""
    answer = draw(gateway, f"{question} @{word}", n=n).raise_for_status().json()

    assert answer.keys() == {"created", "data", "usage", "warning"}
    assert answer["warning"]
    assert isinstance(answer["warning"], str)
    assert 0 < len(answer["data"]) < n
    assert {opened(content_of(gateway, item)).format for item in answer["data"]} == {"JPEG"}


def test_one_moderated_picture_does_not_hurt_who_wants_fewer(gateway: Gateway, question: str) -> None:
    """Grok draws six: whoever wants two gets two that are good."""
    items = pictures_of(draw(gateway, f"{question} @moderated-one", n=2))

    assert {opened(content_of(gateway, item)).format for item in items} == {"JPEG"}
    assert len(items) == 2


def test_a_socket_that_breaks_after_the_last_picture_is_fine(gateway: Gateway, sandbox: Sandbox, question: str) -> None:
    """What was asked for is there; what happens to the rest is nobody's concern."""
    assert len(pictures_of(draw(gateway, f"{question} @ws-partial"))) == 1
    assert len(drawn(sandbox, question)) == 1


def test_a_huge_message_does_not_hurt(gateway: Gateway, question: str) -> None:
    """One message of 40 MiB is passed over or ends the socket; it is never shown and never a crash."""
    answer = draw(gateway, f"{question} @ws-huge")

    assert answer.status_code in {200, 502}
    assert answer.status_code == 502 or [opened(content_of(gateway, item)) for item in pictures_of(answer)]
