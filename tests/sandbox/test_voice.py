"""Voice tokens and LiveKit's signalling. Sections 1.3, 8.1 and 11.19 of the protocol notes."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import jwt
import orjson
import pytest
from curl_cffi.const import CurlWsFlag
from curl_cffi.requests import AsyncSession, AsyncWebSocket
from livekit.protocol import rtc

from grok_app.sandbox.voice.passes import API_KEY, SECRET, VALID_S

from .conftest import Caller
from .test_imagine import UPGRADE

TOKENS = "/rest/livekit/tokens"
SESSION = {
    "voice": "ara",
    "personality": "assistant",
    "playback_speed": 1.0,
    "enable_vision": False,
    "turn_detection": {"type": "server_vad"},
}
PATHS = ["/rtc", "/rtc/v1"]


def wanted(session: Any = None, **changes: Any) -> dict[str, Any]:
    """The request of section 8.1."""
    return {
        "sessionPayload": orjson.dumps(SESSION if session is None else session).decode(),
        "requestAgentDispatch": False,
        "livekitUrl": "wss://livekit.grok.com",
        "params": {"enable_markdown_transcript": "true"},
        **changes,
    }


async def token_of(caller: Caller, account: str = "sandbox-basic-1") -> str:
    """A good token."""
    answer = (await caller.post(TOKENS, wanted(), account)).raise_for_status()
    return str(answer.json()["token"])


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, which must be signed."""
    claims: dict[str, Any] = jwt.decode(token, SECRET, ["HS256"])
    return claims


def signed(**changes: Any) -> str:
    """A token of ours, changed; a claim of None is left out."""
    grant = {"room": "r", "roomJoin": True}
    claims = {"iss": API_KEY, "sub": "u", "nbf": int(time.time()), "exp": int(time.time()) + 3600, "video": grant}
    left = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode(left, SECRET, "HS256")


BAD = {
    "none": "",
    "no token": "abc",
    "foreign": jwt.encode({"sub": "u"}, "another secret, as long as it has to be", "HS256"),
    "unsigned": jwt.encode({"sub": "u"}, "", "none"),
    "expired": signed(exp=int(time.time()) - 60),
    "early": signed(nbf=int(time.time()) + 3000),
    "endless": signed(exp=None),
    "another key's": signed(iss="somebody"),
    "nobody's": signed(sub=None),
    "no grant": signed(video=None),
    "no room": signed(video={"roomJoin": True}),
    "may not join": signed(video={"room": "r", "roomJoin": False}),
}
bad_tokens = pytest.mark.parametrize("token", BAD.values(), ids=BAD)


@asynccontextmanager
async def signalling(real: Caller, path: str, token: str) -> AsyncGenerator[AsyncWebSocket]:
    """An open socket."""
    url = str(real.http.base_url).replace("http", "ws").rstrip("/") + path
    query = f"access_token={token}&auto_subscribe=1&sdk=js&version=2.11.4&protocol=15"
    async with AsyncSession[Any]() as session:
        socket = await session.ws_connect(f"{url}?{query}")
        try:
            yield socket
        finally:
            await socket.close()


async def heard(socket: AsyncWebSocket) -> rtc.SignalResponse:
    """The next message, as LiveKit's own classes read it."""
    content, _ = await socket.recv(timeout=3)
    return rtc.SignalResponse.FromString(content)


async def say(socket: AsyncWebSocket, request: rtc.SignalRequest) -> None:
    """Send a message, as LiveKit's own classes write it."""
    await socket.send(request.SerializeToString(), CurlWsFlag.BINARY)


async def last_socket(real: Caller, path: str) -> dict[str, Any]:
    """What the journal says of the last request at this path."""
    entries = (await real.http.get("/sandbox/requests")).json()
    found: dict[str, Any] = [entry for entry in entries if entry["path"] == path][-1]
    return found


async def ended_socket(real: Caller, path: str) -> dict[str, Any]:
    """The same once it has ended, within two seconds."""
    async with asyncio.timeout(2):
        while (entry := await last_socket(real, path))["state"] == "open":
            pass
    return entry


async def test_a_token_lets_a_guest_into_a_room(caller: Caller) -> None:
    """A JWT with LiveKit's claims, and the names that it has, beside it."""
    answer = await caller.post(TOKENS, wanted())
    assert answer.status_code == 200
    body = answer.json()
    claims = claims_of(body.pop("token"))
    assert body == {
        "livekitUrl": "wss://livekit.grok.com",
        "participantName": claims["sub"],
        "roomName": claims["video"]["room"],
    }
    assert claims["iss"] == API_KEY
    assert claims["name"] == claims["sub"]
    assert claims["exp"] - claims["nbf"] == VALID_S
    assert {name for name, value in claims["video"].items() if value is True} >= {
        "roomJoin",
        "canPublish",
        "canSubscribe",
    }
    assert orjson.loads(claims["metadata"]) == {"voice": "ara", "personality": "assistant", "playback_speed": 1.0}


