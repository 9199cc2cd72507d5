"""How fast files are served, against nginx with the same ones, and how long an operator waits for a large cache.

nginx and the load generator wrk are asked for in turn; without them that part is left out.
"""

import http.client
import os
import re
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.admin import Wait
from benchmarks.processes import APP_KEY, Served, free_port, run_process
from grok_app.media.folder import scan
from grok_app.media.index import Index

FILES: Final = 100_000
SIZES_KIB: Final = (100, 200, 400, 5 * 1024)
BAR_RATIO: Final = 0.5
"""Least that the gateway should serve of what nginx serves."""
CACHE_BAR_MS: Final = 50.0
"""Most that an operator should wait."""
_CONNECTIONS: Final = 32
_ROUND_S: Final = 2
_REPEATS: Final = 15
_PAGE: Final = 1000
_RATE: Final = re.compile(r"Requests/sec: +([\d.]+)")
_NGINX: Final = """{user}
worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; types {{ image/png png; }}
    client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
    uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
    server {{ listen 127.0.0.1:{port}; location /v1/files/ {{ alias {media}/; }} }}
}}
"""


@dataclass(frozen=True, slots=True)
class Serving:
    """One file, served by both in turn."""

    size_kib: int
    nginx_per_s: list[float]
    """Requests per second, round by round."""
    gateway_per_s: list[float]

    @property
    def ratio(self) -> float:
        """What the gateway serves of what nginx serves in the same round; the median."""
        return statistics.median(ours / nginx for ours, nginx in zip(self.gateway_per_s, self.nginx_per_s, strict=True))


@dataclass(frozen=True, slots=True)
class Cache:
    """A large cache."""

    scan_s: float
    """What the scan takes that every start begins with."""
    waits: list[Wait]
    """What the operator asks for."""


def make_files(data_dir: Path, count: int = FILES) -> None:
    """Fill a cache with the files that are served, and so many tiny ones of different ages."""
    images = data_dir / "media" / "image"
    images.mkdir(parents=True)
    for size_kib in SIZES_KIB:
        (images / _name(size_kib)).write_bytes(os.urandom(size_kib << 10))
    for number in range(count - len(SIZES_KIB)):
        path = images / f"{number:032x}.png"
        path.write_bytes(b"tiny")
        os.utime(path, (1_700_000_000, 1_700_000_000 + number * 7919 % count))


def measure_cache(gateway: Served, data_dir: Path, count: int = FILES) -> Cache:
    """Measure what a start and an operator need with so many files.

    Raises:
        RuntimeError: An answer was not what it should be.
    """
    began_at = time.perf_counter()
    Index(scan(data_dir / "media"))
    scan_s = time.perf_counter() - began_at
    last = -(-count // _PAGE)
    paths = {
        "stats": "",
        "first page": "/list?type=image",
        "middle page": f"/list?type=image&page={max(1, last // 2)}",
        "last page": f"/list?type=image&page={last}",
    }
    with closing(http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)) as connection:
        waits = [
            Wait(name, count, [_ask_ms(connection, path) for _ in range(_REPEATS)], CACHE_BAR_MS)
            for name, path in paths.items()
        ]
    return Cache(scan_s, waits)


def find_missing() -> list[str]:
    """Programs that `measure_serving` needs and this machine hasn't."""
    return [name for name in ("nginx", "wrk") if _program(name) is None]


def measure_serving(gateway: Served, data_dir: Path, rounds: int) -> list[Serving]:
    """Let both serve the same files in turn, so many rounds of each size; a short one before counts for nothing.

    Raises:
        RuntimeError: nginx did not start, or an answer was not what it should be.
    """
    servings = []
    with _start_nginx(data_dir) as nginx:
        for size_kib in SIZES_KIB:
            serving = Serving(size_kib, [], [])
            path = f"/v1/files/image/{_name(size_kib)}"
            for seconds in (1, *[_ROUND_S] * rounds):
                rates = [_load(server, path, seconds) for server in (nginx, gateway)]
                if seconds == _ROUND_S:
                    serving.nginx_per_s.append(rates[0])
                    serving.gateway_per_s.append(rates[1])
            servings.append(serving)
    return servings


def print_servings(servings: list[Serving]) -> None:
    """Print a line for each size."""
    print(f"\nFiles, requests/s over {_CONNECTIONS} connections, against nginx with one worker and no log")
    for row in servings:
        nginx, gateway = statistics.median(row.nginx_per_s), statistics.median(row.gateway_per_s)
        verdict = "met" if row.ratio >= BAR_RATIO else "MISSED"
        print(
            f"  {row.size_kib:>5} KiB   nginx {nginx:8.0f}   gateway {gateway:8.0f}   ratio {row.ratio:.2f}   "
            f"bar {BAR_RATIO} {verdict}"
        )


def print_cache(cache: Cache) -> None:
    """Print a line for each thing the operator asks for."""
    print(f"\nA cache of {cache.waits[0].items} files; the start's scan takes {cache.scan_s:.2f} s. Times in ms")
    for wait in cache.waits:
        verdict = "met" if wait.meets_bar else "MISSED"
        print(
            f"  {wait.name:<12} median {wait.median_ms:6.1f}   slowest {max(wait.times_ms):6.1f}   "
            f"bar {wait.bar_ms:.0f} {verdict}"
        )


def _name(size_kib: int) -> str:
    return f"served-{size_kib}.png"


def _program(name: str) -> str | None:
    """Where a program is; distributions keep servers off a user's path."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@contextmanager
def _start_nginx(data_dir: Path) -> Iterator[Served]:
    folder, port = data_dir / "nginx", free_port()
    folder.mkdir()
    config = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""  # else nobody, who can't look into our temporary folder
    config.write_text(_NGINX.format(user=user, folder=folder, port=port, media=data_dir / "media"))
    command = [_program("nginx") or "nginx", "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")]
    with run_process(command, port, folder / "output.log") as served:
        yield served


def _load(server: Served, path: str, seconds: int) -> float:
    """Requests per second of one server, as wrk counts them."""
    url = f"http://127.0.0.1:{server.port}{path}"
    command = [_program("wrk") or "wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{seconds}s", url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = _RATE.search(said)
    if rate is None or "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(f"a file was not served:\n{said}")
    return float(rate[1])


def _ask_ms(connection: http.client.HTTPConnection, path: str) -> float:
    began_at = time.perf_counter()
    connection.request("GET", f"/v1/admin/cache{path}", headers={"authorization": f"Bearer {APP_KEY}"})
    response = connection.getresponse()
    received = response.read()
    elapsed_ms = (time.perf_counter() - began_at) * 1000
    if response.status != http.HTTPStatus.OK or b'"items":[]' in received:
        raise RuntimeError(f"the cache did not answer: {received[:300].decode(errors='replace')}")
    return elapsed_ms
