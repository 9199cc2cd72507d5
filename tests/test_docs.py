"""The documents are true."""

import re
import tomllib
from pathlib import Path

import pytest

from grok_app.env import PREFIX, Env, read_env
from grok_app.settings import Settings
from grok_app.settings.document import write_example, write_page
from tests.e2e.screenshots import MOST_BYTES, SHOTS
from tests.faults.page import PAGE
from tests.faults.page import write_page as write_reliability

ROOT = Path(__file__).parents[1]
EXAMPLE = (ROOT / ".env.example").read_text()


def test_env_example_names_everything() -> None:
    """Every process setting and every runtime setting stands in .env.example, and nothing else does."""
    process = {"REDIS_URL" if name == "redis_url" else PREFIX + name.upper() for name in Env.model_fields}
    runtime = {
        f"{PREFIX}{section.upper()}__{key.upper()}"
        for section, field in Settings.model_fields.items()
        for key in type(field.default).model_fields
    }
    assert set(re.findall(r"^#([A-Z_]+)=", EXAMPLE, re.MULTILINE)) == process | runtime


def test_env_example_is_valid(tmp_path: Path) -> None:
    """With every comment sign removed, the example is what a server starts with, and gives the defaults."""
    file = tmp_path / ".env"
    file.write_text(re.sub(r"^#([A-Z])", r"\1", EXAMPLE, flags=re.MULTILINE))
    env, overrides = read_env({}, file)
    nested: dict[str, dict[str, str]] = {}
    for name, value in overrides.items():
        section, _, key = name.partition(".")
        nested.setdefault(section, {})[key] = value
    assert env == Env()
    assert Settings.model_validate(nested) == Settings()


@pytest.mark.parametrize(
    ("file", "written"),
    [("docs/settings.md", write_page()), (".env.example", write_example())],
    ids=["settings.md", ".env.example"],
)
def test_the_documents_of_the_settings_are_current(file: str, written: str) -> None:
    """Both say what the schema says; `python -m grok_app.settings.document` writes them anew."""
    assert (ROOT / file).read_text() == written


def test_the_page_of_faults_is_current() -> None:
    """It says what the suite of faults checks; `python -m tests.faults` writes it anew."""
    assert PAGE.read_text() == write_reliability()


def test_every_setting_is_read() -> None:
    """None is stored and checked without effect."""
    sources = [
        path.read_text() for path in (ROOT / "grok_app").rglob("*.py") if "settings" not in path.relative_to(ROOT).parts
    ]
    text = "\n".join(sources)
    for field in Settings.model_fields.values():
        keys = type(field.default).model_fields
        assert [key for key in keys if not re.search(rf"\.{key}\b", text)] == []


def test_every_picture_is_there_and_small() -> None:
    """Those that README.md shows are what `make screenshots` takes, and a clone stays quick."""
    shown = set(re.findall(r"docs/screenshots/([\w-]+)\.png", (ROOT / "README.md").read_text()))
    pictures = {path.stem: path.stat().st_size for path in (ROOT / "docs" / "screenshots").iterdir()}
    assert shown <= pictures.keys() == {shot.name for shot in SHOTS}
    assert [name for name, size in pictures.items() if size > MOST_BYTES] == []


def test_every_dependency_has_a_reason() -> None:
    """What pyproject.toml asks for, docs/dependencies.md explains."""
    asked = re.findall(r'^  "([A-Za-z0-9_-]+)(?:\[\w+\])?==', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    reasons = (ROOT / "docs" / "dependencies.md").read_text()
    assert [name for name in asked if f"`{name}`" not in reasons] == []


@pytest.mark.parametrize(
    ("lock", "extras"), [("requirements.lock", ["mysql", "build"]), ("requirements-dev.lock", ["dev"])]
)
def test_the_locks_hold_what_is_asked_for(lock: str, extras: list[str]) -> None:
    """Each version of pyproject.toml is there, and nothing without hashes; `make lock` writes them anew."""
    text = (ROOT / lock).read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(line for name in extras for line in project["optional-dependencies"][name])]
    for line in asked:
        if pin := re.match(r"([\w-]+)(?:\[\w+\])?(==[\w.]+)", line):
            assert re.search(rf"^{pin[1].replace('_', '-')}{pin[2]}[ ;]", text, re.MULTILINE), line
    assert not re.search(r"^\w.*\n(?!    --hash=sha256:[0-9a-f]{64})", text, re.MULTILINE)


def test_every_evidence_is_there() -> None:
    """What docs/security.md calls upon exists: the file, and the test in it by its name."""
    named = re.findall(
        r"`([\w.-]+(?:/[\w.-]+)*\.\w+|Makefile|Dockerfile)(?:::(\w+))?`", (ROOT / "docs" / "security.md").read_text()
    )
    evidence = [(ROOT / path, test) for path, test in named if "/" in path or "." not in path]
    missing = [str(path) for path, _ in evidence if not path.exists()]
    untold = [test for path, test in evidence if test and not re.search(rf"def {test}\(", path.read_text())]
    assert (missing, untold) == ([], [])
    assert len(evidence) > 100
