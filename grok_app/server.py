"""The processes that serve: granian and its workers, one port for all of them, an orderly end."""

import asyncio
import importlib
import math
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from multiprocessing.process import BaseProcess
from tempfile import TemporaryDirectory
from typing import Any, Final

from granian import _signals
from granian._granian import WorkerSignal
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from grok_app.connections import guarded, http_options
from grok_app.env import WORKERS_DIR, Env
from grok_app.errors import ConfigurationError
from grok_app.logs import configure_logging, get_logger
from grok_app.page_build import SKIP_COMPILE, project_dir, set_environment
from grok_app.stopping import GOODBYE_S, Drain, Draining

log = get_logger(__name__)
PAGES: Final = "grok_app.grok_app:app"
"""What `serve` loads for pages and API together. A Reflex app, so known by name only."""
API: Final = "grok_app.api:create_api"
"""What `serve` loads for the API alone."""

_REFUSAL: Final = "grok_app.api:create_refusal"
"""What serves those who come while the server stops."""
CLOSE_S: Final = GOODBYE_S + 20.0
"""Workers that end their answers get this long to close their services before they are killed.

The last words, connections that linger (2 s), a database that is silent (10 s), a collector of traces that is (6 s).
"""
_POLL_S: Final = 0.01
CONNECTIONS: Final = 8192
"""Open connections per worker. Granian's own limit of 1024 stops even health checks (measured with 2.8.7)."""


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


def check_workers(env: Env) -> None:
    """Make sure that several workers have a place for what they must share.

    Raises:
        ConfigurationError: There is none.
    """
    if env.workers > 1 and not env.redis_url:
        raise ConfigurationError(
            f"{env.workers} workers share their state over Redis, but REDIS_URL is not set. "
            "Set it, REDIS_URL=redis://127.0.0.1:6379/0 say, or serve with one worker: --workers 1, GROK_APP_WORKERS=1"
        )


def reachable_url(env: Env) -> str:
    """The server's address for this machine's own browser and programs."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(env.host, env.host)  # noqa: S104 - recognised, not bound
    return f"http://{f'[{host}]' if ':' in host and '[' not in host else host}:{env.port}"


def serve(env: Env, *, target: str = PAGES) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP, with `env.workers` processes on one port. Blocks; forks them.

    The kernel gives each new connection to one of them. One that dies is replaced, unless it dies again within 6 s:
    then the server ends. At the end running answers may finish within `env.shutdown_grace_s`, then services close in
    order; a second signal ends the answers at once.
    """
    configure_logging(env.log_level, as_json=env.log_json)
    if target == PAGES:
        _prepare_reflex()
    multiprocessing.set_start_method("fork", force=True)
    drain = Drain(env.shutdown_grace_s)
    server = _Server(
        drain,
        target=target,
        address=env.host,
        port=env.port,
        interface=Interfaces.ASGI,
        workers=env.workers,
        backlog=2048,
        backpressure=CONNECTIONS,
        **http_options(),
        workers_kill_timeout=math.ceil(env.shutdown_grace_s + CLOSE_S),
        respawn_failed_workers=True,
        log_level=LogLevels.warning,
    )

    def load(*_: Any) -> Draining:
        # In a worker that was just forked, with handlers of its parent's, which swallow signals until granian sets its
        # own. The stop is said in the pipe before it is signalled, so one that was swallowed stands there by now.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # of a terminal, whose parent hears it too
        if drain.stop.was_said():
            sys.exit()
        _signals.set_loop_signals = _heed_signals
        return Draining(_load(target)(), drain, _load(_REFUSAL)())

    with _meeting_place(env):
        server.serve(target_loader=load, wrap_loader=False)


class _Server(Server):  # type: ignore[misc,valid-type] # granian chooses its class at run time
    """Granian's server, telling the workers that it stops before it waits for them."""

    def __init__(self, drain: Drain, **options: Any) -> None:
        super().__init__(**options)
        if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # by nohup; granian leaves it alone without a handler
            self.signal_handler_reload = None
        else:  # a closed terminal; granian would start new workers, and end the old ones without a word
            self.signal_handler_reload = self.signal_handler_interrupt
        self._drain = drain

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        if self.interrupt_signal:
            self._hasten()
        super().signal_handler_interrupt(*args, **kwargs)

    def shutdown(self, exit_code: int = 0) -> None:
        log.info("stopping: answers under way may end", seconds=self._drain.grace_s)
        self._drain.stop.say()
        if self.interrupt_signal:
            self._expect_exits()
        super().shutdown(exit_code)

    def _spawn_worker(self, idx: int, target: Callable[..., None], callback_loader: Any) -> Any:
        worker = super()._spawn_worker(idx, guarded(target), callback_loader)
        worker.join = partial(_join, worker.inner)
        return worker

    def _hasten(self) -> None:
        """End the answers now, and kill whoever is still there when the services should be closed."""
        self._drain.cut.say()
        killing = threading.Timer(CLOSE_S, self._kill)
        killing.daemon = True
        killing.start()

    def _kill(self) -> None:
        for worker in self.wrks:
            worker.kill()

    def _expect_exits(self) -> None:
        """Take no worker for failed that has ended before us: Ctrl-C reaches them too."""
        for worker in self.wrks:
            worker.interrupt_by_parent = True
        self.interrupt_children.clear()


@contextmanager
def _meeting_place(env: Env) -> Generator[None, None, None]:
    """A folder where several workers find each other, see `grok_app.insight`; nobody else's."""
    if env.workers == 1:
        yield
        return
    with TemporaryDirectory(prefix="grok_app-") as folder:
        os.environ[WORKERS_DIR] = folder
        yield


def _join(process: BaseProcess, timeout: float | None = None) -> None:
    """Wait until a worker has ended.

    Granian's own thread for each worker waits for the same end, and only one of two is told of it at once: the other
    would take the worker for alive, and say that it kills it (2.8.7, 2026-11-29).
    """
    end = math.inf if timeout is None else time.monotonic() + timeout
    process.join(timeout)
    while process.is_alive() and time.monotonic() < end:
        time.sleep(_POLL_S)


def _heed_signals(loop: asyncio.AbstractEventLoop) -> WorkerSignal:
    """Tell a worker to stop, once. Granian's own handlers hold up its event loop at the third signal (2.8.7).

    That many come with two Ctrl-C: the terminal signals the workers too, beside their parent.
    """
    stop = WorkerSignal()
    untold = [stop.set]

    def heed() -> None:
        while untold:
            untold.pop()()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, heed)
    return stop


def _load(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def _prepare_reflex() -> None:
    """Serve the built pages as they are. Reflex 0.10.1 has no public switch for it; these are what it sets itself."""
    os.environ |= {
        "REFLEX_ENV_MODE": "prod",
        SKIP_COMPILE: "true",
        "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
        "_GROK_APP_PREPARED": "true",  # read by grok_app.grok_app: storage is ready
    }
    set_environment()
    root = str(project_dir())
    if root not in sys.path:
        sys.path.insert(0, root)  # rxconfig is a top-level module
