"""When the pages are built, and what Reflex is told."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from grok_app import page_build
from grok_app.errors import ConfigurationError


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source tree with one page, whose build is recorded and writes nothing but its folder."""
    (tmp_path / "grok_app" / "ui").mkdir(parents=True)
    (tmp_path / "grok_app" / "ui" / "page.py").write_text("one")
    (tmp_path / "rxconfig.py").write_text("")
    (tmp_path / "grok_app" / "grok_app.py").write_text("")
    (tmp_path / ".npmrc").write_text("")
    monkeypatch.setattr(page_build, "project_dir", lambda: tmp_path)
    monkeypatch.setattr(page_build, "set_environment", lambda: None)
    return tmp_path


@pytest.fixture
def builds(tree: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The build commands that were run; each succeeds."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        (tree / ".web" / "build").mkdir(parents=True, exist_ok=True)
        commands.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def test_pages_are_built_once(builds: list[list[str]]) -> None:
    """A second start finds the build up to date."""
    assert page_build.build_pages()
    assert not page_build.build_pages()
    assert len(builds) == 1


@pytest.mark.parametrize(
    ("path", "is_rebuilt"),
    [("grok_app/ui/page.py", True), ("rxconfig.py", True), ("assets/new.css", True), ("grok_app/env.py", False)],
)
def test_pages_are_built_again_when_their_sources_change(
    tree: Path, builds: list[list[str]], path: str, is_rebuilt: bool
) -> None:
    """Only what the pages are made from matters."""
    page_build.build_pages()
    (tree / path).parent.mkdir(parents=True, exist_ok=True)
    (tree / path).write_text("changed")
    assert page_build.build_pages() is is_rebuilt
    assert len(builds) == 1 + is_rebuilt


def test_a_failed_build_is_not_taken_for_done(
    tree: Path, builds: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next start tries again."""
    with monkeypatch.context() as failing:
        failing.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1))
        with pytest.raises(ConfigurationError, match="could not be built"):
            page_build.build_pages()
    assert page_build.build_pages()
    assert (tree / ".web" / "build").is_dir()
    assert len(builds) == 1


def test_nothing_phones_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reflex's telemetry and version check are off, and npm from the wheel stands in for a downloaded bun."""
    environ = {"NPM_CONFIG_REGISTRY": "http://registry.example", "PATH": "/nowhere"}
    monkeypatch.setattr(os, "environ", environ)
    page_build.set_environment()
    assert environ["REFLEX_TELEMETRY_ENABLED"] == environ["REFLEX_CHECK_LATEST_VERSION"] == "false"
    assert environ["REFLEX_USE_NPM"] == "1"
    assert environ["NPM_CONFIG_REGISTRY"] == "http://registry.example"
    folder, _, rest = environ["PATH"].partition(os.pathsep)
    assert rest == "/nowhere"
    assert (Path(folder) / "npm").exists()
    assert (Path(folder) / "node").exists()
