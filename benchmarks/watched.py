"""The gateway as `grok-app` starts it; its worker says what it holds: `python -m benchmarks.watched api --port N`."""

import asyncio
import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from benchmarks.processes import Served, tree
from grok_app.catalog import Pool
from grok_app.cli import main
from grok_app.env import current_env
from grok_app.runtime import current

_NAME: Final = "held.json"
_WAIT_S: Final = 10.0
_POLL_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Held:
    """What the one worker of a gateway holds."""

    tasks: int
    """Of its event loop."""
    is_lending: bool
    """Whether any account is on lease."""


def ask_held(gateway: Served, data_dir: Path) -> Held:
    """What it holds now.

    Raises:
        TimeoutError: It doesn't say.
    """
    file = data_dir / _NAME
    file.unlink(missing_ok=True)
    os.kill(tree(gateway.pid)[1], signal.SIGUSR1)
    deadline = time.monotonic() + _WAIT_S
    while not file.exists():
        if time.monotonic() > deadline:
            raise TimeoutError("the gateway doesn't say what it holds")
        time.sleep(_POLL_S)
    return Held(**json.loads(file.read_text()))


def _listen() -> None:
    signal.signal(signal.SIGUSR1, _tell)


def _tell(*_: object) -> None:
    held = Held(len(asyncio.all_tasks()), current().roster.pool.has_busy(list(Pool)))
    file = current_env()[0].data_dir / _NAME
    written = file.with_suffix(".part")
    written.write_text(json.dumps(asdict(held)))
    written.rename(file)


if __name__ == "__main__":
    os.register_at_fork(after_in_child=_listen)
    main()
