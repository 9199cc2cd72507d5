"""Values by dotted name, checked against the schema; and what is said when one is wrong, never quoting a secret."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from reprlib import Repr
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from grok_app.errors import InvalidRequestError
from grok_app.settings.schema import DEFINITIONS, Settings, nest

_FRAME: Final = re.compile(r"^\w+ should (be |have )?|( after validation)?, (unable|got|not) .*$")
"""How Pydantic begins a sentence that is put behind "expected", and what it adds of the value."""
_LIMITS: Final = ("ge", "le", "max_length", "min_length")
"""Pydantic's names of them."""
_SHORTENED: Final = Repr()
_SHORTENED.maxstring = _SHORTENED.maxother = 120


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one value."""

    name: str
    """The setting's dotted name."""
    path: str
    """The same; within a list with the item's index, `retry.retry_status_codes.1`."""
    code: str
    """Pydantic's word for it, or ours."""
    value: str
    """As it was given; hidden where it may be a secret."""
    expected: str
    limit: float | None = None
    """The number that it went beyond: of a number itself, of a text's characters, of a list's items."""

    @property
    def reason(self) -> str:
        """What stands there and what should, to be put behind a name."""
        return f"= {self.value}: expected {self.expected}"


class WrongValueError(ValueError):
    """Some values are wrong."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.path} {fault.reason}" for fault in faults))
        self.faults = faults


class WrongSettingsError(InvalidRequestError):
    """An operator's values are wrong. To a caller it is the first of them; `faults` are all, for a form."""

    def __init__(self, faults: list[Fault]) -> None:
        first = faults[0]
        super().__init__(f"{first.path} {first.reason}", code=first.code, param=first.path)
        self.faults = faults


def validate(values: Mapping[str, Any]) -> Settings:
    """The settings with these values, by dotted name; what isn't given is at its default.

    Raises:
        WrongValueError: A value is not what its setting takes.
    """
    try:
        return Settings.model_validate(nest(values))
    except ValidationError as error:
        faults = [_read(item) for item in error.errors()]
    raise WrongValueError(faults)  # out here, since the cause would print secrets


def _read(item: ErrorDetails) -> Fault:
    section, key, *rest = item["loc"]
    name = f"{section}.{key}"
    path = f"{name}.{rest[0]}" if rest and isinstance(rest[0], int) else name
    context = item.get("ctx", {})
    is_masked = name in DEFINITIONS and DEFINITIONS[name].is_masked
    return Fault(
        name=name,
        path=path,
        code=item["type"],
        value="(hidden)" if is_masked else _SHORTENED.repr(item["input"]),
        expected=_FRAME.sub("", item["msg"]),
        limit=next((context[key] for key in _LIMITS if key in context), None),
    )
