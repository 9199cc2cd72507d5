"""Process settings: what the environment decides once, before anything starts.

Every name begins with `GROK_APP_`; `REDIS_URL` is the one exception. A name with a double underscore
(`GROK_APP_APP__API_KEY`), or one of `ALIASES` (`GROK_APP_PUBLIC_KEY`), belongs to a runtime setting and is handed to
`grok_app.settings` untouched.
"""

import os
import re
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final, Literal

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from grok_app.errors import ConfigurationError

PREFIX = "GROK_APP_"
ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "app.public_key": ("app_public_key", "public_key"),
    "app.public_enabled": ("app_public_enabled", "public_enabled"),
    "app.stream": ("app_stream", "stream"),
    "image.nsfw": ("image_nsfw",),
    "image.final_min_bytes": ("image_final_min_bytes",),
    "image.medium_min_bytes": ("image_medium_min_bytes",),
}
"""Further spellings of runtime settings; the leftmost wins. Source: API contract, section 2."""
MOST_WORKERS: Final = 64
WORKERS_DIR: Final = "_GROK_APP_WORKERS_DIR"
"""Set by the server for its workers: where they meet, see `grok_app.insight`. No setting."""
_ALIAS_NAMES = frozenset(alias for aliases in ALIASES.values() for alias in aliases)
_REDIS = "REDIS_URL"
_COLLECTOR = "OTEL_EXPORTER_OTLP_ENDPOINT"
_HIDDEN = ("secret_key", "redis_url", "database_url")  # these may hold a password
_DATABASE_URL = re.compile(r"(sqlite:///(?!:memory:)|(postgresql|mysql|mariadb)://).+")
_ORIGIN = re.compile(r"\*|https?://[^/\s]+")


class Env(BaseModel):
    """The process settings, frozen. Field names are the variables' names in lower case, without the prefix."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    host: str = Field("127.0.0.1", description="Address to listen on. 0.0.0.0 serves the whole network.")
    port: int = Field(8000, ge=1, le=65535, description="Port for pages and API.")
    workers: int = Field(
        1, ge=1, le=MOST_WORKERS, description="Processes that serve, on the one port. More than one needs REDIS_URL."
    )
    shutdown_grace_s: float = Field(
        30,
        ge=0,
        le=3600,
        description="Seconds, 0 to 3600, that answers under way may take to end once the server stops. Those that "
        "don't end with an error.",
    )
    data_dir: Path = Field(Path("data"), description="Folder for the database, the key file and the media cache.")
    database_url: str = Field(
        "", description="sqlite:///…, postgresql://… or mysql://… (MariaDB too); empty: SQLite in the data folder."
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="Encrypts stored secrets, 16 characters or more. Several, separated by commas: the first "
        "encrypts, all decrypt. Empty: a key file in the data folder.",
    )
    cors_origins: tuple[str, ...] = Field(
        (), description="Other origins whose pages may call the API, separated by commas. Empty: none."
    )
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = Field(
        (),
        description="Addresses or networks of reverse proxies, separated by commas. Only they are believed when they "
        "say who a request comes from. Empty: none.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Lowest level that is logged.")
    log_json: bool = Field(False, description="One JSON object per log line instead of text.")
    redis_url: str = Field(
        "",
        description="redis://… holds what several workers or machines share, and the pages' state; empty: in memory.",
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and not _DATABASE_URL.fullmatch(value):
            raise ValueError("sqlite:///path, postgresql://user:password@host/name or mysql://user:password@host/name")
        return value

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        keys = [key.strip() for key in value.get_secret_value().split(",")] if value else []
        if any(len(key) < 16 for key in keys):  # noqa: PLR2004 - the length is the rule itself
            raise ValueError("keys of 16 characters or more, separated by commas")
        return value

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _origins(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        origins = tuple(origin.strip().rstrip("/") for origin in value.split(",") if origin.strip())
        if not all(_ORIGIN.fullmatch(origin) for origin in origins):
            raise ValueError("origins like https://chat.example.com, separated by commas, or *")
        return origins

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
        except ValueError:
            raise ValueError("addresses or networks like 10.0.0.0/8, separated by commas") from None

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str) -> str:
        if value and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("a URL that begins with redis:// or rediss://")
        return value

    @property
    def database(self) -> str:
        """The database URL in force: the one given, else SQLite in the data folder."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'grok_app.db').absolute()}"

    @property
    def database_kind(self) -> Literal["sqlite", "postgresql", "mysql"]:
        """What kind of database it is; MariaDB counts as MySQL."""
        if self.database.startswith("postgresql:"):
            return "postgresql"
        return "sqlite" if self.database.startswith("sqlite:") else "mysql"


