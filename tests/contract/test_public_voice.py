"""Voice for the studio's visitors. Source: API contract, sections 2, 3 and 9; protocol notes, section 8.1."""

import asyncio
import time
from typing import Any, Final

import httpx
import jwt
import orjson
import pytest
from curl_cffi.requests import AsyncSession
from livekit.protocol import rtc

from grok_app.catalog import Pool
from grok_app.sandbox.voice.passes import SECRET
from tests.conftest import API_KEY, APP_KEY, ENDLESS, KEYS, PUBLIC_KEY, QUICK_RETRIES, GatewayFactory
from tests.contract.admin import DESK, fresh, operator
from tests.contract.admin import PREFIXES as ADMIN
from tests.contract.media import Calls
from tests.contract.wire import error_of
from tests.servers import Gateway, Sandbox, eventually

TOKENS: Final = "/rest/livekit/tokens"
PATH: Final = "/v1/public/voice/token"
PATHS: Final = [PATH, "/api/v1/public/voice/token"]
VISITOR: Final = {"Authorization": f"Bearer {PUBLIC_KEY}"}
UNLIMITED: Final = {"public.requests_per_minute": "100000"}
TIMEOUT_S: Final = 0.5
LONGEST: Final = "x" * 64
NO_TOKEN: Final = {
    "message": "No available tokens for voice mode",
    "type": "service_unavailable_error",
    "param": None,
    "code": "no_token",
}

both_paths = pytest.mark.parametrize("path", PATHS)
both_methods = pytest.mark.parametrize("method", ["GET", "POST"])


@pytest.fixture(scope="module")
def studio(make_gateway: GatewayFactory) -> Gateway:
    """A gateway with a public key."""
    accounts = {
        Pool.BASIC: (f"sandbox-basic-voice-{ENDLESS}",),
        Pool.SUPER: (f"sandbox-super-voice-{ENDLESS}",),
    }
    return make_gateway(accounts, {**KEYS, **QUICK_RETRIES, **UNLIMITED})


@pytest.fixture(scope="module")
def agency(make_gateway: GatewayFactory) -> Gateway:
    """A gateway that gives up soon; each test puts its accounts there with `staff`."""
    return make_gateway({Pool.SUPER: ("sandbox-super-agency",)}, {**DESK, **UNLIMITED, "voice.timeout": str(TIMEOUT_S)})


@pytest.fixture
def patient(make_gateway: GatewayFactory) -> Gateway:
    """A gateway that waits long for an account that never answers."""
    return make_gateway({Pool.BASIC: ("sandbox-basic-@voice-hang",)}, {**KEYS, **UNLIMITED})


def staff(gateway: Gateway, *basic: str, has_good: bool = False) -> None:
    """Let these be all accounts: basic ones, by the words in their names, and perhaps a super one that is fine."""
    accounts = {Pool.BASIC: fresh(*basic) if basic else [], Pool.SUPER: fresh(tier="super") if has_good else []}
    with operator(gateway, ADMIN[0]) as admin:
        admin.post("/tokens", json=accounts).raise_for_status()


def ask(gateway: Gateway, method: str = "GET", path: str = PATH, **fields: Any) -> httpx.Response:
    """Ask for a token, with the fields where the method has them."""
    if method == "GET":
        return gateway.stranger.get(path, headers=VISITOR, params=fields)
    return gateway.stranger.post(path, headers=VISITOR, json=fields)


def session_of(asked: dict[str, Any]) -> dict[str, Any]:
    """What Grok was asked for."""
    session: dict[str, Any] = orjson.loads(asked["body"]["sessionPayload"])
    return session


