"""Every magic word does what its row of the table says."""

import zlib
from email.utils import parsedate_to_datetime
from typing import Any

import orjson
import pytest

from grok_app.sandbox import describe_faults
from grok_app.sandbox.faults import REFUSALS, STREAM_ERRORS, TABLE
from grok_app.sandbox.misfits import bomb

from .conftest import Caller


@pytest.mark.parametrize("name", [word.name for word in REFUSALS])
async def test_a_refusal_answers_with_the_status_in_its_name(caller: Caller, name: str) -> None:
    """In the message and in the account's name alike, for chat; in the name for every other call too."""
    by_message = await caller.chat(f"please @{name}, now")
    account = f"sandbox-basic-@{name}"
    by_account = [await caller.chat("please", account=account)]
    by_account += [await ask(account) for ask in (caller.limits, caller.terms, caller.birth, caller.adult)]
    assert {r.status_code for r in (by_message, *by_account)} == {int(name[:3])}
    assert {r.content for r in by_account} == {by_message.content}


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("429", '{"code":8,'),
        ("429-nested", '{"error":{"code":8,'),
        ("429-plain", "You are sending requests too quickly"),
        ("401", "[WKE=unauthenticated:bad-credentials]"),
        ("400-session", "Failed to look up session ID"),
        ("403-blocked", '{"code":7,"message":"User is blocked [WKE=unauthorized:blocked-user]"'),
        ("403-antibot", '{"error":{"code":7,"message":"Request rejected by anti-bot rules."'),
        ("403-challenge", "<title>Just a moment...</title>"),
        ("403-moderated", '"code":"content-moderated"'),
        ("403-safety", "SAFETY_CHECK_TYPE_"),
        ("502", "<html>"),
        ("503", '{"error":{"code":14,'),
    ],
)
async def test_a_refusal_has_the_body_of_the_protocol(caller: Caller, name: str, part: str) -> None:
    """Sections 2.10.1 and 11.13."""
    assert part in (await caller.chat(f"@{name}")).text


async def test_retry_after_comes_in_both_forms(caller: Caller) -> None:
    """Seconds, an HTTP-date, or nothing."""
    assert (await caller.chat("@429")).headers["retry-after"] == "37"
    assert parsedate_to_datetime((await caller.chat("@429-date")).headers["retry-after"]).tzinfo
    assert "retry-after" not in (await caller.chat("@429-plain")).headers


async def test_a_challenge_looks_like_cloudflare(caller: Caller) -> None:
    """The headers by which clients recognise it."""
    headers = (await caller.chat("@403-challenge")).headers
    assert headers["server"] == "cloudflare"
    assert "cf-ray" in headers


@pytest.mark.parametrize("name", [word.name for word in STREAM_ERRORS])
async def test_a_stream_error_is_the_last_thing_said(caller: Caller, name: str) -> None:
    """@stream-… says nothing else; @late-… comes after answer tokens."""
    response = await caller.chat(f"@{name}")
    lines = response.content.splitlines()
    assert response.status_code == 200
    assert b"rror" in lines[-1] or b"session.ended" in lines[-1]
    assert any(b'"messageTag":"final"' in line for line in lines) == name.startswith("late-")
    assert b"finalMetadata" not in response.content


async def test_once_fails_the_first_of_two_requests(caller: Caller) -> None:
    """A retry of the same message succeeds; another message has its own count."""
    statuses = [(await caller.chat(message)).status_code for message in ("@once-503 a", "@once-503 a", "@once-503 b")]
    assert statuses == [503, 200, 503]


async def test_empty_is_a_success_without_a_frame(caller: Caller) -> None:
    """@empty."""
    response = await caller.chat("@empty")
    assert (response.status_code, response.content) == (200, b"")


async def test_half_ends_without_the_whole_response(caller: Caller) -> None:
    """@half has whole lines only; @half-line ends inside one."""
    half, half_line = (await caller.chat("@half")).content, (await caller.chat("@half-line")).content
    assert half.endswith(b"\n")
    assert not half_line.endswith(b"\n")
    assert b"modelResponse" not in half + half_line


