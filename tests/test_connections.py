"""What granian and the kernel are told about connections."""

import socket
from typing import Any

import pytest
from granian.constants import HTTPModes

from grok_app import connections


def test_connections_speak_http_1_and_have_limits() -> None:
    """Thirty seconds for a head of 64 KiB; docs/limits.md says the same."""
    options = connections.http_options()
    assert options["http"] is HTTPModes.http1
    assert options["http1_settings"].header_read_timeout == 30_000
    assert options["http1_settings"].max_buffer_size == 65_536


class Spec:
    """What granian makes a socket of, and the socket itself."""

    def __init__(self) -> None:
        self.socket = socket.socket()

    def build(self) -> "Spec":
        """Make it."""
        return self

    def get_fd(self) -> int:
        """Its number."""
        return self.socket.fileno()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux alone has it")
@pytest.mark.parametrize("is_made", [False, True], ids=["the worker's own", "shared"])
def test_a_worker_listens_on_a_socket_with_a_limit(is_made: bool) -> None:
    """A minute, whether granian's worker would make the socket or was given it; everything else goes on as it is."""
    told: list[Any] = []
    spec = Spec()
    with spec.socket:
        sockets = ((None, spec), None) if is_made else ((spec, None), None)
        connections.guarded(lambda *given: told.append(given))(1, "name", "loader", sockets, "more")
        limit_ms = spec.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert told == [(1, "name", "loader", ((None, spec), None), "more")]
    assert limit_ms == 60_000


def test_where_the_kernel_has_no_limit_granian_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS it serves as before."""
    monkeypatch.setattr(connections, "_USER_TIMEOUT", None)
    assert connections.guarded(print) is print