@both_paths
@both_methods
def test_a_visitor_gets_a_token(studio: Gateway, sandbox: Sandbox, calls: Calls, path: str, method: str) -> None:
    """Grok's signed token with LiveKit's claims, the address of the settings, and both names; for nobody to keep."""
    answer = ask(studio, method, path).raise_for_status()

    given = answer.json()
    claims = jwt.decode(given.pop("token"), SECRET, ["HS256"])
    assert given == {
        "url": sandbox.url.replace("http", "ws"),
        "participant_name": claims["sub"],
        "room_name": claims["video"]["room"],
    }
    assert claims["video"]["roomJoin"] is True
    assert answer.headers["cache-control"] == "no-store"
    [asked] = calls(TOKENS)
    assert (asked["account"], asked["body"]["livekitUrl"]) == (f"sandbox-basic-voice-{ENDLESS}", given["url"])


@both_methods
def test_without_wishes_there_are_defaults(studio: Gateway, calls: Calls, method: str) -> None:
    """Ara, the assistant, at her own speed."""
    ask(studio, method).raise_for_status()

    [asked] = calls(TOKENS)
    session = session_of(asked)
    assert (session["voice"], session["personality"], session["playback_speed"]) == ("ara", "assistant", 1.0)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"voice":null,"personality":null,"speed":null,"other":1}'], ids=repr)
def test_a_body_may_say_nothing(studio: Gateway, calls: Calls, content: bytes) -> None:
    """No body at all, an empty one, or nulls; unknown fields are passed over."""
    studio.stranger.post(PATH, headers=VISITOR, content=content).raise_for_status()

    [asked] = calls(TOKENS)
    assert session_of(asked)["voice"] == "ara"


@both_methods
@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"voice": "rex", "personality": "storyteller", "speed": 1.5}, ("rex", "storyteller", 1.5)),
        ({"voice": "  Èva\t", "personality": LONGEST, "speed": "0.5"}, ("Èva", LONGEST, 0.5)),
        ({"voice": f" {LONGEST} ", "speed": 2}, (LONGEST, "assistant", 2.0)),
        ({"personality": '"quoted"', "speed": " 1.25 "}, ("ara", '"quoted"', 1.25)),
    ],
    ids=["all", "slowest", "fastest", "quotes"],
)
def test_wishes_are_passed_on(
    studio: Gateway, calls: Calls, method: str, fields: dict[str, Any], sent: tuple[str, str, float]
) -> None:
    """Names as they are given, but for blanks around them; Grok knows which there are."""
    answer = ask(studio, method, **fields).raise_for_status()

    [asked] = calls(TOKENS)
    session = session_of(asked)
    assert (session["voice"], session["personality"], session["playback_speed"]) == sent
    told = orjson.loads(jwt.decode(answer.json()["token"], SECRET, ["HS256"])["metadata"])
    assert (told["voice"], told["personality"], told["playback_speed"]) == sent


@both_methods
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        *(({"speed": value}, "speed must be between 0.5 and 2.0") for value in ("0.49", "2.01", "-1", "1e9", "nan")),
        *(({"speed": value}, "speed must be a float") for value in ("", "fast", "1,5")),
        *(({"voice": value}, "voice must be a text of 1 to 64 characters") for value in ("", " ", "x" * 65)),
        *(
            ({"personality": value}, "personality must be a text of 1 to 64 characters")
            for value in ("", " ", "x" * 65)
        ),
    ],
    ids=str,
)
def test_a_wrong_wish_is_named(
    studio: Gateway, calls: Calls, method: str, fields: dict[str, str], message: str
) -> None:
    """Which field it is, and what it may be. Grok isn't asked."""
    answer = ask(studio, method, **fields)
    [field] = fields

    assert answer.status_code == 400
    assert error_of(answer) == {
        "message": message,
        "type": "invalid_request_error",
        "param": field,
        "code": f"invalid_{field}",
    }
    assert calls(TOKENS) == []


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"speed": True}, "speed", "invalid_speed"),
        ({"speed": [1]}, "speed", "invalid_speed"),
        ({"speed": 0.4}, "speed", "invalid_speed"),
        ({"voice": 7}, "voice", "invalid_voice"),
        ({"personality": {}}, "personality", "invalid_personality"),
        ([], "body", "model_type"),
    ],
    ids=["boolean", "list", "slow", "number as voice", "object as personality", "no object"],
)
def test_a_body_has_types(studio: Gateway, body: Any, param: str, code: str) -> None:
    """JSON can say more than a query, and be wrong in more ways."""
    answer = studio.stranger.post(PATH, headers=VISITOR, json=body)

    assert answer.status_code == 400
    error = error_of(answer)
    assert (error["param"], error["code"]) == (param, code)


