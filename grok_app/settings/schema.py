"""Every runtime setting: one model for its value, one definition for what people are told of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import SecretStr

from grok_app.settings.capabilities import (
    AssetSection,
    CacheSection,
    ChatSection,
    ImageSection,
    NsfwSection,
    UsageSection,
    VideoSection,
    VoiceSection,
)
from grok_app.settings.sections import (
    AppSection,
    ProxySection,
    PublicSection,
    RetrySection,
    TokenSection,
    UpstreamSection,
)
from grok_app.settings.types import Section, Unit

_MAY_HOLD_SECRETS: Final = ("upstream.extra_headers",)  # people put cookies there
Kind = Literal["bool", "int", "float", "text", "choice", "list", "object"]
_KINDS: Final[Mapping[str, Kind]] = {
    "boolean": "bool",
    "integer": "int",
    "number": "float",
    "string": "text",
    "array": "list",
    "object": "object",
}
"""JSON Schema's words."""


class Settings(Section):
    """All sections: the snapshot that a request reads."""

    app: AppSection = AppSection()
    public: PublicSection = PublicSection()
    proxy: ProxySection = ProxySection()
    upstream: UpstreamSection = UpstreamSection()
    retry: RetrySection = RetrySection()
    token: TokenSection = TokenSection()
    chat: ChatSection = ChatSection()
    image: ImageSection = ImageSection()
    video: VideoSection = VideoSection()
    voice: VoiceSection = VoiceSection()
    asset: AssetSection = AssetSection()
    cache: CacheSection = CacheSection()
    nsfw: NsfwSection = NsfwSection()
    usage: UsageSection = UsageSection()


@dataclass(frozen=True, slots=True)
class Definition:
    """What the schema says of one setting."""

    name: str
    """Dotted, `app.api_key`."""
    title: str
    help: str
    unit: Unit | None
    kind: Kind
    choices: tuple[str, ...]
    """The values of a choice; empty for every other kind."""
    minimum: float | None
    """Of a number; itself allowed, as is the maximum."""
    maximum: float | None
    default: Any
    """As JSON has it."""
    is_secret: bool
    """A secret by itself; see `is_masked`."""
    is_masked: bool
    """Encrypted at rest, and masked wherever it is shown: a secret, or what may have one in it."""


@dataclass(frozen=True, slots=True)
class SectionDefinition:
    """What the schema says of one section."""

    name: str
    """`app`, what the names of its settings begin with."""
    title: str
    help: str


def _define(section: type[Section], section_name: str) -> list[Definition]:
    properties = section.model_json_schema()["properties"]
    return [_read_schema(f"{section_name}.{key}", schema) for key, schema in properties.items()]


def _read_schema(name: str, schema: Mapping[str, Any]) -> Definition:
    choices = tuple(schema.get("enum", ()))
    is_secret = schema.get("writeOnly", False)
    return Definition(
        name=name,
        title=schema["title"],
        help=schema["description"],
        unit=schema.get("unit"),
        kind="choice" if choices else _KINDS[schema["type"]],
        choices=choices,
        minimum=schema.get("minimum"),
        maximum=schema.get("maximum"),
        default=schema["default"],
        is_secret=is_secret,
        is_masked=is_secret or name in _MAY_HOLD_SECRETS,
    )


SECTIONS: Final[Mapping[str, type[Section]]] = {
    name: type(field.default) for name, field in Settings.model_fields.items()
}
"""The sections by name, in the order in which they are shown."""

SECTION_DEFINITIONS: Final[Mapping[str, SectionDefinition]] = {
    name: SectionDefinition(name, section.model_config["title"] or "", section.__doc__ or "")
    for name, section in SECTIONS.items()
}
"""Every section by name, in the order in which they are shown."""

DEFINITIONS: Final[Mapping[str, Definition]] = {
    definition.name: definition for name, section in SECTIONS.items() for definition in _define(section, name)
}
"""Every setting by dotted name, in the order in which they are shown."""


def plain(value: Any) -> Any:
    """The value of a setting as JSON has it, secrets readable."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return list(value) if isinstance(value, tuple) else value


def as_text(value: Any, separator: str = "\n") -> str:
    """A value as people write it in a form, taken back as the same value.

    Args:
        value: As JSON has it.
        separator: Between the items of a list.
    """
    if isinstance(value, list | tuple):
        items = [as_text(item) for item in value]
        is_clear = not any(mark in item for item in items for mark in ",\n[")
        return separator.join(items) if is_clear else json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, indent=2)
    return f"{value:.10g}" if isinstance(value, int | float) else str(value)


def value_of(settings: Settings, name: str) -> Any:
    """The value under a dotted name."""
    section, _, key = name.partition(".")
    return getattr(getattr(settings, section), key)


def as_nested(settings: Settings) -> dict[str, dict[str, Any]]:
    """All settings by section and key as JSON has them, secrets readable: for the operator's eyes only."""
    return nest({name: plain(value_of(settings, name)) for name in DEFINITIONS})


def nest(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Values by dotted name, as sections."""
    nested: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        section, _, key = name.partition(".")
        nested.setdefault(section, {})[key] = value
    return nested


def is_sealed(name: str) -> bool:
    """Whether `app.api_key` and the like, and what may hold such a secret, must be encrypted at rest."""
    return name in DEFINITIONS and DEFINITIONS[name].is_masked
