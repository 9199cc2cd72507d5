"""nginx as deploy/nginx.conf sets it up, on free ports of this machine."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

from tests.servers import eventually

CONF: Final = Path(__file__).parents[1] / "deploy" / "nginx.conf"
PROGRAM: Final = shutil.which("nginx", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
"""None where it isn't installed."""
SERVER: Final = re.compile(r"\bserver (\d+\.\d+\.\d+\.\d+:\d+)")
"""A replica in the configuration, in the order of the file."""


def render(folder: Path, port: int, replicas: Sequence[str]) -> Path:
    """Write the configuration with these addresses in place of its own.

    Args:
        folder: For it, its logs and what nginx keeps while it runs.
        port: Where nginx listens, on the loopback.
        replicas: Their addresses, `127.0.0.1:8001`, as many as the file has.
    """
    text = CONF.read_text()
    own = list(dict.fromkeys(SERVER.findall(text)))
    for address, replica in zip(own, replicas, strict=True):
        text = text.replace(f"server {address}", f"server {replica}")
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "scgi", "uwsgi")
    )
    text = text.replace("listen 80;", f"listen 127.0.0.1:{port};").replace("/var/log/nginx", str(folder))
    rendered = folder / "nginx.conf"
    rendered.write_text(text.replace("http {", f"http {{ {temporary}", 1))
    return rendered


@contextmanager
def running(folder: Path, port: int, replicas: Sequence[str]) -> Iterator[str]:
    """Run it in front of these replicas until the block ends; gives its address. See `render`."""
    process = subprocess.Popen(command(folder, render(folder, port, replicas), "daemon off;"))
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: _answers(url))
        yield url
    finally:
        process.terminate()
        process.wait()


def command(folder: Path, conf: Path, *directives: str) -> list[str]:
    """How nginx is called with this configuration."""
    assert PROGRAM
    return [PROGRAM, "-e", f"{folder}/error.log", "-c", str(conf), "-g", f"pid {folder}/pid; {' '.join(directives)}"]


def _answers(url: str) -> bool:
    try:
        return bool(httpx.get(url, timeout=5).status_code)
    except httpx.TransportError:
        return False
