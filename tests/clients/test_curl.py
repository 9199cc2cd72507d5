"""Plain curl, as people paste it from the README."""

import shutil
import subprocess

import orjson
import pytest

from tests.conftest import API_KEY
from tests.servers import Gateway

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")


def curl(gateway: Gateway, *options: str, content: str) -> str:
    """Ask with curl; what it prints."""
    asked = orjson.dumps({"model": "grok-4", "messages": [{"role": "user", "content": content}]}).decode()
    command = ["curl", "-sS", f"{gateway.base_url}/chat/completions", "-d", asked, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    return done.stdout


def test_curl_reads_a_stream(gateway: Gateway, question: str) -> None:
    """`curl -N` with a bearer token, and no content type of JSON, shows the events up to `[DONE]`."""
    printed = curl(gateway, "-N", "-H", f"Authorization: Bearer {API_KEY}", content=question)

    blocks = printed.split("\n\n")
    assert blocks[-2:] == ["data: [DONE]", ""]
    assert all(block.startswith("data: {") for block in blocks[:-2])


def test_curl_shows_the_headers_of_an_error(gateway: Gateway, question: str) -> None:
    """`curl -i` shows status, `Retry-After` and a request id beside the JSON of an error."""
    printed = curl(gateway, "-i", "-H", f"x-api-key: {API_KEY}", content=f"{question} @429")

    head, _, text = printed.replace("\r", "").partition("\n\n")
    assert head.startswith("HTTP/1.1 429")
    assert "\nretry-after: 37" in head.lower()
    assert "\nx-request-id: " in head.lower()
    assert orjson.loads(text)["error"]["code"] == "rate_limit_exceeded"


def test_curl_may_leave_in_the_middle(gateway: Gateway, question: str) -> None:
    """`curl | head` takes the first line and goes; the gateway goes on serving others."""
    command = ["curl", "-sN", f"{gateway.base_url}/chat/completions", "-H", f"x-api-key: {API_KEY}", "-d", "@-"]
    asked = orjson.dumps({"model": "grok-4", "messages": [{"role": "user", "content": f"{question} @stall"}]})
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        running.stdin.write(asked)
        running.stdin.close()
        line = running.stdout.readline()
        running.terminate()

    assert line.startswith(b"data: {")
    assert "[DONE]" in curl(gateway, "-H", f"x-api-key: {API_KEY}", content=question)
