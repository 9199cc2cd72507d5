"""The demo and the server as processes: what they print works when pasted, and one port serves it all."""

import json
import re
import subprocess
from pathlib import Path

import httpx
import pytest

from .conftest import Demo, free_port, running


def test_the_curl_line_works(demo: Demo) -> None:
    """It streams an answer and ends with [DONE]."""
    line = next(line for line in demo.output.splitlines() if line.startswith("curl "))
    answer = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)  # noqa: S607 - as a user does
    assert answer.stdout.startswith("data: {")
    assert answer.stdout.rstrip().endswith("data: [DONE]")


def test_the_line_that_draws_works(demo: Demo) -> None:
    """It answers with a link to a picture."""
    line = next(line for line in demo.output.splitlines() if "/v1/images/generations" in line)
    answer = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)  # noqa: S607 - as a user does
    [picture] = json.loads(answer.stdout)["data"]
    assert httpx.get(picture["url"]).headers["content-type"] == "image/jpeg"


def test_the_python_snippet_works(demo: Demo) -> None:
    """With the official client, straight from the shell."""
    start = demo.output.index("- <<'END'")
    snippet = demo.output[demo.output.rindex("\n", 0, start) + 1 :].partition("\nEND\n")[0] + "\nEND\n"
    answer = subprocess.run(["sh", "-c", snippet], capture_output=True, text=True, check=True)  # noqa: S607 - as a user does
    assert len(answer.stdout) > 20


def test_the_demo_is_ready_when_it_says_so(demo: Demo) -> None:
    """Storage and services answer."""
    assert httpx.get(f"{demo.url}/readyz").status_code == 200


def test_voice_stays_on_this_machine(demo: Demo) -> None:
    """A visitor's token opens the simulated LiveKit, and its address is the sandbox's."""
    key = {"Authorization": f"Bearer {demo.public_key}"}
    given = httpx.get(f"{demo.url}/v1/public/voice/token", headers=key).raise_for_status().json()
    assert given["url"] == demo.sandbox_url.replace("http", "ws")
    valid = httpx.get(f"{demo.sandbox_url}/rtc/validate", params={"access_token": given["token"]})
    assert valid.status_code == 200


def test_pages_and_api_share_the_port(demo: Demo) -> None:
    """An unknown page is a page, an unknown route of the API is JSON."""
    page = httpx.get(f"{demo.url}/no-such-page")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    answer = httpx.get(f"{demo.url}/v1/no-such-route", headers={"Authorization": f"Bearer {demo.api_key}"})
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "not_found_error"


def test_another_sites_page_cannot_open_the_socket(demo: Demo) -> None:
    """The pages' socket takes visitors from its own origin only."""
    headers = {
        "Origin": "http://evil.example",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    address = f"{demo.url}/_event/?EIO=4&transport=websocket"
    assert httpx.get(address, headers=headers).status_code in {400, 403}


def test_with_the_studio_off_there_are_no_public_pages(tmp_path_factory: pytest.TempPathFactory) -> None:
    """That is how a fresh installation starts."""
    port, data = free_port(), tmp_path_factory.mktemp("closed")
    with running("run", "--port", port, "--data-dir", str(data), until="Pages: ") as output:
        assert "shown only now" in output
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=httpx.HTTPTransport(retries=8)) as client:
            assert client.get("/").headers["location"] == "/admin/login"  # the first call waits for the server
            assert client.get("/chat").status_code == 404
            assert client.get("/admin/login").status_code == 200


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    """Server and sandbox are gone when the demo has ended."""
    with running("demo", "--port", free_port(), "--data-dir", str(tmp_path), until="Ctrl-C") as output:
        addresses = set(re.findall(r"http://127\.0\.0\.1:\d+", output))
        assert len(addresses) == 2
    for address in addresses:
        with pytest.raises(httpx.ConnectError):
            httpx.get(address)
