"""What this machine gives: disk, files, a port, built pages."""

import resource
import shutil
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from os import R_OK, W_OK, X_OK, access
from typing import Final

from grok_app.cli.doctor.finding import Finding, failure, ok, warning
from grok_app.db import KeyFile
from grok_app.env import Env
from grok_app.errors import ConfigurationError
from grok_app.page_build import PageState, page_state
from grok_app.server import CONNECTIONS, check_port, reachable_url
from grok_app.settings import Settings

_LEAST_BYTES: Final = 100 << 20
"""With less the database is about to fail."""
_BYTES_PER_MB: Final = 1 << 20
_OF_OTHERS: Final = 0o077
_FILES_A_STREAM: Final = 2
_SPARE_FILES: Final = 256
_PATIENCE_S: Final = 3.0


def examine_machine(env: Env, settings: Settings) -> Iterator[Finding]:
    """Look at all of it. Blocks."""
    yield from _folder(env)
    yield from _disk(env, settings)
    yield from _files()
    yield from _port(env)
    yield from _pages()


def _folder(env: Env) -> Iterator[Finding]:
    folder = env.data_dir.absolute()
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    if not access(nearest, W_OK | X_OK | R_OK):
        yield failure("data folder", f"{nearest} can't be written", "Give it to the user that runs the server")
        return
    if nearest != folder:
        yield warning("data folder", f"{folder} is not there", "The first start makes it")
        return
    for path, mode in ((folder, 0o700), (KeyFile(folder).path, 0o600)):
        if path.exists() and path.stat().st_mode & _OF_OTHERS and (path.is_file() or path.stat().st_mode & 0o022):
            yield warning("data folder", f"others than its owner may use {path}", f"chmod {mode:o} {path}")
    yield ok("data folder", f"{folder} can be written")


def _disk(env: Env, settings: Settings) -> Iterator[Finding]:
    folder = env.data_dir.absolute()
    free = shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free
    told = f"{free / (1 << 30):.1f} GiB are free"
    media = folder / "media"
    used = sum(file.stat().st_size for file in media.rglob("*") if file.is_file()) if media.is_dir() else 0
    limit = settings.cache.limit_mb * _BYTES_PER_MB
    if free < _LEAST_BYTES:
        yield failure("disk", told, "Make room: the database can't be written for long")
    elif free < limit - used:
        yield warning(
            "disk",
            f"{told}, and the media cache may grow by more",
            f"Make room, or lower cache.limit_mb from {limit >> 20}",
        )
    else:
        yield ok("disk", told)


def _files() -> Iterator[Finding]:
    """The limit of this process, which is that of a server started in the same way."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS * _FILES_A_STREAM + _SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        yield warning(
            "open files",
            f"{soft:,} at most: enough for some {max(0, soft - _SPARE_FILES) // _FILES_A_STREAM:,} streams of a worker",
            f"ulimit -n {wanted}, or LimitNOFILE= in the unit, for as many as a worker takes",
        )
    else:
        yield ok("open files", f"{soft:,} at most")


def _port(env: Env) -> Iterator[Finding]:
    try:
        check_port(env.host, env.port)
    except ConfigurationError as error:
        if _is_ours(env):
            yield ok("port", f"{env.host}:{env.port}: a grok_app is running there")
        else:
            yield failure("port", str(error), "Stop what listens there, or choose another port")
    else:
        yield ok("port", f"{env.host}:{env.port} is free")


def _is_ours(env: Env) -> bool:
    host, _, port = reachable_url(env).removeprefix("http://").rpartition(":")
    connection = HTTPConnection(host.strip("[]"), int(port), timeout=_PATIENCE_S)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        return answer.status == 200 and b'"status"' in answer.read(1000)  # noqa: PLR2004 - HTTP's OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _pages() -> Iterator[Finding]:
    match page_state():
        case PageState.FRESH:
            yield ok("pages", "built, and up to date")
        case PageState.STALE:
            yield warning("pages", "built from other sources than these", "grok-app build; run does it too")
        case PageState.MISSING:
            yield warning("pages", "not built yet", "grok-app build; run does it too, api needs none")
