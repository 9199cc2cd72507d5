"""What an account has left. Sections 6.1 and 11.16 of the protocol notes, epoch [F]."""

from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from grok_app.upstream import ErrorKind, GrokWebOptions, Quota, UpstreamError, open_grokweb
from grok_app.upstream.grokweb.limits import read_quota
from grok_app.upstream.grokweb.unary import Reply
from tests.servers import Sandbox
from tests.upstream.wire import answer, grok

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)


def reply(body: bytes) -> Reply:
    """A reply with this body."""
    return Reply(200, {}, {}, body)


@pytest.mark.parametrize(
    ("body", "quota"),
    [
        ('{"windowSizeSeconds":86400,"remainingQueries":30,"totalQueries":30}', Quota(30, 86400)),
        ('{"windowSizeSeconds":7200,"remainingQueries":0,"totalQueries":140}', Quota(0, 7200)),
        ('{"remainingTokens":76}', Quota(76, None)),
        ('{"remainingQueries":76}', Quota(76, None)),
        ('{"remainingTokens":5,"remainingQueries":7}', Quota(5, None)),
        ('{"remainingTokens":0,"remainingQueries":7}', Quota(0, None)),
        ('{"remainingTokens":null,"remainingQueries":7}', Quota(7, None)),
        ('{"remainingQueries":7.0,"windowSizeSeconds":60.0}', Quota(7, 60)),
        ('{"remainingQueries":7,"windowSizeSeconds":0}', Quota(7, None)),
        ('{"remainingQueries":7,"windowSizeSeconds":-5}', Quota(7, None)),
        ('{"remainingQueries":7,"windowSizeSeconds":true}', Quota(7, None)),
        ('{"remainingQueries":7,"windowSizeSeconds":"60"}', Quota(7, None)),
        ('{"remainingQueries":99999999999999999999999}', Quota(1_000_000, None)),
        ('{"remainingQueries":7,"windowSizeSeconds":1e30}', Quota(7, 1_000_000)),
    ],
    ids=[
        "window", "empty", "tokens", "queries", "tokens first", "no tokens left", "tokens null", "floats",
        "no window", "negative window", "true as window", "text as window", "absurd", "absurd window",
    ],
)  # fmt: skip
def test_a_quota_is_read(body: str, quota: Quota) -> None:
    """What is left, by tokens else by queries, and the window where it makes sense."""
    assert read_quota(reply(body.encode())) == quota


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"7",
        b"{}",
        b'{"remainingQueries":null}',
        b'{"remainingQueries":-1}',
        b'{"remainingQueries":7.5}',
        b'{"remainingQueries":true}',
        b'{"remainingQueries":"7"}',
        b'{"remainingTokens":-1,"remainingQueries":7}',
    ],
    ids=repr,
)
def test_an_answer_without_a_number_is_an_error(body: bytes) -> None:
    """Nothing is guessed: no number, or none from 0 up, is an answer that we don't understand."""
    with pytest.raises(UpstreamError, match="about the quota") as raised:
        read_quota(reply(body))
    assert (raised.value.kind, raised.value.status) == (ErrorKind.PROTOCOL, 200)


@given(st.dictionaries(st.sampled_from(("remainingTokens", "remainingQueries", "windowSizeSeconds")), JSON))
def test_no_answer_is_a_crash(body: dict[str, object]) -> None:
    """Whatever stands there, the quota is within its bounds or an UpstreamError."""
    with suppress(UpstreamError):
        quota = read_quota(reply(orjson.dumps(body)))
        assert 0 <= quota.remaining <= 1_000_000
        assert quota.window_s is None or 0 < quota.window_s <= 1_000_000


async def test_the_question_is_the_pages() -> None:
    """Path, headers and body are those of February 2026."""
    said = answer(200, b'{"remainingTokens":76,"windowSizeSeconds":7200}')
    async with grok(said, cf_clearance=SecretStr("C")) as at:
        assert await at.client.quota("T") == Quota(76, 7200)
    [asked] = at.asked
    assert asked.line == "POST /rest/rate-limits HTTP/1.1"
    assert asked.body == b'{"requestKind":"DEFAULT","modelName":"grok-4-1-thinking-1129"}'
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["origin"] == at.origin
    assert asked.headers["referer"] == f"{at.origin}/"
    assert asked.headers["cookie"] == "sso=T; sso-rw=T;cf_clearance=C"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, ErrorKind.INVALID_CREDENTIAL),
        (403, ErrorKind.ANTI_BOT),
        (429, ErrorKind.RATE_LIMITED),
        (302, ErrorKind.PROTOCOL),
        (500, ErrorKind.UNAVAILABLE),
    ],
)
async def test_a_refusal_keeps_its_status(status: int, kind: ErrorKind) -> None:
    """What HTTP refuses is classified as anywhere."""
    async with grok(answer(status, b"{}")) as at:
        with pytest.raises(UpstreamError) as raised:
            await at.client.quota("T")
    assert (raised.value.kind, raised.value.status) == (kind, status)


async def test_the_time_limit_is_the_settings() -> None:
    """No answer within `quota_timeout_s` is a TIMEOUT."""
    async with grok(b"", quota_timeout_s=0.1) as at:
        with pytest.raises(UpstreamError) as raised:
            await at.client.quota("T")
    assert raised.value.kind is ErrorKind.TIMEOUT


async def test_the_sandbox_is_understood(sandbox: Sandbox) -> None:
    """The simulated grok.com tells the quota of an account by its name."""
    options = GrokWebOptions(base_url=sandbox.url)
    async with open_grokweb(lambda: options) as client:
        quota = await client.quota("sandbox-basic-limits-quota7")
    assert quota.remaining == 7
    assert quota.window_s is not None
