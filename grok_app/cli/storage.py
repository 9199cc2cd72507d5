"""Storage made ready by another process: what that loads and opens is gone before the server forks."""

import json
import subprocess
import sys

Keys = dict[str, str | None]
"""`app_key`, `api_key`, `public_key`; None for one that is not told."""


def prepare_apart(*, is_demo: bool = False) -> Keys:
    """Run `grok-app prepare` and hand back its result, see `grok_app.cli.prepare`.

    Raises:
        SystemExit: It failed and has said why. Carries its exit code.
    """
    command = [sys.executable, "-m", "grok_app.cli", "prepare", *(["--demo"] if is_demo else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)  # noqa: S603 - our own program
    if done.returncode:
        raise SystemExit(done.returncode)
    keys: Keys = json.loads(done.stdout)
    return keys
