"""The processes that tests speak to, each on a loopback port of its own: a sandbox in Grok's place, and gateways."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx

from grok_app.accounts import open_roster
from grok_app.catalog import Pool
from grok_app.db import Notice, open_database, open_vault, upgrade
from grok_app.settings import open_settings

START_LIMIT_S: Final = 90.0
STOP_LIMIT_S: Final = 60.0
LOOK_AGAIN_S: Final = 0.02
"""Looking all the time would take the processor from the one who is waited for."""
SANDBOX: Final = """
import sys
from grok_app.sandbox import Pacing, serve_sandbox
pacing = Pacing(first_token_s=0, token_s=float(sys.argv[2]), slow_s=0.5)
serve_sandbox("127.0.0.1", int(sys.argv[1]), pacing)
"""
"""A sandbox without the pause before the first frame, for which `grok-app sandbox` has no option."""
_START: Final = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL); from grok_app.cli import main; main()"
"""Whoever runs the tests may have them go on without a terminal, which the server would take over."""
RUNNING: Final[list["Process"]] = []
"""Every process under way, for the report of a failed test."""

FoundT = TypeVar("FoundT")


class Process:
    """A server of ours, from its first good answer to its end.

    Args:
        command: What to run.
        env: Variables beside the ones that we inherit.
        ready_url: Answers 200 once the server can serve.
        log: Where its output goes.
        start_limit_s: How long it may take until then.
    """

    def __init__(
        self,
        command: list[str],
        env: Mapping[str, str],
        ready_url: str,
        log: Path,
        *,
        start_limit_s: float = START_LIMIT_S,
    ) -> None:
        self._log = log
        self._marked_at = 0
        with log.open("wb") as output:
            self._popen = subprocess.Popen(
                command, env={**_inherited(), **env}, stdout=output, stderr=output, process_group=0
            )
        RUNNING.append(self)
        try:
            with httpx.Client() as http:
                eventually(lambda: self._is_ready(http, ready_url), within_s=start_limit_s)
        except BaseException:  # interrupted too: no process is left behind
            self._popen.kill()
            raise

    @property
    def pid(self) -> int:
        """The process itself; its workers are its children."""
        return self._popen.pid

    @property
    def name(self) -> str:
        """The name of its log, for people."""
        return self._log.stem

    @property
    def folder(self) -> Path:
        """Where its log is, and a gateway's data."""
        return self._log.parent

    def log(self) -> str:
        """All that it has logged."""
        return self._log.read_text(errors="replace")

    def mark(self) -> None:
        """Let `news` begin here."""
        self._marked_at = self._log.stat().st_size

    def news(self) -> str:
        """What it has logged since the last mark."""
        with self._log.open("rb") as log:
            log.seek(self._marked_at)
            return log.read().decode(errors="replace")

    def stop(self) -> int:
        """End it as an operator would; returns its exit code."""
        RUNNING.remove(self)
        self._popen.terminate()
        try:
            return self._popen.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            return self._popen.wait()

    def end(self) -> int:
        """Wait until it has ended by itself; returns its exit code."""
        RUNNING.remove(self)
        return self._popen.wait(STOP_LIMIT_S)

    def kill(self) -> None:
        """End it and its workers on the spot, as `kill -9` does."""
        RUNNING.remove(self)
        os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()

    def _is_ready(self, http: httpx.Client, url: str) -> bool:
        if self._popen.poll() is not None:
            raise AssertionError(f"{self.name} has ended at its start:\n{self.log()}")
        try:
            return http.get(url).is_success
        except httpx.TransportError:
            return False


@dataclass
class Sandbox:
    """Grok's place, and what it remembers."""

    url: str
    process: Process
    http: httpx.Client

    def asked(self, words: str) -> list[dict[str, Any]]:
        """The requests whose prompt has these words, oldest first."""
        return [entry for entry in self.journal() if words in _message_of(entry["body"])]

    def journal(self) -> list[dict[str, Any]]:
        """The requests that it got lately, oldest first."""
        entries: list[dict[str, Any]] = self.http.get("/sandbox/requests").raise_for_status().json()
        return entries

    def state(self) -> dict[str, Any]:
        """What goes on, and what is left to each account."""
        state: dict[str, Any] = self.http.get("/sandbox/state").raise_for_status().json()
        return state


