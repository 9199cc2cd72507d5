"""What a run is made of: the sandbox and the gateway as processes of their own, and what they cost, from /proc."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

API_KEY: Final = "bench"
APP_KEY: Final = "bench-operator"
_HOSTS: Final = ("GROK", "ACCOUNTS", "ASSETS")
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_READY_S: Final = 60.0
_STOP_S: Final = 20.0
_POLL_S: Final = 0.05
_PEAK: Final = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)
_ROLLUP: Final = re.compile(r"^(Rss|Pss): +(\d+) kB", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Served:
    """A server under measurement."""

    pid: int
    port: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of a process tree, MiB."""

    rss_mib: float
    """What each process has, added up; pages shared after a fork count once for each."""
    pss_mib: float
    """The same with a shared page divided among those who share it."""


def start_sandbox() -> AbstractContextManager[Served]:
    """Run the sandbox for load until the block ends.

    Raises:
        RuntimeError: It did not start.
    """
    return _serving("benchmarks.sandbox")


def start_relay(name: str, sandbox: Served) -> AbstractContextManager[Served]:
    """Run one of `benchmarks/baselines` before this sandbox. See `start_sandbox`."""
    return _serving(f"benchmarks.baselines.{name}", "--grok-port", str(sandbox.port))


def start_drawing(*, is_paced: bool) -> AbstractContextManager[Served]:
    """Run the demo's sandbox, which draws, at the demo's pace or without pauses. See `start_sandbox`."""
    return _serving("benchmarks.drawing", *(["--paced"] if is_paced else []))


def start_painting() -> AbstractContextManager[Served]:
    """Run the painter of prepared pictures. See `start_sandbox`."""
    return _serving("benchmarks.painting")


@contextmanager
def _serving(module: str, *options: str) -> Iterator[Served]:
    port = free_port()
    with _process([sys.executable, "-m", module, "--port", str(port), *options], os.environ, None) as child:
        _wait_until(lambda: _accepts(port), child, None)
        yield Served(child.pid, port)


@contextmanager
def start_gateway(  # noqa: PLR0913 - what a gateway is made of
    data_dir: Path,
    sandbox: Served,
    accounts: int,
    settings: Mapping[str, str] | None = None,
    *,
    with_pages: bool = False,
    redis_url: str = "",
    module: str = "grok_app.cli",
) -> Iterator[Served]:
    """Run the gateway on a fresh database with so many accounts until the block ends.

    Args:
        data_dir: Where its database, its files and its log are.
        sandbox: What it takes for Grok.
        accounts: How many it has; 0: the database is as it should be already.
        settings: That differ from the usual ones, by name: `{"cache.limit_mb": "64"}`.
        with_pages: Whether it serves more than the API.
        redis_url: What it shares with other processes over; empty: nothing.
        module: What is run; takes the options of `grok-app`.

    Raises:
        RuntimeError: It did not get ready; with the end of its log.
    """
    port = free_port()
    given = {f"GROK_APP_{name.upper().replace('.', '__')}": value for name, value in (settings or {}).items()}
    environ = _gateway_environ(data_dir, sandbox) | given | {"REDIS_URL": redis_url}
    if accounts:
        seeding = [sys.executable, "-m", "benchmarks.seeding", str(accounts)]
        subprocess.run(seeding, env=environ, check=True)
    log = data_dir / "gateway.log"
    mode = "run" if with_pages else "api"
    with _process([sys.executable, "-m", module, mode, "--port", str(port)], environ, log) as child:
        _wait_until(lambda: _is_ready(port), child, log)
        yield Served(child.pid, port)


def cpu_s(pid: int) -> float:
    """CPU seconds that a process and its living descendants have used, user and system."""
    ticks = 0
    for member in tree(pid):
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS_PER_S


def memory(pid: int) -> Memory:
    """What a process and its descendants hold in memory now."""
    kib = {"Rss": 0, "Pss": 0}
    for member in tree(pid):
        try:
            rollup = Path(f"/proc/{member}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        for name, value in _ROLLUP.findall(rollup):
            kib[name] += int(value)
    return Memory(rss_mib=kib["Rss"] / 1024, pss_mib=kib["Pss"] / 1024)


def forget_peaks(pid: int) -> None:
    """Let the peaks of a process and its descendants begin with what they hold now. Linux, from 4.0 on."""
    for member in tree(pid):
        Path(f"/proc/{member}/clear_refs").write_text("5")


def peak_mib(pid: int) -> float:
    """The most that a process and its descendants have held since `forget_peaks`, MiB: RSS, each at its own peak."""
    statuses = [Path(f"/proc/{member}/status").read_text() for member in tree(pid)]
    return sum(int(found[1]) for status in statuses if (found := _PEAK.search(status))) / 1024


def open_files(pid: int) -> int:
    """How many files and sockets a process and its descendants have open."""
    return sum(len(list(Path(f"/proc/{member}/fd").iterdir())) for member in tree(pid))


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tree(pid: int) -> list[int]:
    """A process and all its living descendants."""
    found = [pid]
    for member in found:
        for children in Path(f"/proc/{member}/task").glob("*/children"):
            try:
                found += [int(child) for child in children.read_text().split()]
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def _gateway_environ(data_dir: Path, sandbox: Served) -> dict[str, str]:
    """The environment without what the operator of this machine has set, so that two runs are alike."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GROK_APP_", "GRANIAN_"))}
    return kept | {
        "GROK_APP_DATA_DIR": str(data_dir),
        "GROK_APP_DATABASE_URL": "",
        "GROK_APP_SECRET_KEY": "",
        "REDIS_URL": "",
        "GROK_APP_SHUTDOWN_GRACE_S": "5",
        "GROK_APP_APP__API_KEY": API_KEY,
        "GROK_APP_APP__APP_KEY": APP_KEY,
        **{f"GROK_APP_UPSTREAM__{host}_URL": f"http://127.0.0.1:{sandbox.port}" for host in _HOSTS},
        "GROK_APP_PROXY__BASE_PROXY_URL": "",
    }


@contextmanager
def run_process(command: list[str], port: int, log: Path) -> Iterator[Served]:
    """Run any other server that listens on this port until the block ends.

    Raises:
        RuntimeError: It did not start; with the end of its log.
    """
    with _process(command, os.environ, log) as child:
        _wait_until(lambda: _accepts(port), child, log)
        yield Served(child.pid, port)


@contextmanager
def _process(command: list[str], environ: Mapping[str, str], log: Path | None) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program in a process group of its own, and end the group with the block."""
    output = log.open("wb") if log else None
    try:
        child = subprocess.Popen(command, env=environ, stdout=output, stderr=output, start_new_session=True)
        try:
            yield child
        finally:
            _stop(child)
    finally:
        if output:
            output.close()


def _stop(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGTERM)
    try:
        child.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _wait_until(is_ready: Callable[[], bool], child: "subprocess.Popen[bytes]", log: Path | None) -> None:
    deadline = time.monotonic() + _READY_S
    while not is_ready():
        if child.poll() is not None or time.monotonic() > deadline:
            said = log.read_text(errors="replace")[-2000:] if log else ""
            raise RuntimeError(f"a server did not get ready:\n{said}")
        time.sleep(_POLL_S)


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
