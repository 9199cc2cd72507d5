"""What the form is generated from: the schema's sections and settings, with their texts in both languages."""

from typing import Any

from grok_app.settings import DEFINITIONS, KEYS, SECTION_DEFINITIONS, Definition, as_text
from grok_app.ui.i18n.settings import chinese, english


def sections() -> list[dict[str, Any]]:
    """Every section with its settings, as `settings_form.js` takes them. The same for everybody: no value is in it."""
    return [
        {
            "name": section,
            **_texts(section),
            "fields": [_field(item) for item in DEFINITIONS.values() if item.name.startswith(f"{section}.")],
        }
        for section in SECTION_DEFINITIONS
    ]


def _field(item: Definition) -> dict[str, Any]:
    section, _, key = item.name.partition(".")
    return {
        "name": item.name,
        **_texts(item.name),
        "unit": {"en": english()[item.name].unit, "zh": chinese()[item.name].unit},
        "kind": item.kind,
        "choices": list(item.choices),
        "range": "" if item.minimum is None else f"{as_text(item.minimum)} – {as_text(item.maximum)}",
        "default_text": as_text(item.default),
        "is_masked": item.is_masked,
        # Made at the first start: a new one can be made, but there is no default to go back to.
        "is_key": section == "app" and key in KEYS,
    }


def _texts(name: str) -> dict[str, Any]:
    here, there = english()[name], chinese()[name]
    return {"title": {"en": here.title, "zh": there.title}, "help": {"en": here.help, "zh": there.help}}
