"""How clients of other people are run here."""

from pathlib import Path

import pytest

from tests.clients.foreign import run


def test_a_client_that_reaches_for_the_network_is_found_out(tmp_path: Path) -> None:
    """It is refused, and told of although it swallows the error."""
    code = "import contextlib, socket\nwith contextlib.suppress(Exception): socket.create_connection(('192.0.2.1', 80))"
    with pytest.raises(AssertionError, match=r"192\.0\.2\.1"):
        run("python", "-c", code, folder=tmp_path, env={})
