"""Reading a body: within its size, within its time, and described as it is."""

import asyncio
import errno
from base64 import b64encode
from contextlib import ExitStack
from typing import Any

import pytest
from fastapi import Request
from pydantic import BaseModel

from grok_app.api.app import create_routes
from grok_app.api.body import json_body, read_json, read_with_files, storing_parts
from grok_app.errors import InvalidRequestError, OverloadedError, RequestTooLargeError


class Inner(BaseModel):
    """A part."""

    name: str = "x"


class Outer(BaseModel):
    """A whole."""

    inner: Inner = Inner()


def request_of(*parts: bytes, ends: bool = True) -> Request:
    """A request whose body comes in these parts, and then ends, or never does."""
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop(0)
        if not ends:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": b"", "more_body": False}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


async def test_a_body_comes_in_parts() -> None:
    """However it was cut."""
    assert await read_json(request_of(b'{"na', b'me": "y"}'), Inner) == Inner(name="y")


async def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger who sends a byte and falls silent holds a connection for a while only."""
    monkeypatch.setattr("grok_app.api.body._PART_LIMIT_S", 0.01)
    with pytest.raises(InvalidRequestError) as refused:
        await read_json(request_of(b"{", ends=False), Inner)
    assert refused.value.code == "body_timeout"


async def test_who_still_sends_reads_that_the_disk_is_full() -> None:
    """What can't be stored is read all the same: a connection that is closed before takes the answer with it."""
    request = request_of(b"one", b"two", b"three")

    async def store() -> None:
        async with storing_parts(request, 100) as parts:
            async for _ in parts:
                raise OSError(errno.ENOSPC, "full")

    with pytest.raises(OverloadedError):
        await store()
    assert await request.receive() == {"type": "http.request", "body": b"", "more_body": False}


async def test_a_body_over_its_limit_is_refused() -> None:
    """Before all of it has been read."""
    with pytest.raises(RequestTooLargeError):
        await read_json(request_of(b"x" * 11, ends=False), Inner, limit_bytes=10)


async def test_text_over_its_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What isn't lifted would stand in memory several times. The rest is read, so that the client can be told."""
    monkeypatch.setattr("grok_app.api.body._TEXT_LIMIT_BYTES", 300_000)
    request = request_of(b'{"name": "', *[b"x" * 100_000] * 10)
    with pytest.raises(RequestTooLargeError), ExitStack() as held:
        await read_with_files(request, Inner, held)
    assert not (await request.receive())["more_body"]


async def test_a_file_is_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is lifted doesn't count against the limit of the text."""
    monkeypatch.setattr("grok_app.api.body._TEXT_LIMIT_BYTES", 300_000)
    body = b'{"url": "data:image/png;base64,%b"}' % b64encode(bytes(3_000_000))
    with ExitStack() as held:
        await read_with_files(request_of(*[body[at : at + 99_999] for at in range(0, len(body), 99_999)]), Inner, held)


def test_what_stands_beside_a_reference_is_described_too() -> None:
    """A default, say."""
    schema = json_body(Outer)["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["inner"]["default"] == {"name": "x"}
    assert schema["properties"]["inner"]["properties"]["name"]["default"] == "x"


def test_a_change_of_one_account_has_no_defaults() -> None:
    """A generated client must not reset what its user doesn't mention."""
    operation = create_routes().openapi()["paths"]["/v1/admin/tokens"]["patch"]
    properties = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert {"token", "pool", "status", "quota", "note", "tags"} == properties.keys()
    assert not any("default" in field for field in properties.values())
