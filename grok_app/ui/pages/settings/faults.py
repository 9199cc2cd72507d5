"""What a setting takes, said where a value is wrong."""

from typing import Final

from grok_app.settings import DEFINITIONS, Definition, Fault, as_text
from grok_app.ui.i18n import Language, texts
from grok_app.ui.i18n.settings import chinese, english

_LIMITS: Final = {
    "greater_than_equal": "at_least",
    "less_than_equal": "at_most",
    "string_too_long": "long_text",
    "string_too_short": "blank",
    "too_long": "long_list",
}
"""Our word for Pydantic's, where there is a limit to be told."""
_SEPARATORS: Final = {"en": ", ", "zh": "、"}


def expectation(fault: Fault, language: Language) -> str:
    """What should stand there, to be put behind "expected"."""
    key, values = fault.code, dict[str, str]()
    if f"faults.{key}" not in texts(language):  # not one of ours
        key, values = _describe(fault, DEFINITIONS[fault.name], language)
    phrase = texts(language)[f"faults.{key}"]
    return phrase.format(**values) if values else phrase


def _describe(fault: Fault, definition: Definition, language: Language) -> tuple[str, dict[str, str]]:
    """Which text says it, and what is filled in. Of a number and a choice, all that it may be."""
    if definition.minimum is not None:
        unit = (chinese() if language == "zh" else english())[fault.name].unit
        maximum = f"{as_text(definition.maximum)} {unit}".rstrip()
        return definition.kind, {"minimum": as_text(definition.minimum), "maximum": maximum}
    if definition.choices:
        return definition.kind, {"choices": _SEPARATORS[language].join(definition.choices)}
    if fault.limit is not None:
        return _LIMITS[fault.code], {"limit": as_text(fault.limit)}
    if definition.kind == "list" and fault.path != fault.name:
        return "whole_number" if fault.code.startswith("int_") else "text", {}
    return definition.kind, {}
