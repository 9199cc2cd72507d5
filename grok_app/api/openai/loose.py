"""Loose field types: what clients really send for a boolean or a number. Source: API contract, section 5.1."""

import math
from collections.abc import Callable
from typing import Any, Final

from pydantic_core import PydanticCustomError

_BOOLEANS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def boolean(name: str) -> Callable[[Any], bool | None]:
    """A validator that takes true and false as JSON or as a word; null is omitted.

    The error's code is `invalid_<name>`.
    """

    def validate(value: Any) -> bool | None:
        if value is None or isinstance(value, bool):
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
            raise PydanticCustomError(code, f"{name} must be between {low:g} and {high:g}")
        return parsed

    return validate


def _parse(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        parsed = float(value)
    except (ValueError, OverflowError):
        return None
    return math.inf if math.isnan(parsed) else parsed
