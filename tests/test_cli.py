"""The command line as a user meets it: real processes, short ones."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def grok_app(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command with a clean environment and these variables."""
    command = [sys.executable, "-m", "grok_app.cli", *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GROK_APP_")}
    return subprocess.run(command, cwd=ROOT, env=clean | environ, capture_output=True, text=True, check=False)


@pytest.fixture
def taken_port() -> Iterator[str]:
    """A port on which somebody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield str(listener.getsockname()[1])


@pytest.fixture
def free_port() -> str:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_help_lists_the_commands() -> None:
    """What a user may call is there; what only our own processes call isn't."""
    answer = grok_app("--help")
    assert answer.returncode == 0
    for command in ("run", "demo", "api", "sandbox", "build", "db", "key", "import", "export", "doctor"):
        assert f"  {command} " in answer.stdout
    assert "prepare" not in answer.stdout


def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    """Though it is among the URL's options."""
    url = "postgresql://127.0.0.1:1/name?user=me&password=hunter2"
    answer = grok_app("prepare", GROK_APP_DATABASE_URL=url, GROK_APP_DATA_DIR=str(tmp_path))
    assert answer.returncode == 2
    assert "The database postgresql 127.0.0.1:1/name could not be brought up to date" in answer.stderr
    assert "hunter2" not in answer.stderr


def test_the_sandbox_lists_its_magic_words() -> None:
    """Whoever starts the sandbox learns how to make it fail."""
    answer = grok_app("sandbox", "--help")
    assert "@429" in answer.stdout
    assert "--token-delay-ms" in answer.stdout


@pytest.mark.parametrize("command", ["run", "demo", "api"])
@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("GROK_APP_LOG_LEVEL=loud", "'loud'"),
        ("GROK_APP_PROT=9000", "is not a setting"),
        ("GROK_APP_CHAT__TIMEOUT=soon", "'soon'"),
    ],
    ids=["value", "name", "runtime"],
)
def test_a_wrong_environment_stops_the_start(
    command: str, setting: str, expected: str, free_port: str, tmp_path: Path
) -> None:
    """Exit code 2 and one message that names the variable, without a traceback."""
    name, _, value = setting.partition("=")
    answer = grok_app(command, "--port", free_port, "--data-dir", str(tmp_path), **{name: value})
    assert answer.returncode == 2
    assert name in answer.stderr
    assert expected in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("command", ["run", "demo", "api"])
def test_a_taken_port_stops_the_start(command: str, taken_port: str, tmp_path: Path) -> None:
    """Before anything else is done, with a sentence that says how to choose another."""
    answer = grok_app(command, "--port", taken_port, "--data-dir", str(tmp_path / "new"))
    assert answer.returncode == 2
    assert f"127.0.0.1:{taken_port}" in answer.stderr
    assert "--port" in answer.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("command", ["run", "api"])
def test_several_workers_without_redis_stop_the_start(command: str, free_port: str, tmp_path: Path) -> None:
    """Before anything else is done, with a sentence that says what to set."""
    arguments = ("--workers", "2", "--port", free_port, "--data-dir", str(tmp_path / "new"))
    answer = grok_app(command, *arguments, REDIS_URL="")
    assert answer.returncode == 2
    assert "REDIS_URL" in answer.stderr
    assert "--workers 1" in answer.stderr
    assert not (tmp_path / "new").exists()


def test_a_port_out_of_range_is_refused() -> None:
    """By the option itself."""
    answer = grok_app("run", "--port", "70000")
    assert answer.returncode == 2
    assert "70000" in answer.stderr


def test_the_database_can_be_brought_up_to_date_alone(tmp_path: Path) -> None:
    """`db upgrade` makes what is missing, relative to where the user stands."""
    answer = grok_app("db", "upgrade", "--data-dir", str(tmp_path / "here"))
    assert answer.returncode == 0, answer.stderr
    assert (tmp_path / "here" / "grok_app.db").is_file()
