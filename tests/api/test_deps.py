"""What routes ask for, as far as requests through the gateway don't show it."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import Request

from grok_app.api.deps import own_url, require_api_key
from grok_app.errors import RateLimitedError
from grok_app.runtime import Services
from grok_app.trace import Trace, current_trace


def services(app_url: str = "") -> Services:
    """Services with this setting and nothing else."""
    app = SimpleNamespace(app_url=app_url)
    return cast("Services", SimpleNamespace(settings=SimpleNamespace(snapshot=SimpleNamespace(app=app))))


def request(**fields: Any) -> Request:
    """A request with these fields in its scope."""
    scope = {"type": "http", "scheme": "http", "path": "/v1/x", "query_string": b"a=1", "server": ("127.0.0.1", 1)}
    return Request({**scope, "headers": [(b"host", b"one.example")], **fields})


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({}, "http://one.example"),
        ({"scheme": "https", "root_path": "/x/"}, "https://one.example/x"),
        ({"app_root_path": "/top", "root_path": "/top/sub"}, "http://one.example/top"),
        ({"headers": [(b"host", b"two.example:81"), (b"host", b"three.example")]}, "http://two.example:81"),
        ({"headers": [(b"host", b"no host:x")]}, "http://127.0.0.1:1"),
        ({"headers": [], "server": ["127.0.0.1", 80]}, "http://127.0.0.1"),
        ({"headers": [], "server": None}, ""),
    ],
)
def test_links_begin_with_the_address_that_the_caller_used(fields: dict[str, Any], url: str) -> None:
    """Whatever others have asked under before."""
    assert own_url(request(), services()) == "http://one.example"
    assert own_url(request(**fields), services()) == url


def test_the_setting_decides_where_there_is_one() -> None:
    """Whatever the caller used."""
    assert own_url(request(), services("https://set.example")) == "https://set.example"


@pytest.mark.parametrize("limit", [1, 0], ids=["seldom enough", "too often"])
async def test_whoever_asks_too_often_is_turned_away(limit: int) -> None:
    """As those without a key: a program that loops is not recorded as often as it asks."""

    async def count(_shown: str) -> None:
        if not limit:
            raise RateLimitedError("Too often")

    access, callers = SimpleNamespace(check_api=lambda _: None), SimpleNamespace(count=count)
    trace = Trace("1", "/v1/chat/completions")
    token = current_trace.set(trace)
    with nullcontext() if limit else pytest.raises(RateLimitedError):
        await require_api_key(
            cast("Services", SimpleNamespace(access=access, callers=callers)), None, "a-long-key-of-somebody"
        )
    current_trace.reset(token)
    assert trace.was_turned_away() is not bool(limit)
    assert trace.key == "…body"