async def test_an_account_keeps_its_name_and_gets_a_new_room(caller: Caller) -> None:
    """Two calls, two rooms; another account is another guest."""
    first, second, other = [claims_of(await token_of(caller, f"sandbox-basic-{number}")) for number in ("a", "a", "b")]
    assert first["sub"] == second["sub"] != other["sub"]
    assert len({claims["video"]["room"] for claims in (first, second, other)}) == 3


async def test_a_token_takes_nothing_from_the_quota(caller: Caller) -> None:
    """Even an account without any may talk."""
    await token_of(caller, "sandbox-basic-quota0")
    assert (await caller.state_of("sandbox-basic-quota0"))["remaining"] == 0


@pytest.mark.parametrize(
    "body",
    [
        wanted(sessionPayload=SESSION),
        wanted(sessionPayload="{"),
        wanted(sessionPayload=None),
        wanted([]),
        *(wanted({**SESSION, name: None}) for name in SESSION),
        wanted({name: value for name, value in SESSION.items() if name != "voice"}),
        wanted({**SESSION, "voice": ""}),
        wanted({**SESSION, "playback_speed": "1.0"}),
        wanted({**SESSION, "playback_speed": 0}),
        wanted({**SESSION, "turn_detection": {"type": "none"}}),
        wanted(requestAgentDispatch="false"),
        wanted(livekitUrl="https://livekit.grok.com"),
        wanted(params={"enable_markdown_transcript": True}),
        [],
        {},
    ],
    ids=[
        "session is an object", "session is no JSON", "no session", "session is a list",
        *(f"{name} is null" for name in SESSION), "no voice", "empty voice", "speed is a text", "speed is 0",
        "turn detection", "dispatch is a text", "address", "params", "list", "empty",
    ],
)  # fmt: skip
async def test_another_request_is_refused(caller: Caller, body: Any) -> None:
    """What isn't the request of section 8.1 gets no token; a session that isn't JSON within a text least of all."""
    answer = await caller.post(TOKENS, body)
    assert (answer.status_code, answer.json()["code"]) == (400, 3)


async def test_only_accounts_get_tokens(caller: Caller) -> None:
    """By their cookies, as for every call."""
    assert (await caller.post(TOKENS, wanted(), "a-stranger")).status_code == 401


@pytest.mark.parametrize(("word", "status"), [("401", 401), ("429", 429), ("500", 500)])
async def test_a_token_can_be_refused(caller: Caller, word: str, status: int) -> None:
    """By a word in the account's name; the other calls of the account work."""
    account = f"sandbox-basic-1-@voice-{word}"
    answer = await caller.post(TOKENS, wanted(), account)
    assert answer.status_code == status
    assert answer.headers.get("retry-after") == ("37" if status == 429 else None)
    assert (await caller.limits(account)).status_code == 200


async def test_an_answer_can_lack_the_token_or_all_else(caller: Caller) -> None:
    """`empty`, `bare` and `garbage`."""
    answers = {
        word: await caller.post(TOKENS, wanted(), f"sandbox-basic-1-@voice-{word}")
        for word in ("empty", "bare", "garbage")
    }
    assert {answer.status_code for answer in answers.values()} == {200}
    assert answers["empty"].json().keys() == {"livekitUrl", "participantName", "roomName"}
    assert answers["bare"].json().keys() == {"token"}
    assert answers["garbage"].headers["content-type"].startswith("text/html")


async def test_a_token_may_never_come(real: Caller) -> None:
    """`hang`."""
    real.http.timeout = httpx.Timeout(0.3)
    with pytest.raises(httpx.ReadTimeout):
        await real.post(TOKENS, wanted(), "sandbox-basic-1-@voice-hang")


@pytest.mark.parametrize("path", PATHS)
async def test_a_guest_is_told_where_it_is(real: Caller, path: str) -> None:
    """The first message says room, guest, server and how often to ping; there are no ICE servers."""
    token = await token_of(real)
    claims = claims_of(token)
    async with signalling(real, path, token) as socket:
        message = await heard(socket)
    assert message.WhichOneof("message") == "join"
    joined = message.join
    assert joined.room.name == claims["video"]["room"]
    assert joined.room.sid.startswith("RM_")
    assert joined.participant.sid.startswith("PA_")
    assert (joined.participant.identity, joined.participant.name) == (claims["sub"], claims["name"])
    assert joined.participant.metadata == claims["metadata"]
    assert joined.participant.permission.can_publish
    assert joined.participant.permission.can_subscribe
    assert joined.server_info.version == joined.server_version != ""
    assert (joined.ping_interval, joined.ping_timeout) == (5, 15)
    assert list(joined.ice_servers) == list(joined.other_participants) == []


