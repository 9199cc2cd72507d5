"""The documents of the settings, written from the schema: `python -m grok_app.settings.document` writes both anew."""

import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from grok_app.env import ALIASES, PREFIX, Env
from grok_app.settings.environment import variable_of
from grok_app.settings.schema import DEFINITIONS, SECTIONS, Definition, as_text, plain
from grok_app.settings.spellings import FORMER, RETIRED, RETIRED_SECTIONS

_ROOT: Final = Path(__file__).parents[2]
_PAGE: Final = _ROOT / "docs" / "settings.md"
_EXAMPLE: Final = _ROOT / ".env.example"
_WIDTH: Final = 120

_EXAMPLE_HEAD: Final = """\
# Copy to .env and change what you need: every line is a comment until you remove its #, and shows the default.
# The environment wins over this file. A wrong value stops the start and says what was expected.

# --- The process: read once at the start
"""
_EXAMPLE_RUNTIME: Final = """\
# --- Runtime settings: what is set here can't be changed in the console, and wins over what is stored there
"""
_PAGE_HEAD: Final = """\
# Settings

<!-- Written by `python -m grok_app.settings.document`. -->

A setting has the value of its environment variable; else the one in `.env`; else the one that was stored in the
console or with `POST /v1/admin/config`; else its default. What the environment or `.env` holds can't be changed in the
console: another value is refused there with `409 set_by_environment`. A change is in force for the next request of
every process that shares the data folder, without a restart. A wrong value changes nothing.

Lists are written with commas or as JSON, switches as `true` or `false`. Secrets are encrypted where they are stored.
"""
_PAGE_PROCESS: Final = """\
## The process

Read once at the start, from the environment or `.env` alone.
"""
_PAGE_ALIASES: Final = """\
## Other spellings

On `POST /v1/admin/config` and in an imported file, sections (`{"app": {"stream": false}}`), dotted names
(`{"app.stream": false}`) and the spellings below may be mixed. The environment takes them too, in capitals behind
`GROK_APP_`: `GROK_APP_PUBLIC_KEY`. Where several are given, the leftmost wins.
"""
_PAGE_FORMER: Final = """\
## Former names

grok2api's deprecated names are taken on `POST /v1/admin/config` and in an imported file, where the new name isn't
given. Where several are given, the leftmost wins.
"""
_PAGE_RETIRED: Final = """\
## Retired names

These are accepted without effect and named in the answer: what an older configuration holds does no harm.
"""


def write_page() -> str:
    """The text of docs/settings.md."""
    runtime = [_write_section(name, section.__doc__ or "") for name, section in SECTIONS.items()]
    former = _table(("Setting", "Former names"), ((f"`{new}`", _codes(old)) for new, old in FORMER.items()))
    aliases = _table(("Setting", "Spellings"), ((f"`{new}`", _codes((new, *old))) for new, old in ALIASES.items()))
    retired = _codes(sorted(RETIRED)) + "; in the sections " + _codes(sorted(RETIRED_SECTIONS))
    parts = [
        _PAGE_HEAD,
        f"{_PAGE_PROCESS}\n{_table(('Variable', 'What it decides', 'Default'), _process_rows())}",
        *runtime,
        f"{_PAGE_ALIASES}\n{aliases}",
        f"{_PAGE_FORMER}\n{former}",
        f"{_PAGE_RETIRED}\n{retired} every name that isn't in the table above.\n",
    ]
    return "\n".join(parts)


def write_example() -> str:
    """The text of .env.example."""
    parts = [_EXAMPLE_HEAD]
    parts += [_entry(_variable(name), text, value) for name, text, value in _process()]
    parts.append(_EXAMPLE_RUNTIME)
    for name, section in SECTIONS.items():
        parts.append(f"# {name}: {section.__doc__}\n")
        parts += [
            _entry(variable_of(item.name), f"{item.help}{_limits(item)}", item.default) for item in _items_of(name)
        ]
    return "\n".join(parts)


def _write_section(name: str, text: str) -> str:
    heads = ("Setting, variable", "What it decides", "Values", "Default")
    return f"## `{name}`\n\n{text}\n\n{_table(heads, (_row(item) for item in _items_of(name)))}"


def _row(item: Definition) -> tuple[str, ...]:
    secret = " Secret." if item.is_secret else ""
    return (
        f"`{item.name}`<br>`{variable_of(item.name)}`",
        f"**{item.title}.** {item.help}{secret}",
        _values(item),
        f"`{_text(item.default)}`" if _text(item.default) else "empty",
    )


def _values(item: Definition) -> str:
    if item.choices:
        return _codes(item.choices)
    kind = {"bool": "switch", "int": "whole number", "float": "number"}.get(item.kind, item.kind)
    return kind if item.minimum is None else f"{kind}, {_range(item)}"


def _limits(item: Definition) -> str:
    """What a comment adds to a setting's text."""
    if item.choices:
        return f" One of {', '.join(item.choices)}."
    return "" if item.minimum is None else f" From {_range(item)}."


def _range(item: Definition) -> str:
    unit = f" {item.unit}" if item.unit else ""
    return f"{_text(item.minimum)} to {_text(item.maximum)}{unit}"


def _items_of(section: str) -> list[Definition]:
    return [item for name, item in DEFINITIONS.items() if name.startswith(f"{section}.")]


def _process() -> Iterator[tuple[str, str, Any]]:
    for name, field in Env.model_fields.items():
        yield name, field.description or "", plain(field.default)


def _process_rows() -> Iterator[tuple[str, ...]]:
    for name, text, value in _process():
        yield f"`{_variable(name)}`", text, f"`{_text(value)}`" if _text(value) else "empty"


def _variable(process_name: str) -> str:
    return "REDIS_URL" if process_name == "redis_url" else PREFIX + process_name.upper()


def _entry(variable: str, text: str, value: Any) -> str:
    comment = textwrap.fill(text, _WIDTH, initial_indent="# ", subsequent_indent="# ")
    shown = _text(value)
    quote = '"' if " " in shown else ""
    return f"{comment}\n#{variable}={quote}{shown}{quote}\n"


def _text(value: Any) -> str:
    """A value as the environment writes it."""
    return as_text(value, separator=",")


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *(tuple(_cell(cell) for cell in row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(text: str) -> str:
    """Markdown takes `|` for the next cell and `<think>` for an element."""
    return text.replace("|", "\\|").replace("<think>", "`<think>`")


if __name__ == "__main__":
    _PAGE.write_text(write_page(), encoding="utf-8")
    _EXAMPLE.write_text(write_example(), encoding="utf-8")
