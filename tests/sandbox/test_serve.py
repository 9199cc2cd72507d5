"""How the sandbox behaves on a real connection."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import httpx
import pytest

from grok_app.errors import ConfigurationError
from grok_app.sandbox import Pacing, serve_sandbox

from .conftest import CHAT, Caller, Server
from .media import painter

COOKIES = {"cookie": "sso=sandbox-x; sso-rw=sandbox-x"}


async def pieces(real: Caller, message: str) -> AsyncGenerator[bytes]:
    """An answer as it arrives."""
    async with real.http.stream("POST", CHAT, json={"message": message}, headers=COOKIES) as response:
        assert response.status_code == 200
        async for piece in response.aiter_raw():
            yield piece


async def ended(real: Caller, message: str) -> dict[str, object]:
    """The journal's entry of a message as soon as it is no longer open, within a second."""
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        entries = (await real.http.get("/sandbox/requests")).json()
        entry: dict[str, object] = next(e for e in reversed(entries) if e["body"] == {"message": message})
        if entry["state"] != "open":
            return entry
    raise AssertionError(f"still open: {message}")


async def test_a_whole_answer_arrives_token_by_token(real: Caller) -> None:
    """Chunks of the stream are single frames, whatever the speed."""
    assert len([piece async for piece in pieces(real, "@long")]) > 500


async def test_cut_breaks_the_connection_inside_a_line(real: Caller) -> None:
    """@cut: the client sees an incomplete body after some frames."""
    received = b""
    broken = False
    try:
        async for piece in pieces(real, "@cut"):
            received += piece
    except httpx.RemoteProtocolError:
        broken = True
    assert broken
    assert b'"messageTag":"final"' in received
    assert not received.endswith(b"\n")


async def test_trickle_splits_characters(real: Caller) -> None:
    """@trickle: some chunk ends inside a UTF-8 sequence."""
    received = [piece async for piece in pieces(real, "@trickle 你好你好你好")]
    assert any(0x80 <= piece[0] < 0xC0 for piece in received)


async def test_onechunk_is_one_piece(real: Caller) -> None:
    """@onechunk: all frames at once."""
    async with aclosing(pieces(real, "@onechunk hi")) as received:
        first = await anext(received)
    assert first.startswith(b'{"result":{"conversation"')
    assert b'"messageTag":"final"' in first


async def test_stall_falls_silent_and_notices_the_client_leaving(real: Caller) -> None:
    """@stall sends headers and tokens, then nothing."""
    async with aclosing(pieces(real, "@stall here")) as received:
        await anext(received)
    assert (await ended(real, "@stall here"))["state"] == "cancelled"


async def test_hang_sends_no_header_and_notices_the_client_leaving(real: Caller) -> None:
    """@hang: only the client's patience ends it."""
    with pytest.raises(httpx.ReadTimeout):
        await real.http.post(CHAT, json={"message": "@hang here"}, headers=COOKIES, timeout=0.3)
    entry = await ended(real, "@hang here")
    assert (entry["state"], entry["status"]) == ("cancelled", None)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_ends_the_process_with_streams_open(server: Server, number: signal.Signals) -> None:
    """Exit code 0 at once, and not a word on stderr."""
    with httpx.stream("POST", server.url + CHAT, json={"message": "@stall"}, headers=COOKIES) as response:
        next(response.iter_raw())
        server.process.send_signal(number)
        _, stderr = server.process.communicate(timeout=5)
    assert (server.process.returncode, stderr) == (0, b"")


async def test_a_signal_ends_the_process_with_sockets_open(server: Server) -> None:
    """Exit code 0 at once, and not a word on stderr."""
    async with httpx.AsyncClient(base_url=server.url) as http, painter(Caller(http)) as grok:
        await grok.ask("@ws-silent")
        server.process.terminate()
        _, stderr = await asyncio.to_thread(server.process.communicate, timeout=5)
    assert (server.process.returncode, stderr) == (0, b"")


async def test_a_painter_may_leave_in_the_middle(server: Server) -> None:
    """Clients stop when they have enough pictures: nothing fails, no socket stays."""
    async with httpx.AsyncClient(base_url=server.url) as http:
        for _ in range(5):
            async with painter(Caller(http)) as grok:
                await grok.ask("a cat")
                await grok.until(1)
        async with asyncio.timeout(5):
            while (await http.get("/sandbox/state")).json()["open_sockets"]:
                pass
        entries = (await http.get("/sandbox/requests")).json()
    assert {entry["state"] for entry in entries} == {"cancelled"}
    assert entries[0]["body"][0]["item"]["content"][0]["text"] == "a cat"
    server.process.terminate()
    assert server.process.communicate(timeout=5)[1] == b""


def test_an_address_that_is_taken_is_refused(served: Server) -> None:
    """Rather than sharing the port with another sandbox."""
    with pytest.raises(ConfigurationError, match=str(served.port)):
        serve_sandbox("127.0.0.1", served.port, Pacing())


def test_an_idle_sandbox_is_small(server: Server) -> None:
    """Under 60 MB resident, on systems that tell."""
    status = subprocess.run(["/bin/cat", f"/proc/{server.process.pid}/status"], capture_output=True, check=False)
    resident = [line.split()[1] for line in status.stdout.decode().splitlines() if line.startswith("VmRSS")]
    if sys.platform == "linux":
        assert int(resident[0]) < 60 * 1024
