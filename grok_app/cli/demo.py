"""The demo: a small parent that starts the sandbox and the server, says how to try them, and stops both."""

import http.client
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import click

from grok_app.cli.storage import Keys, prepare_apart
from grok_app.env import Env, current_env
from grok_app.errors import ConfigurationError
from grok_app.page_build import build_pages
from grok_app.server import CLOSE_S, check_port, reachable_url

_READY_S: Final = 60.0
_GRACE_S: Final = 5
"""A demo is ended in a hurry."""
_STOP_S: Final = _GRACE_S + CLOSE_S + 5.0
_POLL_S: Final = 0.05

_READY = """
{title}

  Pages           {url}
  Console         {url}/admin
  API             {url}/v1   reference: {url}/docs

  API key         {api_key}
  Public key      {public_key}
  Operator's key  {app_key}

  Grok is simulated at {sandbox_url}, which says how to make it fail.

{curl_title}

{curl}

{draw_title}

{draw}

{python_title}

{python}

Ctrl-C stops the demo.
"""
_CHAT: Final = '{"model": "grok-4", "stream": true, "messages": [{"role": "user", "content": "Say hello"}]}'
_DRAWING: Final = '{"prompt": "A red teapot", "size": "1280x720"}'
_PYTHON = """{python} - <<'END'
from openai import OpenAI

client = OpenAI(base_url="{url}/v1", api_key="{api_key}")
question = {{"role": "user", "content": "Write a haiku about gateways"}}
for chunk in client.chat.completions.create(model="grok-4", messages=[question], stream=True):
    print(chunk.choices[0].delta.content or "", end="", flush=True)
END"""


def run_demo(token_delay_ms: float | None = None) -> None:
    """Serve until Ctrl-C or SIGTERM. The simulated Grok speaks, draws and films at its own pace, or at this one.

    Raises:
        ConfigurationError: The port is taken, a setting is wrong, or a process ended by itself.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # SIGINT too: ignored where a script started us
        signal.signal(number, _interrupt)
    sandbox_port = _free_port()
    _set_environment(sandbox_port)
    env, _ = current_env()
    check_port(env.host, env.port)
    try:
        _serve(env, sandbox_port, token_delay_ms)
    except KeyboardInterrupt:
        click.echo("\nStopped.")


def _serve(env: Env, sandbox_port: int, token_delay_ms: float | None) -> None:
    pace = [] if token_delay_ms is None else ["--token-delay-ms", str(token_delay_ms)]
    with _children() as start:
        start("sandbox", "--port", str(sandbox_port), *pace)
        keys = prepare_apart(is_demo=True)
        build_pages()
        server = start("serve")
        _wait_until_ready(env, server)
        click.echo(_describe(reachable_url(env), f"http://127.0.0.1:{sandbox_port}", keys))
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        raise ConfigurationError("a process of the demo ended by itself, see above")


def _set_environment(sandbox_port: int) -> None:
    """Point everything at the sandbox and away from real data, whatever `.env` says."""
    os.environ.setdefault("GROK_APP_DATA_DIR", "data/demo")
    os.environ |= {
        "GROK_APP_DATABASE_URL": "",
        "GROK_APP_SECRET_KEY": "",
        "REDIS_URL": "",
        "GROK_APP_WORKERS": "1",
        "GROK_APP_SHUTDOWN_GRACE_S": str(_GRACE_S),
        "GROK_APP_APP__PUBLIC_ENABLED": "true",
        "GROK_APP_UPSTREAM__GROK_URL": f"http://127.0.0.1:{sandbox_port}",
        "GROK_APP_UPSTREAM__ASSETS_URL": f"http://127.0.0.1:{sandbox_port}",
        "GROK_APP_UPSTREAM__ACCOUNTS_URL": f"http://127.0.0.1:{sandbox_port}",
        "GROK_APP_VOICE__LIVEKIT_URL": f"ws://127.0.0.1:{sandbox_port}",
        "GROK_APP_PROXY__BASE_PROXY_URL": "",
    }


@contextmanager
def _children() -> Iterator[Any]:
    """Start commands of ours, each in its own process group, and end them all with what they have started."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "grok_app.cli", *arguments]
        running.append(subprocess.Popen(command, start_new_session=True))  # noqa: S603 - our own program
        return running[-1]

    try:
        yield start
    finally:
        _stop(running)


def _stop(children: Sequence[subprocess.Popen[bytes]]) -> None:
    """End them, the last one first: what the others need goes last. Another Ctrl-C kills the one that is waited for."""
    deadline = time.monotonic() + _STOP_S
    for child in reversed(children):
        _signal_group(child, signal.SIGTERM)
        try:
            child.wait(max(0.0, deadline - time.monotonic()))
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            _signal_group(child, signal.SIGKILL)
            child.wait()


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if child.poll() is None:
        os.killpg(child.pid, number)


def _wait_until_ready(env: Env, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_S
    while not _is_ready(env):
        if server.poll() is not None:
            raise ConfigurationError("the server ended before it was ready, see above")
        if time.monotonic() > deadline:
            raise ConfigurationError(f"the server was not ready within {_READY_S:.0f} s, see above")
        time.sleep(_POLL_S)


def _is_ready(env: Env) -> bool:
    connection = http.client.HTTPConnection(reachable_url(env).removeprefix("http://"), timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _describe(url: str, sandbox_url: str, keys: Keys) -> str:
    one_key = (keys["api_key"] or "none").partition(",")[0]
    return _READY.format(
        title=click.style("The demo is ready.", bold=True, fg="green"),
        curl_title=click.style("Ask with curl:", bold=True),
        draw_title=click.style("Draw with curl:", bold=True),
        python_title=click.style("Ask from Python:", bold=True),
        url=url,
        sandbox_url=sandbox_url,
        api_key=keys["api_key"] or "(none needed)",
        public_key=keys["public_key"] or "(none needed)",
        app_key=keys["app_key"] or "(not set)",
        curl=_curl(f"-N {url}/v1/chat/completions", one_key, _CHAT),
        draw=_curl(f"{url}/v1/images/generations", one_key, _DRAWING),
        python=_PYTHON.format(python=shlex.quote(sys.executable), url=url, api_key=one_key),
    )


def _curl(address: str, api_key: str, body: str) -> str:
    return f"curl {address} -H 'Authorization: Bearer {api_key}' -H 'Content-Type: application/json' -d '{body}'"


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt
