"""Loose field types: what clients really send for a boolean or a number. Source: API contract, section 5.1."""

import math
from collections.abc import Callable, Collection
from typing import Any, Final

from pydantic_core import PydanticCustomError

NOT_BLANK: Final = r"[^\s\u001c-\u001f\u0085]"
"""What a text that isn't blank matches, for OpenAPI. Python strips some signs that are no `\\s` of ECMAScript."""
_BOOLEANS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def boolean(name: str, default: bool | None = None) -> Callable[[Any], bool | None]:
    """A validator that takes true and false as JSON or as a word; null is the default.

    The error's code is `invalid_<name>`.
    """

    def validate(value: Any) -> bool | None:
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        known = _BOOLEANS.get(value.strip().lower()) if isinstance(value, str) else None
        if known is None:
            raise PydanticCustomError(f"invalid_{name}", f"{name} must be a boolean")
        return known

    return validate


def number(name: str, low: float, high: float, default: float) -> Callable[[Any], float]:
    """A validator that takes a number or a text of one, within these bounds; null is the default.

    The error's code is `invalid_<name>`.
    """
    code = f"invalid_{name}"

    def validate(value: Any) -> float:
        if value is None:
            return default
        parsed = _parse(value)
        if parsed is None:
            raise PydanticCustomError(code, f"{name} must be a float")
        if not low <= parsed <= high:
            raise PydanticCustomError(code, f"{name} must be between {low} and {high}")
        return parsed

    return validate


def whole(name: str, low: int, high: int, default: int, message: str) -> Callable[[Any], int]:
    """A validator that takes a whole number or a text of one, within these bounds; null is the default.

    The error's code is `invalid_<name>`.
    """

    def validate(value: Any) -> int:
        parsed = default if value is None else _parse(value)
        if parsed is None or not low <= parsed <= high or parsed != int(parsed):
            raise PydanticCustomError(f"invalid_{name}", "{message}", {"message": message})
        return int(parsed)

    return validate


def text(name: str, most_chars: int, default: str) -> Callable[[Any], str]:
    """A validator that takes a text that isn't blank, without blanks around it; null is the default.

    The error's code is `invalid_<name>`.
    """

    def validate(value: Any) -> str:
        if value is None:
            return default
        trimmed = value.strip() if isinstance(value, str) else ""
        if not 0 < len(trimmed) <= most_chars:
            raise PydanticCustomError(f"invalid_{name}", f"{name} must be a text of 1 to {most_chars} characters")
        return trimmed

    return validate


def choice(name: str, known: Collection[str], default: str | None, message: str) -> Callable[[Any], str | None]:
    """A validator that takes one of these words; null is the default. The error's code is `invalid_<name>`."""

    def validate(value: Any) -> str | None:
        if value is None:
            return default
        if not isinstance(value, str) or value not in known:
            raise PydanticCustomError(f"invalid_{name}", "{message}", {"message": message})
        return value

    return validate


def _parse(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        parsed = float(value)
    except (ValueError, OverflowError):
        return None
    return math.inf if math.isnan(parsed) else parsed