def test_a_body_that_is_no_json_is_said_to_be_so(studio: Gateway) -> None:
    """As everywhere."""
    error = error_of(studio.stranger.post(PATH, headers=VISITOR, content=b"{voice"))

    assert (error["param"], error["code"]) == ("body", "json_invalid")


@pytest.mark.parametrize("asked", [(method, path) for method in ("GET", "POST") for path in PATHS], ids=" ".join)
@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "Missing authentication token"),
        ({"Authorization": "Bearer wrong"}, "Invalid authentication token"),
        ({"Authorization": f"Bearer {API_KEY}"}, "Invalid authentication token"),
        ({"Authorization": f"Bearer {APP_KEY}"}, "Invalid authentication token"),
    ],
    ids=["none", "wrong", "API key", "operator's"],
)
def test_strangers_get_none(
    studio: Gateway, calls: Calls, asked: tuple[str, str], headers: dict[str, str], message: str
) -> None:
    """The key is checked before anything else; in the query it doesn't count."""
    params = {"public_key": PUBLIC_KEY, "speed": "wrong"}
    answer = studio.stranger.request(*asked, headers=headers, params=params)

    assert (answer.status_code, error_of(answer)["message"]) == (401, message)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert calls(TOKENS) == []


@both_methods
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer whatever"}], ids=["none", "any"])
def test_an_empty_key_lets_everyone_in(changed: Gateway, method: str, headers: dict[str, str]) -> None:
    """The operator's choice."""
    assert changed.stranger.request(method, PATH, headers=headers).status_code == 200


@pytest.mark.parametrize("word", ["401", "429", "500", "hang"])
def test_the_next_account_is_asked(agency: Gateway, calls: Calls, word: str) -> None:
    """The visitor notices nothing of an account that fails, or only that it took the time of `voice.timeout`."""
    staff(agency, f"-@voice-{word}", has_good=True)
    began_at = time.monotonic()
    ask(agency).raise_for_status()

    assert time.monotonic() - began_at < TIMEOUT_S + 1
    first, second = calls(TOKENS)
    assert first["account"].endswith(f"@voice-{word}")
    assert second["account"].startswith("sandbox-super")


def test_a_session_takes_nothing_from_the_quota(agency: Gateway, calls: Calls) -> None:
    """An account gives more tokens than the 80 chats that it has."""
    staff(agency, "")

    assert {ask(agency).status_code for _ in range(90)} == {200}
    assert len(calls(TOKENS)) == 90


def test_without_accounts_there_is_no_voice(agency: Gateway) -> None:
    """503, and no word of when: nobody knows."""
    staff(agency)
    answer = ask(agency)

    assert (answer.status_code, error_of(answer)) == (503, NO_TOKEN)
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize("count", [1, 4])
def test_limited_accounts_are_as_good_as_none(agency: Gateway, count: int) -> None:
    """503 again, with the time after which one is free."""
    staff(agency, *["-@voice-429"] * count)
    answer = ask(agency)

    assert (answer.status_code, error_of(answer)) == (503, NO_TOKEN)
    assert 30 <= int(answer.headers["retry-after"]) <= 37


@pytest.mark.parametrize("word", ["empty", "garbage"])
def test_an_answer_without_a_token_is_groks_failure(agency: Gateway, calls: Calls, word: str) -> None:
    """502 at once: another account would get the same."""
    staff(agency, f"-@voice-{word}", has_good=True)
    answer = ask(agency)

    assert answer.status_code == 502
    error = error_of(answer)
    assert (error["type"], error["code"]) == ("server_error", "upstream_error")
    assert "voice token" in error["message"]
    assert len(calls(TOKENS)) == 1


