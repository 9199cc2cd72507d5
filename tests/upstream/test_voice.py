"""The token of a voice session. Sections 1.3, 8.1 and 11.19 of the protocol notes, epoch [F]."""

import orjson
import pytest
from pydantic import SecretStr

from grok_app.upstream import ErrorKind, GrokWebOptions, UpstreamError, VoicePrompt, VoiceToken, open_grokweb
from tests.servers import Sandbox
from tests.upstream.wire import answer, grok

PROMPT = VoicePrompt("ara", "assistant", 1.5, "wss://livekit.example")
GIVEN = {"token": "J", "livekitUrl": "wss://other.example", "participantName": "user-1", "roomName": "room-1"}


async def test_the_question_is_the_pages() -> None:
    """Path, headers and body are those of February 2026; the session is JSON within a text."""
    async with grok(answer(200, b'{"token":"J"}'), cf_clearance=SecretStr("C")) as at:
        await at.client.voice_token("T", PROMPT)
    [asked] = at.asked
    assert asked.line == "POST /rest/livekit/tokens HTTP/1.1"
    body = orjson.loads(asked.body)
    assert orjson.loads(body.pop("sessionPayload")) == {
        "voice": "ara",
        "personality": "assistant",
        "playback_speed": 1.5,
        "enable_vision": False,
        "turn_detection": {"type": "server_vad"},
    }
    assert body == {
        "requestAgentDispatch": False,
        "livekitUrl": "wss://livekit.example",
        "params": {"enable_markdown_transcript": "true"},
    }
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["origin"] == at.origin
    assert asked.headers["referer"] == f"{at.origin}/"
    assert asked.headers["cookie"] == "sso=T; sso-rw=T;cf_clearance=C"


@pytest.mark.parametrize(
    ("told", "names"),
    [
        (GIVEN, ("user-1", "room-1")),
        ({"token": "J"}, ("", "")),
        ({"token": "J", "participant_name": "a", "room_name": "b"}, ("a", "b")),
        ({"token": "J", "identity": "a", "room": "b"}, ("a", "b")),
        ({**GIVEN, "participant_name": "a", "identity": "b", "room": "c"}, ("user-1", "room-1")),
        ({**GIVEN, "participantName": "", "identity": "b", "roomName": None, "room": "c"}, ("b", "c")),
        ({"token": "J", "participantName": 7, "roomName": ["x"]}, ("", "")),
    ],
    ids=["whole", "token alone", "snake case", "short", "first wins", "first text wins", "no texts"],
)
async def test_names_have_several_spellings(told: dict[str, object], names: tuple[str, str]) -> None:
    """Participant and room are read under any of their names; without them they are empty."""
    async with grok(answer(200, orjson.dumps(told))) as at:
        assert await at.client.voice_token("T", PROMPT) == VoiceToken("J", *names)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"token":null}', b'{"token":""}', b'{"token":7}', b'{"token":{"jwt":"J"}}'],
    ids=repr,
)
async def test_an_answer_without_a_token_is_an_error(body: bytes) -> None:
    """We don't pretend that there is a session."""
    async with grok(answer(200, body)) as at:
        with pytest.raises(UpstreamError, match="about the voice token") as raised:
            await at.client.voice_token("T", PROMPT)
    assert (raised.value.kind, raised.value.status) == (ErrorKind.PROTOCOL, 200)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, ErrorKind.INVALID_CREDENTIAL),
        (403, ErrorKind.ANTI_BOT),
        (429, ErrorKind.RATE_LIMITED),
        (404, ErrorKind.PROTOCOL),
        (500, ErrorKind.UNAVAILABLE),
    ],
)
async def test_a_refusal_keeps_its_status(status: int, kind: ErrorKind) -> None:
    """What HTTP refuses is classified as anywhere."""
    async with grok(answer(status, b"{}")) as at:
        with pytest.raises(UpstreamError) as raised:
            await at.client.voice_token("T", PROMPT)
    assert (raised.value.kind, raised.value.status) == (kind, status)


async def test_the_time_limit_is_the_settings() -> None:
    """No answer within `voice_timeout_s` is a TIMEOUT."""
    async with grok(b"", voice_timeout_s=0.1) as at:
        with pytest.raises(UpstreamError) as raised:
            await at.client.voice_token("T", PROMPT)
    assert raised.value.kind is ErrorKind.TIMEOUT


def test_a_token_is_shown_nowhere() -> None:
    """Not even where one is logged by mistake."""
    assert "secret" not in repr(VoiceToken("secret", "a", "b"))


@pytest.mark.parametrize("word", ["", "-@voice-bare"], ids=["whole", "token alone"])
async def test_the_sandbox_gives_a_token(sandbox: Sandbox, word: str) -> None:
    """The simulated grok.com takes our request, in which a name may hold anything."""
    prompt = VoicePrompt('"ara"\n', "assistant", 2, "ws://127.0.0.1:9")
    async with open_grokweb(lambda: GrokWebOptions(base_url=sandbox.url)) as client:
        given = await client.voice_token(f"sandbox-basic-voice{word}", prompt)
    assert given.token.count(".") == 2
    assert (given.participant_name[:5], given.room_name[:5]) == (("", "") if word else ("user-", "room-"))


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("401", ErrorKind.INVALID_CREDENTIAL),
        ("429", ErrorKind.RATE_LIMITED),
        ("500", ErrorKind.UNAVAILABLE),
        ("empty", ErrorKind.PROTOCOL),
        ("garbage", ErrorKind.PROTOCOL),
        ("hang", ErrorKind.TIMEOUT),
    ],
)
async def test_the_sandbox_refuses_on_request(sandbox: Sandbox, word: str, kind: ErrorKind) -> None:
    """Each failure of the simulated grok.com is understood."""
    options = GrokWebOptions(base_url=sandbox.url, voice_timeout_s=0.5)
    async with open_grokweb(lambda: options) as client:
        with pytest.raises(UpstreamError) as raised:
            await client.voice_token(f"sandbox-basic-voice-@voice-{word}", PROMPT)
    assert raised.value.kind is kind
    assert raised.value.retry_after_s == (37 if word == "429" else None)