@dataclass
class Gateway:
    """A gateway, a client that has its key, and one that has none."""

    url: str
    key: str
    process: Process
    http: httpx.Client = field(init=False)
    stranger: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, headers=self.auth, timeout=10)
        self.stranger = httpx.Client(base_url=self.url, timeout=10)

    @property
    def auth(self) -> dict[str, str]:
        """The header that shows the key, where there is one."""
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    @property
    def base_url(self) -> str:
        """What a user of the SDK writes as `base_url`."""
        return f"{self.url}/v1"

    def stop(self) -> None:
        """End it; anything but an orderly end is a failure."""
        self.http.close()
        self.stranger.close()
        exit_code = self.process.stop()
        assert exit_code == 0, f"the gateway ended with {exit_code}:\n{self.process.log()}"

    def kill(self) -> None:
        """End it without any warning."""
        self.http.close()
        self.stranger.close()
        self.process.kill()


def start_sandbox(folder: Path, *, token_s: float = 0) -> Sandbox:
    """Start a sandbox that pauses so long before each token, and wait until it answers."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = Process([sys.executable, "-c", SANDBOX, str(port), str(token_s)], {}, url, folder / "sandbox.log")
    return Sandbox(url, process, httpx.Client(base_url=url))


def start_gateway(  # noqa: PLR0913 - the last two are for a few tests alone
    folder: Path,
    sandbox: Sandbox,
    accounts: Mapping[Pool, tuple[str, ...]],
    settings: Mapping[str, str],
    *,
    port: int | None = None,
    beforehand: str = "",
) -> Gateway:
    """Start a gateway in front of the sandbox and wait until it is ready.

    Args:
        folder: Empty; for its data and its log.
        sandbox: What it takes for Grok.
        accounts: The tokens of its pools.
        settings: By name, `{"app.stream": "false", "log_level": "debug"}`. With `data_dir` it is another process of
            the gateway whose folder that is.
        port: Where it listens; None: on a free one.
        beforehand: Python that its process runs first: limits that are too long for a test have no setting.
    """
    asyncio.run(_seed(folder, accounts))
    port = port or free_port()
    upstream = {f"upstream.{host}_url": sandbox.url for host in ("grok", "accounts", "assets")}
    livekit = {"voice.livekit_url": sandbox.url.replace("http", "ws", 1)}
    given = {"data_dir": str(folder), "shutdown_grace_s": "10", **upstream, **livekit, **settings}
    env = {_variable(name): value for name, value in given.items()}
    command = [sys.executable, "-c", f"{beforehand}\n{_START}", "api", "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    process = Process(command, env, f"{url}/readyz", folder / f"{folder.name}.log")
    return Gateway(url, settings.get("app.api_key", "").partition(",")[0], process)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(look: Callable[[], FoundT | None], *, within_s: float = 15.0) -> FoundT:
    """Look until there is something; what another process does can't be awaited.

    Raises:
        AssertionError: There is nothing in time.
    """
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"nothing within {within_s:g} s"
        time.sleep(LOOK_AGAIN_S)
    return found


def _variable(name: str) -> str:
    return "REDIS_URL" if name == "redis_url" else f"GROK_APP_{name.upper().replace('.', '__')}"


def _message_of(body: Any) -> str:
    message = body.get("message") if isinstance(body, dict) else None
    return message if isinstance(message, str) else ""


async def _seed(folder: Path, accounts: Mapping[Pool, tuple[str, ...]]) -> None:
    database_url = f"sqlite:///{folder / 'grok_app.db'}"
    upgrade(database_url)
    vault = open_vault("", folder)
    async with open_database(database_url) as database:
        settings = await open_settings(database, vault, {})
        async with open_roster(database, vault, settings, Notice(folder / "accounts.notice")) as roster:
            await roster.add(accounts)


def _inherited() -> dict[str, str]:
    """Our environment without what would change a gateway."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("GROK_APP_", "REDIS_URL"))}