@pytest.mark.parametrize(
    ("word", "status", "code"),
    [("401", 502, "upstream_error"), ("500", 502, "upstream_error"), ("hang", 504, "upstream_timeout")],
)
def test_a_failure_of_the_last_account_is_told(agency: Gateway, word: str, status: int, code: str) -> None:
    """As everywhere; a hanging one within `voice.timeout`."""
    staff(agency, f"-@voice-{word}")
    began_at = time.monotonic()
    answer = ask(agency)

    assert (answer.status_code, error_of(answer)["code"]) == (status, code)
    assert time.monotonic() - began_at < TIMEOUT_S + 1


def test_names_that_grok_does_not_send_are_empty(agency: Gateway) -> None:
    """As in February 2026: the token alone is enough."""
    staff(agency, "-@voice-bare")
    given = ask(agency).raise_for_status().json()

    assert (given["participant_name"], given["room_name"]) == ("", "")
    assert given["token"]
    assert given["url"]


async def test_leaving_cancels_the_request_at_grok(patient: Gateway, calls: Calls) -> None:
    """Within a second, long before `voice.timeout`; nobody would take the token."""
    async with httpx.AsyncClient(base_url=patient.url, headers=VISITOR) as visitor:
        asking = asyncio.create_task(visitor.get(PATH))
        await asyncio.to_thread(eventually, lambda: calls(TOKENS))
        asking.cancel()
        left_at = time.time()
        await asyncio.gather(asking, return_exceptions=True)

    [ended] = await asyncio.to_thread(eventually, lambda: [it for it in calls(TOKENS) if it["state"] != "open"])
    assert ended["state"] == "cancelled"
    assert ended["ended_ms"] / 1000 - left_at < 1


async def test_the_token_opens_the_socket_at_the_url(studio: Gateway) -> None:
    """A client that knows nothing but the answer is let into the room, under the name that it was told."""
    given = ask(studio).raise_for_status().json()
    query = f"access_token={given['token']}&auto_subscribe=1&sdk=js&version=2.11.4&protocol=15"
    async with AsyncSession[Any]() as session:
        socket = await session.ws_connect(f"{given['url']}/rtc?{query}")
        message, _ = await socket.recv(timeout=3)
        await socket.close()

    joined = rtc.SignalResponse.FromString(message).join
    assert (joined.participant.identity, joined.room.name) == (given["participant_name"], given["room_name"])


def test_tokens_stay_out_of_the_logs(studio: Gateway, sandbox: Sandbox) -> None:
    """Neither the gateway nor the simulated Grok writes one down."""
    token = ask(studio).raise_for_status().json()["token"]
    sandbox.http.get("/rtc/validate", params={"access_token": token}).raise_for_status()

    signature = token.rpartition(".")[2]
    for process in (studio.process, sandbox.process):
        assert signature not in process.log()
    assert signature not in sandbox.http.get("/sandbox/requests").text


@both_paths
def test_openapi_describes_both(studio: Gateway, path: str) -> None:
    """The fields, where each method takes them, and what is answered."""
    methods = studio.stranger.get("/openapi.json").raise_for_status().json()["paths"][path]

    assert {parameter["name"] for parameter in methods["get"]["parameters"]} == {"voice", "personality", "speed"}
    body = methods["post"]["requestBody"]
    assert body["content"]["application/json"]["schema"]["properties"].keys() == {"voice", "personality", "speed"}
    assert body["required"] is False
    for method in ("get", "post"):
        answered = methods[method]["responses"]["200"]["content"]["application/json"]["schema"]
        assert answered["properties"].keys() == {"token", "url", "participant_name", "room_name"}


@both_methods
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({}, 200),
    ],
    ids=["another site", "a browser says so", "our page", "no page"],
)
def test_foreign_pages_begin_no_session(studio: Gateway, method: str, headers: dict[str, str], status: int) -> None:
    """Where no key is needed, any page could begin sessions through whoever looks at it: browsers don't ask first."""
    assert studio.stranger.request(method, PATH, headers={**VISITOR, **headers}).status_code == status
