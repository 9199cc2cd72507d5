"""An account's setup: terms, birth date, adult content."""

import httpx
import pytest

from .conftest import (
    ACCEPT_TERMS,
    ADULT,
    BIRTH,
    BIRTH_DATE,
    CHAT,
    DISABLE_ADULT,
    DONE,
    ENABLE_ADULT,
    GRPC_STEPS,
    LOCKED,
    SUCCESS,
    TERMS,
    Caller,
    cookies_of,
)


def is_invalid(response: httpx.Response) -> bool:
    """Whether it is gRPC error 3 in the trailers of an HTTP success."""
    return response.status_code == 200 and response.content[5:].startswith(b"grpc-status:3\r\n")


@pytest.mark.parametrize("step", DONE)
async def test_a_step_is_remembered_for_its_account_alone(caller: Caller, step: str) -> None:
    """The other steps and the other accounts stay as they were: no step waits for another."""
    await caller.limits("sandbox-basic-2")
    await caller.do(step, "sandbox-basic-1")
    assert [await caller.has_done(name, "sandbox-basic-1") for name in DONE] == [name == step for name in DONE]
    assert not await caller.has_done(step, "sandbox-basic-2")


@pytest.mark.parametrize("step", GRPC_STEPS)
async def test_success_is_an_empty_message_and_status_0(caller: Caller, step: str) -> None:
    """The bytes of section 11.15, however often it is asked."""
    for _ in range(2):
        response = await caller.do(step, "sandbox-basic-1")
        assert (response.status_code, response.content.hex()) == (200, SUCCESS)
        assert response.headers["content-type"] == "application/grpc-web+proto"


async def test_adult_content_can_be_switched_off_again(caller: Caller) -> None:
    """By the other message of section 11.15."""
    await caller.adult()
    assert (await caller.grpc(ADULT, DISABLE_ADULT)).content.hex() == SUCCESS
    assert not (await caller.state_of())["adult_content"]


@pytest.mark.parametrize("path", [TERMS, ADULT])
@pytest.mark.parametrize(
    "body",
    [
        "",
        "00000000",
        "0000000000",
        "00000000021002",
        "000000000210",
        "0000000002100100",
        "01000000021001",
        "80000000021001",
        "1001",
        ENABLE_ADULT[:-2],
        ENABLE_ADULT.replace("6e736677", "6e736678"),
        ENABLE_ADULT.replace("0a021001", "0a021002"),
        ENABLE_ADULT + "0000000000",
        b'{"tosVersion":5}'.hex(),
        b'"00000000021001"'.hex(),
    ],
    ids=[
        "nothing",
        "half a head",
        "empty message",
        "another version",
        "cut",
        "too long",
        "compressed",
        "trailers",
        "no frame",
        "cut name",
        "unknown feature",
        "neither on nor off",
        "two frames",
        "JSON",
        "hex as JSON",
    ],
)
async def test_any_other_bytes_are_a_grpc_error(caller: Caller, path: str, body: str) -> None:
    """Status 3 in the trailers, HTTP 200, and nothing is changed."""
    assert is_invalid(await caller.grpc(path, body))
    state = await caller.state_of()
    assert not state["terms_accepted"]
    assert not state["adult_content"]


@pytest.mark.parametrize("path", [TERMS, ADULT])
async def test_the_message_of_another_call_is_a_grpc_error(caller: Caller, path: str) -> None:
    """Each call knows its own messages."""
    assert is_invalid(await caller.grpc(path, ACCEPT_TERMS if path == ADULT else ENABLE_ADULT))


@pytest.mark.parametrize("step", GRPC_STEPS)
@pytest.mark.parametrize("content_type", ["", "application/json", "application/grpc", "application/grpc-web-text"])
async def test_another_content_type_is_unsupported(caller: Caller, step: str, content_type: str) -> None:
    """415 tells which one is taken."""
    path, body = {"terms": (TERMS, ACCEPT_TERMS), "adult": (ADULT, ENABLE_ADULT)}[step]
    response = await caller.grpc(path, body, content_type=content_type)
    assert (response.status_code, response.headers["accept-post"]) == (415, "application/grpc-web+proto")
    assert not await caller.has_done(step, "sandbox-basic-1")


async def test_the_content_type_may_have_parameters_and_capitals(caller: Caller) -> None:
    """They mean nothing (RFC 9110, section 8.3.1)."""
    response = await caller.grpc(TERMS, ACCEPT_TERMS, content_type="Application/GRPC-Web+proto; charset=utf-8")
    assert response.content.hex() == SUCCESS


async def test_a_birth_date_is_set_once(caller: Caller) -> None:
    """Every later one is locked out, be it the same, and the first stays."""
    assert (await caller.birth()).status_code == 200
    for date in (BIRTH_DATE, "1980-01-01T16:00:00.000Z"):
        locked = await caller.birth(date=date)
        assert (locked.status_code, locked.content) == (429, LOCKED)
    assert (await caller.state_of())["birth_date"] == BIRTH_DATE


@pytest.mark.parametrize(
    "date",
    [
        None,
        19900517,
        "",
        "1990-05-17",
        "1990-05-17T16:00:00Z",
        "1990-05-17T16:00:00.000000Z",
        "1990-05-17T16:00:00.000+00:00",
        "1990-05-17 16:00:00.000Z",
        "1990-02-30T16:00:00.000Z",
        "1990-05-17T24:61:00.000Z",
        "١٩٩٠-05-17T16:00:00.000Z",
        "1990-05-17T16:00:00.000Z\n",
    ],
)
async def test_a_birth_date_has_one_form(caller: Caller, date: object) -> None:
    """400 for any other, and nothing is remembered."""
    response = await caller.birth(date=date)
    assert (response.status_code, response.json()["code"]) == (400, 3)
    assert (await caller.state_of())["birth_date"] is None


@pytest.mark.parametrize("body", [None, [], "text", {}])
async def test_a_birth_date_comes_in_a_json_object(caller: Caller, body: object) -> None:
    """400 in the form of gRPC-gateway."""
    assert (await caller.post(BIRTH, body)).status_code == 400


@pytest.mark.parametrize("date", ["2000-02-29T16:00:00.000Z", "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"])
async def test_whether_a_birth_date_makes_sense_is_not_asked(caller: Caller, date: str) -> None:
    """Any moment in that form is taken, and remembered as it was sent."""
    assert (await caller.birth(date=date)).status_code == 200
    assert (await caller.state_of())["birth_date"] == date


@pytest.mark.parametrize("path", [CHAT, TERMS, BIRTH, ADULT])
async def test_a_body_that_is_too_large_is_refused(caller: Caller, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is made of it."""
    monkeypatch.setattr("grok_app.sandbox.exchange.MAX_BODY_BYTES", 10)
    response = await caller.http.post(path, content=b"x" * 11, headers=cookies_of("sandbox-basic-1"))
    assert response.status_code == 413
