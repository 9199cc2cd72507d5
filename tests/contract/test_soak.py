"""Generations of pictures leave nothing behind: the soak of the benchmarks, in short."""

import socket
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks.load import post
from benchmarks.processes import API_KEY, Served, start_drawing, start_gateway
from benchmarks.soak import SETTINGS, open_calls, run_soak
from tests.servers import eventually

ACCOUNTS = 16
SILENT = post("/v1/images/generations", b'{"prompt": "A boat @ws-silent"}', authorization=f"Bearer {API_KEY}")


@pytest.fixture
def servers(tmp_path: Path) -> Generator[tuple[Served, Served]]:
    """A sandbox, and a gateway with few accounts that serve one request at a time; nobody else uses them."""
    settings = {**SETTINGS, "token.max_inflight": "1"}
    with start_drawing(is_paced=False) as sandbox, start_gateway(tmp_path, sandbox, ACCOUNTS, settings) as gateway:
        yield sandbox, gateway


def test_generations_of_all_kinds_leave_nothing_behind(servers: tuple[Served, Served], tmp_path: Path) -> None:
    """Each ends as it should; then no call is open at Grok, no file at the gateway, and every account is free."""
    sandbox, gateway = servers
    soaked = run_soak(gateway, sandbox, tmp_path, generations=44)

    assert soaked.surprises == 0, soaked.outcomes
    assert soaked.is_clean, soaked
    assert "Traceback" not in (tmp_path / "gateway.log").read_text()
    with ExitStack() as callers:
        for _ in range(ACCOUNTS):
            callers.enter_context(socket.create_connection(("127.0.0.1", gateway.port))).sendall(SILENT)
        eventually(lambda: open_calls(sandbox) == ACCOUNTS)