async def test_garbage_contains_no_good_frame(caller: Caller) -> None:
    """@garbage: what parses has wrong types."""
    content = (await caller.chat("@garbage")).content
    assert b"not JSON" in content
    assert b'"messageTag":"final"' not in content


async def test_a_long_line_is_bounded(caller: Caller) -> None:
    """@longline: at least 4 MiB without a line end, and then an end."""
    content = (await caller.chat("@longline")).content
    assert 4 * 1024**2 <= len(content.splitlines()[-1]) < 5 * 1024**2


async def test_an_endless_line_is_longer_than_anybody_takes(caller: Caller) -> None:
    """@endless-line: 100 MiB without a line end."""
    content = (await caller.chat("@endless-line")).content
    assert len(content) - content.rindex(b"\n") > 100 * 1024**2


async def test_wrong_types_leave_the_answer_whole(caller: Caller) -> None:
    """@types: every value of a token's frame is wrong once, and the good frames are all there."""
    lines = (await caller.chat("@types rain")).content.splitlines()
    responses = [response for line in lines if isinstance(response := _response_of(line), dict)]
    good = (await caller.responses("rain"))[-1]["modelResponse"]["message"]
    assert responses[-1]["modelResponse"]["message"] == good
    tokens = [response for response in responses if "messageTag" in response and "isSoftStop" not in response]
    for field, usual in (("token", str), ("isThinking", bool), ("responseId", str), ("messageTag", str)):
        wrong = {type(response[field]) for response in tokens} - {usual}
        assert wrong >= {type(None), int, list, dict}


async def test_a_page_comes_in_place_of_a_stream(caller: Caller) -> None:
    """@page: 200 and HTML."""
    response = await caller.chat("@page")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=UTF-8")


def test_a_bomb_is_small_and_unpacks_to_a_gigabyte() -> None:
    """@bomb, @limits-bomb and the like: a thousand times its size, and none of it a line end."""
    packed = bomb().body
    assert len(packed) < 2 * 1024**2
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    sizes = [len(unpacking.decompress(packed[start : start + 65536])) for start in range(0, len(packed), 65536)]
    assert sum(sizes) == 1024**3
    assert dict(bomb().headers) == {"content-encoding": "gzip"}


async def test_sse_prefixes_every_line(caller: Caller) -> None:
    """@sse: the framing of server-sent events."""
    events = (await caller.chat("@sse")).text.strip().split("\n\n")
    assert all(event.startswith("data: ") for event in events)
    assert events[-1] == "data: [DONE]"


async def test_unknown_frames_leave_the_answer_whole(caller: Caller) -> None:
    """@unknown: without what nobody knows, the answer is the usual one."""
    lines = [
        line for line in (await caller.chat("@unknown rain")).content.splitlines() if line.startswith(b'{"result"')
    ]
    tokens = [orjson.loads(line)["result"].get("response", {}).get("token", "") for line in lines]
    usual = (await caller.responses("rain"))[-1]["modelResponse"]["message"]
    assert "".join(tokens) == usual


async def test_trickle_changes_no_byte_but_ids(caller: Caller) -> None:
    """@trickle: the same lines, and an answer that can be read."""
    lines = (await caller.chat("@trickle 你好")).content.splitlines()
    assert "你好" in orjson.loads(lines[-1])["result"]["response"]["modelResponse"]["message"]


def test_the_help_lists_every_word() -> None:
    """Nothing works that isn't listed."""
    text = describe_faults()
    assert all(f"@{name} " in text for name in TABLE)
    assert max(map(len, text.splitlines())) <= 120


def _response_of(line: bytes) -> Any:
    """The `result.response` of a line, whatever it is; None where there is none."""
    result = orjson.loads(line).get("result")
    return result.get("response") if isinstance(result, dict) else None
