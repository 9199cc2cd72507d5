"""`python -m tests.fuzz`: asks in rounds until there were so many cases, and says how many there were."""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx
import hypothesis
from hypothesis import HealthCheck, given, settings

from benchmarks.processes import memory
from tests.fuzz.campaign import ACCOUNTS, CALLERS, OPERATORS, SERVER_ERRORS, SETTINGS, Tally, ask
from tests.fuzz.raw import raw_requests, status_of
from tests.servers import Gateway, start_gateway, start_sandbox

_MOST_GROWTH_MIB: Final = 100.0
"""Of both gateways together, which hold files and records of requests in memory, up to a limit each."""
_WARM: Final = 4
"""After so many steps, the first round's, everything has been loaded."""
_FIRST: Final[Mapping[str, Any]] = {"generation": {"max-examples": 20, "allow-x00": True}}
"""What the document suggests and forbids, one thing after the other, comes first: it would be the same each time."""
_LATER: Final[Mapping[str, Any]] = {
    "generation": {"max-examples": 100, "allow-x00": True},
    "phases": {"examples": {"enabled": False}, "coverage": {"enabled": False}, "stateful": {"enabled": False}},
}
_RAW: Final = 5_000
_NO_CLIENT: Final = "bytes without a client"
_STRANGERS_EVERY: Final = 4
"""Rounds: who shows no key is let in nowhere, and there is less to see."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask and report; returns the exit code."""
    options = _parse(arguments)
    os.environ["NO_PROXY"] = "*"
    signal.signal(signal.SIGTERM, _interrupt)  # so that the servers end with us
    with tempfile.TemporaryDirectory() as folder, _servers(Path(folder)) as (callers, operators):
        tally, growth_mib = _ask_until_enough(callers, operators, options)
    return _report(tally, growth_mib, options.cases)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000, help="how many, in all")
    parser.add_argument("--minutes", type=float, default=120, help="after which nothing more begins")
    parser.add_argument("--seed", type=int, default=1, help="of the first round; each has the next one")
    return parser.parse_args(arguments)


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


@contextmanager
def _servers(folder: Path) -> Generator[tuple[Gateway, Gateway]]:
    """A gateway for callers, and one for the operator, whose requests delete accounts."""
    for name in ("sandbox", "callers", "operators"):
        (folder / name).mkdir()
    sandbox = start_sandbox(folder / "sandbox")
    gateways = [start_gateway(folder / name, sandbox, ACCOUNTS, SETTINGS) for name in ("callers", "operators")]
    try:
        yield gateways[0], gateways[1]
    finally:
        for gateway in gateways:
            gateway.stop()
        sandbox.http.close()
        sandbox.process.stop()


def _ask_until_enough(callers: Gateway, operators: Gateway, options: argparse.Namespace) -> tuple[Tally, float]:
    """What came of it, and the MiB that the gateways grew by. Ends with the first thing that is wrong, too."""
    total, held_mib, end = Tally(), list[float](), time.monotonic() + options.minutes * 60
    for tally in _rounds(callers, operators, options.seed):
        total.add(tally)
        held_mib.append(memory(callers.process.pid).rss_mib + memory(operators.process.pid).rss_mib)
        print(
            f"{total.cases.total():>8,} cases, {total.server_errors} server errors, {held_mib[-1]:.0f} MiB", flush=True
        )
        if total.failures or total.cases.total() >= options.cases or time.monotonic() > end:
            break
    return total, held_mib[-1] - held_mib[min(_WARM, len(held_mib) - 1)]


def _rounds(callers: Gateway, operators: Gateway, seed: int) -> Generator[Tally]:
    for number in count():
        rules = _LATER if number else _FIRST
        yield _send_raw(callers.url, seed + number)
        for has_key in (True, False) if number % _STRANGERS_EVERY == 0 else (True,):
            for gateway, others in ((callers, OPERATORS), (operators, CALLERS)):
                _employ(gateway)
                yield ask(gateway.url, left_out=others, has_key=has_key, seed=seed + number, rules=rules)


def _send_raw(url: str, seed: int) -> Tally:
    tally = Tally()

    @hypothesis.seed(seed)
    @settings(max_examples=_RAW, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(sent=raw_requests)
    def send(sent: bytes) -> None:
        tally.cases[_NO_CLIENT] += 1
        status = status_of(url, sent)
        assert status is None or status not in SERVER_ERRORS, f"{status} to {sent!r}"

    try:
        send()
    except (AssertionError, TimeoutError) as error:
        tally.server_errors += 1
        tally.failures[_NO_CLIENT, "not_a_server_error"] = str(error)
    return tally


def _employ(gateway: Gateway) -> None:
    """Let the gateway have all its accounts again."""
    httpx.post(f"{gateway.url}/v1/admin/tokens", json=ACCOUNTS, headers=gateway.auth).raise_for_status()


def _report(tally: Tally, growth_mib: float, wanted: int) -> int:
    for operation, cases in sorted(tally.cases.items()):
        print(f"{cases:>8,}  {operation}")
    for (operation, check), told in tally.failures.items():
        print(f"\n{operation}: {check}\n{told}")
    total = tally.cases.total()
    print(f"\n{total:,} cases of {wanted:,}, {len(tally.cases)} operations, {tally.server_errors} server errors,")
    print(f"{len(tally.failures)} kinds of failures, {growth_mib:+.1f} MiB after the first round")
    is_good = not (tally.failures or tally.server_errors) and total >= wanted and growth_mib <= _MOST_GROWTH_MIB
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
