"""The shape of the code: faces, layers, sizes."""

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "grok_app"
MODULES = sorted(path for path in SOURCE.rglob("*.py"))
PACKAGES = sorted(path.parent for path in SOURCE.rglob("__init__.py") if path.parent != SOURCE)
MODULE_LIMIT_LINES = 300
FUNCTION_LIMIT_LINES = 50


def name_of(path: Path) -> str:
    """The dotted name of a module or package of ours."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("package", PACKAGES, ids=name_of)
def test_a_package_has_a_face(package: Path) -> None:
    """Every package says in a docstring what it is, and lists its names, all of which exist. Ruff sorts them."""
    module = importlib.import_module(name_of(package))
    assert module.__doc__
    assert all(hasattr(module, name) for name in module.__all__)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_others_import_from_the_face_only(path: Path) -> None:
    """A module reaches another domain through its package, never through a module inside it."""
    own = name_of(path).split(".")[:2]
    inside = [name for name in imported(path) if len(name.split(".")) > 2 and name.split(".")[:2] != own]
    assert [name for name in inside if (SOURCE / name.split(".")[1]).is_dir()] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_and_functions_stay_small(path: Path) -> None:
    """No module is longer than 300 lines, no function longer than 50."""
    text = path.read_text()
    assert len(text.splitlines()) <= MODULE_LIMIT_LINES
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [f.name for f in functions if (f.end_lineno or 0) - f.lineno >= FUNCTION_LIMIT_LINES] == []


def test_the_api_loads_no_page_code() -> None:
    """The API can be served on its own: importing it never loads Reflex."""
    code = (
        "import sys, grok_app.api; sys.exit(any(m.partition('.')[0] in ('reflex', 'reflex_base') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def imported(path: Path) -> Iterator[str]:
    """The dotted names of our modules that a file imports, `from` targets included where they are modules."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("grok_app."))
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("grok_app"):
            yield node.module
