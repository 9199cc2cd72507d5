"""A sandbox in this process for what is said, and one behind a real socket for how a connection behaves."""

import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
import pytest

from grok_app.sandbox import Pacing, create_sandbox

CHAT = "/rest/app-chat/conversations/new"
LIMITS = "/rest/rate-limits"
TERMS = "/auth_mgmt.AuthManagement/SetTosAcceptedVersion"
BIRTH = "/rest/auth/set-birth-date"
ADULT = "/auth_mgmt.AuthManagement/UpdateUserFeatureControls"
ACCEPT_TERMS = "00000000021001"
ENABLE_ADULT = "00000000200a021001121a0a18616c776179735f73686f775f6e7366775f636f6e74656e74"
DISABLE_ADULT = "00000000200a021000121a0a18616c776179735f73686f775f6e7366775f636f6e74656e74"
SUCCESS = "0000000000800000000f677270632d7374617475733a300d0a"
BIRTH_DATE = "1990-05-17T16:00:00.000Z"
LOCKED = (
    b'{"code":8,"message":"Birth date is locked once set. Contact support if you need to update it. '
    b'[WKE=account:birth-date-change-limit-reached]","details":[]}'
)
"""Bytes of sections 11.15 (in hex) and 11.18."""
DONE = {"terms": ("terms_accepted", True), "birth": ("birth_date", BIRTH_DATE), "adult": ("adult_content", True)}
"""The steps of an account's setup, and what `/sandbox/state` then says."""
GRPC_STEPS = ("terms", "adult")
SERVE = """
import sys
from grok_app.sandbox import Pacing, serve_sandbox
serve_sandbox("127.0.0.1", int(sys.argv[1]), Pacing(0, 0, 0.1))
"""


@dataclass
class Caller:
    """Speaks to the sandbox as a client of grok.com."""

    http: httpx.AsyncClient

    async def post(self, path: str, body: Any, account: str = "sandbox-basic-1") -> httpx.Response:
        """Send JSON as an account."""
        return await self.http.post(path, content=orjson.dumps(body), headers=cookies_of(account))

    async def grpc(
        self,
        path: str,
        body: str,
        account: str = "sandbox-basic-1",
        content_type: str = "application/grpc-web+proto",
    ) -> httpx.Response:
        """Send bytes, given in hex, as a gRPC-web client."""
        headers = {"content-type": content_type, "x-grpc-web": "1", **cookies_of(account)}
        return await self.http.post(path, content=bytes.fromhex(body), headers=headers)

    async def terms(self, account: str = "sandbox-basic-1") -> httpx.Response:
        """Accept the terms."""
        return await self.grpc(TERMS, ACCEPT_TERMS, account)

    async def birth(self, account: str = "sandbox-basic-1", date: object = BIRTH_DATE) -> httpx.Response:
        """Set the birth date."""
        return await self.post(BIRTH, {"birthDate": date}, account)

    async def adult(self, account: str = "sandbox-basic-1") -> httpx.Response:
        """Switch adult content on."""
        return await self.grpc(ADULT, ENABLE_ADULT, account)

    async def do(self, step: str, account: str = "sandbox-basic-1") -> httpx.Response:
        """Do a step of the setup."""
        return await {"terms": self.terms, "birth": self.birth, "adult": self.adult}[step](account)

    async def has_done(self, step: str, account: str = "sandbox-basic-1") -> bool:
        """Whether the sandbox remembers the step."""
        key, value = DONE[step]
        return bool((await self.state_of(account))[key] == value)

    async def limits(self, account: str = "sandbox-basic-1") -> httpx.Response:
        """Ask what is left, as in February 2026."""
        return await self.post(LIMITS, {"requestKind": "DEFAULT", "modelName": "grok-4-1-thinking-1129"}, account)

    async def state_of(self, account: str = "sandbox-basic-1") -> dict[str, Any]:
        """What the sandbox remembers of an account."""
        accounts = (await self.http.get("/sandbox/state")).json()["accounts"]
        state: dict[str, Any] = next(known for known in accounts if known["account"] == account)
        return state

    async def chat(
        self, message: str, mode: str = "MODEL_MODE_GROK_3", account: str = "sandbox-basic-1"
    ) -> httpx.Response:
        """Ask for a chat answer."""
        return await self.post(CHAT, {"message": message, "modelName": "grok-3", "modelMode": mode}, account)

    async def responses(self, message: str, mode: str = "MODEL_MODE_GROK_3") -> list[dict[str, Any]]:
        """Every `result.response` of an answer."""
        text = (await self.chat(message, mode)).content
        results = [orjson.loads(line)["result"] for line in text.splitlines()]
        return [result["response"] for result in results if "response" in result]


def cookies_of(account: str) -> dict[str, str]:
    """The cookie header of an account."""
    return {"cookie": f"sso={account}; sso-rw={account};cf_clearance=c"}


@pytest.fixture
async def caller() -> AsyncGenerator[Caller]:
    """A client of a sandbox in this process; answers arrive whole."""
    transport = httpx.ASGITransport(create_sandbox(Pacing(0, 0, 0)))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
        yield Caller(http)


@dataclass
class Server:
    """A sandbox process."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}"


def start_server() -> Server:
    """Start a sandbox without pauses on a free port and wait until it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(port)], stderr=subprocess.PIPE)
    with httpx.Client(transport=httpx.HTTPTransport(retries=5)) as http:
        http.get(f"http://127.0.0.1:{port}/").raise_for_status()
    return Server(port, process)


@pytest.fixture(scope="session")
def served() -> Generator[Server]:
    """One server for all tests of a session."""
    server = start_server()
    yield server
    server.process.terminate()
    server.process.communicate()


@pytest.fixture
def server() -> Generator[Server]:
    """A server that the test may stop."""
    server = start_server()
    yield server
    server.process.kill()
    server.process.communicate()


@pytest.fixture
async def real(served: Server) -> AsyncGenerator[Caller]:
    """A client on a real connection."""
    async with httpx.AsyncClient(base_url=served.url, timeout=5) as http:
        yield Caller(http)
