"""The documents are true."""

import re
from pathlib import Path

import pytest

from grok_app.env import PREFIX, Env, read_env
from grok_app.settings import Settings
from grok_app.settings.document import NOT_READ_YET, write_example, write_page
from tests.e2e.screenshots import MOST_BYTES, SHOTS

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


def test_what_has_no_effect_yet_is_read_nowhere() -> None:
    """The page says so of every section and setting that no part of the program reads, and of no other."""
    sources = [
        path.read_text() for path in (ROOT / "grok_app").rglob("*.py") if "settings" not in path.relative_to(ROOT).parts
    ]
    text = "\n".join(sources)
    for name in NOT_READ_YET:
        assert not re.search(rf"(snapshot|settings)\.{re.escape(name)}\b", text), name
    for section, field in Settings.model_fields.items():
        if section not in NOT_READ_YET:
            keys = [key for key in type(field.default).model_fields if f"{section}.{key}" not in NOT_READ_YET]
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