def read_env(environ: Mapping[str, str], dotenv: Path | None = None) -> tuple[Env, dict[str, str]]:
    """Read process settings and the raw runtime overrides, `{"app.api_key": "…"}`, an alias as it stands.

    The environment wins over the `.env` file.

    Raises:
        ConfigurationError: A name is unknown or a value is wrong; it says the name, the value and what was expected.
    """
    in_file = dotenv_values(dotenv) if dotenv else {}
    held = {_setting_of(name) for name in environ}
    left = {name: value for name, value in in_file.items() if _setting_of(name) not in held}
    given = {name: value for name, value in {**left, **environ}.items() if value is not None}
    ours = {name.removeprefix(PREFIX).lower(): value for name, value in given.items() if name.startswith(PREFIX)}
    runtime = {name for name in ours if "__" in name or name in _ALIAS_NAMES}
    overrides = {name.replace("__", ".", 1): ours[name] for name in ours if name in runtime}
    fields = {name: value for name, value in ours.items() if name not in runtime and value}
    _refuse_unknown(fields)
    if redis_url := given.get(_REDIS):
        fields["redis_url"] = redis_url
    try:
        return Env.model_validate(fields), overrides
    except ValidationError as error:
        raise ConfigurationError(_explain(error)) from None  # the cause would print what it explains away


@cache
def current_env() -> tuple[Env, dict[str, str]]:
    """The environment of this process, read once, with `.env` of the working folder."""
    return read_env(os.environ, Path(".env"))


def wants_traces() -> bool:
    """Whether the environment names a collector of traces. OpenTelemetry reads its variables itself; `.env` it doesn't.

    Raises:
        ConfigurationError: It does, and OpenTelemetry is not installed.
    """
    if not os.environ.get(_COLLECTOR):
        return False
    parts = ("opentelemetry", "opentelemetry.sdk", "opentelemetry.exporter")  # a missing parent would raise
    if not all(find_spec(name) for name in parts):
        raise ConfigurationError(
            f"{_COLLECTOR} is set, but what sends traces is not installed: pip install 'grok-app[otel]', or unset it"
        )
    return True


def _setting_of(variable: str) -> str:
    """What a variable sets: two spellings of one setting are the same."""
    name = variable.removeprefix(PREFIX).lower()
    known = next((setting for setting, aliases in ALIASES.items() if name in aliases), name)
    return known.replace("__", ".", 1)


def _refuse_unknown(fields: Mapping[str, str]) -> None:
    known = {name for name in Env.model_fields if name != "redis_url"}
    for name in fields:
        if name not in known:
            expected = ", ".join(PREFIX + field.upper() for field in sorted(known))
            raise ConfigurationError(
                f"{PREFIX}{name.upper()} is not a setting: expected one of {expected}, "
                f"or {PREFIX}<SECTION>__<KEY> for a runtime setting"
            )


def _explain(error: ValidationError) -> str:
    """One line per wrong variable: its name, its value (never a secret's) and what was expected."""
    lines = []
    for item in error.errors():
        field = str(item["loc"][0])
        name = _REDIS if field == "redis_url" else PREFIX + field.upper()
        value = "(hidden)" if field in _HIDDEN else repr(item["input"])
        expected = item["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        lines.append(f"{name} = {value}: expected {expected}")
    return "\n".join(lines)
