"""What a campaign finds, at a server that breaks its own document."""

import json
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import pytest

from tests.fuzz.campaign import KEY, Tally, ask

ANSWERS: Final = {"/good": 200, "/crash": 500, "/surprise": 418}
DOCUMENT: Final = {
    "openapi": "3.1.0",
    "info": {"title": "Three of a kind", "version": "1"},
    "paths": {path: {"get": {"responses": {"200": {"description": "Fine"}}}} for path in [*ANSWERS, "/left/out"]},
}


class Broken(BaseHTTPRequestHandler):
    """Does not always do what its document says."""

    def do_GET(self) -> None:
        """Answer with the document, or with a status by path."""
        body = json.dumps(DOCUMENT if self.path == "/openapi.json" else {}).encode()
        is_right = self.path == "/openapi.json" or self.headers["Authorization"] == f"Bearer {KEY}"
        self.send_response(ANSWERS.get(self.path, 200) if is_right else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def broken() -> Generator[str]:
    """Where that server is."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Broken) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def test_what_is_wrong_is_found_and_counted(broken: str) -> None:
    """A crash and a status that is nowhere in the document, each once, with a command that asks again."""
    rules = {"generation": {"max-examples": 2}, "phases": {"coverage": {"enabled": False}}}
    tally, twice = ask(broken, left_out="^/left", has_key=True, seed=1, rules=rules), Tally()

    assert {"GET /good", "GET /crash", "GET /surprise"} == set(tally.cases)
    assert tally.server_errors == tally.cases["GET /crash"] > 0
    assert {("GET /crash", "not_a_server_error"), ("GET /surprise", "status_code_conformance")} <= set(tally.failures)
    assert not [operation for operation, _ in tally.failures if operation == "GET /good"]
    assert "curl -X GET" in tally.failures["GET /crash", "not_a_server_error"]
    twice.add(tally)
    twice.add(tally)
    assert twice.cases["GET /good"] == 2 * tally.cases["GET /good"]