async def test_pings_are_answered(real: Caller) -> None:
    """Both kinds, which clients send together; the newer one with the time that it was sent."""
    async with signalling(real, "/rtc", await token_of(real)) as socket:
        await heard(socket)
        now_ms = int(time.time() * 1000)
        await say(socket, rtc.SignalRequest(ping=now_ms))
        assert (await heard(socket)).pong >= now_ms
        await say(socket, rtc.SignalRequest(ping_req=rtc.Ping(timestamp=now_ms, rtt=7)))
        answer = (await heard(socket)).pong_resp
    assert answer.last_ping_timestamp == now_ms
    assert answer.timestamp >= now_ms


async def test_whoever_leaves_is_let_go(real: Caller) -> None:
    """The socket is closed in order, and finished in the journal; what was said on it stands there in hex."""
    async with signalling(real, "/rtc", await token_of(real)) as socket:
        await heard(socket)
        assert (await last_socket(real, "/rtc"))["state"] == "open"
        assert (await real.http.get("/sandbox/state")).json()["open_sockets"] >= 1
        await say(socket, rtc.SignalRequest(leave=rtc.LeaveRequest()))
        farewell, kind = await socket.recv(timeout=3)
    assert (farewell, kind) == ((1000).to_bytes(2), CurlWsFlag.CLOSE)
    entry = await ended_socket(real, "/rtc")
    assert (entry["status"], entry["state"], entry["body"]) == (101, "finished", ["4200"])


async def test_whoever_hangs_up_is_forgotten(real: Caller) -> None:
    """Without a word; no socket stays open for it."""
    async with signalling(real, "/rtc/v1", await token_of(real)) as socket:
        await heard(socket)
    assert (await ended_socket(real, "/rtc/v1"))["state"] == "cancelled"


async def test_offers_and_nonsense_are_passed_over(real: Caller) -> None:
    """There is nothing behind the socket that could answer; it stays open."""
    offer = rtc.SignalRequest(offer=rtc.SessionDescription(type="offer", sdp="v=0"))
    async with signalling(real, "/rtc", await token_of(real)) as socket:
        await heard(socket)
        await say(socket, offer)
        await socket.send(b"\xff\xff", CurlWsFlag.BINARY)
        await socket.send_str("a text")
        await say(socket, rtc.SignalRequest(ping_req=rtc.Ping()))
        assert (await heard(socket)).WhichOneof("message") == "pong_resp"


@bad_tokens
@pytest.mark.parametrize("path", PATHS)
async def test_a_bad_token_opens_nothing(real: Caller, path: str, token: str) -> None:
    """The upgrade is refused with 401 and a reason."""
    answer = await real.http.get(path, params={"access_token": token}, headers=UPGRADE)
    assert answer.status_code == 401
    assert answer.text
    assert (await last_socket(real, path))["status"] == 401


@bad_tokens
@pytest.mark.parametrize("path", PATHS)
async def test_a_client_learns_why_it_was_refused(caller: Caller, path: str, token: str) -> None:
    """Pages of any origin may ask, and read the reason; it isn't the token."""
    answer = await caller.http.get(f"{path}/validate", params={"access_token": token})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (401, "*")
    assert answer.text
    assert not token or token not in answer.text
    assert ("expired" in answer.text) == (token == BAD["expired"])


@pytest.mark.parametrize("path", PATHS)
async def test_a_good_token_is_valid(caller: Caller, path: str) -> None:
    """Then something else was the matter."""
    answer = await caller.http.get(f"{path}/validate", params={"access_token": await token_of(caller)})
    assert (answer.status_code, answer.text, answer.headers["access-control-allow-origin"]) == (200, "success", "*")


async def test_the_journal_has_the_call_but_no_token(caller: Caller) -> None:
    """What was asked, as it came, and who asked; a token stands nowhere."""
    token = await token_of(caller)
    await caller.http.get("/rtc/validate", params={"access_token": token})
    page = await caller.http.get("/sandbox/requests")
    called, asked = page.json()
    assert (called["path"], called["account"], called["body"]) == (TOKENS, "sandbox-basic-1", wanted())
    assert (asked["path"], asked["status"]) == ("/rtc/validate", 200)
    assert token.rpartition(".")[2] not in page.text
