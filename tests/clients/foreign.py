"""Clients of other people, in environments of their own that `make test-clients` makes, and how they are run."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import pytest

from tests.conftest import API_KEY
from tests.servers import Gateway

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
BIN: Final = ROOT / ".venv-clients" / "bin"
SUITES: Final = HERE / "suites"
AI_SDK: Final = HERE / "ai_sdk"
QUIET: Final = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_TELEMETRY": "False",
    "LANGSMITH_TRACING": "false",
    "DO_NOT_TRACK": "1",
}
"""Nothing is asked for that would come from the internet; `run` sees to it."""
LIMIT_S: Final = 250
"""Long enough for a first start, which compiles the client; shorter than a test may take."""


def require(path: Path) -> None:
    """Skip the test where the clients aren't installed; in CI that is a failure."""
    if path.exists():
        return
    message = f"{path.relative_to(ROOT)} isn't there: make test-clients installs it"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def run(command: str, *options: str, folder: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run one of the clients to its end, whatever that is; it must not have reached for the network.

    Args:
        command: A program of the clients' environment.
        options: What it is told.
        folder: Where it is at home, and may write.
        env: Variables beside ours and those that keep it quiet.
    """
    require(BIN / command)
    log = folder / "network.log"
    paths = f"{SUITES}{os.pathsep}{ROOT}"
    own = {"HOME": str(folder), "PYTHONPATH": paths, "NETWORK_LOG": str(log), "PYTHONDONTWRITEBYTECODE": ""}
    done = subprocess.run(
        [str(BIN / command), *options],
        env={**os.environ, **QUIET, **own, **env},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    tried = log.read_text()  # it is there: the process was watched
    assert not tried, tried
    return done


def run_suite(name: str, gateway: Gateway, folder: Path) -> dict[str, str]:
    """Run one of the suites within the clients' environment.

    Returns:
        Why each test was skipped, by its name; empty: it passed.

    Raises:
        AssertionError: A test failed.
    """
    report = folder / "report.xml"
    options = ("-c", str(SUITES / "pytest.ini"), f"--junitxml={report}", str(SUITES / f"{name}_suite.py"))
    env = {"GATEWAY_URL": gateway.base_url, "GATEWAY_KEY": API_KEY}
    done = run("pytest", *options, folder=folder, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    cases = ElementTree.parse(report).iter("testcase")  # noqa: S314 - written by our own pytest
    return {case.attrib["name"]: _reason(case) for case in cases}


def _reason(case: ElementTree.Element) -> str:
    skipped = case.find("skipped")
    return "" if skipped is None else skipped.attrib["message"]
