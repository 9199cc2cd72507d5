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
        cookies = f"sso={account}; sso-rw={account};cf_clearance=c"
        return await self.http.post(path, content=orjson.dumps(body), headers={"cookie": cookies})

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
