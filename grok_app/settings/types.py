"""What the value of a setting may be, and how a setting is declared."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Literal, LiteralString
from urllib.parse import urlsplit

import orjson
from curl_cffi.requests import BrowserType
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

Unit = Literal["s", "ms", "h", "days", "MB", "bytes"]

_COOKIE_VALUE: Final = re.compile(r"[!-+\--:<-~]*")
_PROXY: Final = re.compile(r"((https?|socks5h?|socks4a?)://[^\s]+)?")
_BETWEEN: Final = re.compile(r"[,\n]")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_LONGEST_CHARS: Final = 4096
"""More than any header or key needs; it keeps a slip of the hand out of the database."""
_MOST_ITEMS: Final = 100


class Section(BaseModel):
    """A group of settings. Unknown keys are refused, so that a typo is seen."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_switch_for_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Pydantic takes `true` for 1."""
        is_number = type(cls.model_fields[str(info.field_name)].default) in (int, float)
        if is_number and isinstance(value, bool):
            raise PydanticCustomError("number", "a number")
        return value


def setting(  # noqa: PLR0913 - one line each in the form
    default: Any,
    title: str,
    text: str,
    *,
    unit: Unit | None = None,
    ge: float | None = None,
    le: float | None = None,
) -> Any:
    """A setting of a section: all that the console, the documents and the API know of it.

    Args:
        default: In force until something else is stored.
        title: A few words, the label in a form.
        text: What it decides, in a sentence.
        unit: Of the number.
        ge: The least number allowed.
        le: The greatest.
    """
    extra: JsonDict | None = {"unit": unit} if unit else None
    return Field(default, title=title, description=text, ge=ge, le=le, json_schema_extra=extra)


def _split(value: Any) -> Any:
    """Let the environment and a form write a list as `a,b`, one item per line, or as JSON."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if not text.startswith("["):
        return [item.strip() for item in _BETWEEN.split(text) if item.strip()]
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise PydanticCustomError("list", 'a list like a,b or ["a","b"]') from None


def _parse_object(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value) if value.strip() else {}
    except orjson.JSONDecodeError:
        raise PydanticCustomError("object", 'a JSON object like {"X-Name": "value"}') from None


def _check_keys(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    keys = [key.strip() for key in text.split(",")]
    if text and not all(key.isascii() and key.isprintable() and key for key in keys):
        raise PydanticCustomError("keys", "printable ASCII without blank parts, or nothing at all")
    return SecretStr(text.strip())


def _check_cookie(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if not _COOKIE_VALUE.fullmatch(text):
        raise PydanticCustomError("cookie", "the value of one cookie: no blanks, semicolons or line breaks")
    return SecretStr(text)


def _check_proxy(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not _PROXY.fullmatch(text) or (text and not _is_address(text)):
        raise PydanticCustomError("proxy_url", "a URL like http://user:password@host:port or socks5h://host:port")
    return value


def _check_address(value: str) -> str:
    if value and not _is_address(value):
        raise PydanticCustomError("plain_url", "a URL with a host, perhaps a port and a path, and nothing behind them")
    return value


def _like(pattern: str, code: LiteralString, expected: LiteralString) -> AfterValidator:
    """Take what matches, and say in words what doesn't."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise PydanticCustomError(code, expected)
        return value

    return AfterValidator(check)


def _is_address(url: str) -> bool:
    """Whether a path can be put behind this URL, and somebody could be there."""
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0  # reading the port checks it
    except ValueError:
        return False
    return has_host and url.isprintable() and not parts.query and not parts.fragment and not url.endswith(("?", "#"))


def _check_profile(value: str) -> str:
    if value not in BrowserType.__members__:
        raise PydanticCustomError(
            "browser", "a profile of curl_cffi, like chrome136, chrome146, firefox147 or safari260"
        )
    return value


def _check_past_date(value: str) -> str:
    if not value:
        return value
    try:
        is_past = bool(_DATE.fullmatch(value)) and date.fromisoformat(value) < datetime.now(UTC).date()
    except ValueError:  # 2001-02-30
        is_past = False
    if not is_past:
        raise PydanticCustomError("past_date", "a date in the past like 1990-01-31, or nothing")
    return value


def _drop_slash(value: str) -> str:
    return value.rstrip("/")


_Secret = Annotated[SecretStr, Field(max_length=_LONGEST_CHARS)]
Key = Annotated[_Secret, AfterValidator(_check_keys)]
CookieValue = Annotated[_Secret, AfterValidator(_check_cookie)]
ProxyUrl = Annotated[_Secret, AfterValidator(_check_proxy)]
"""Secret, since it may hold a password."""

_HTTP_URL: Final = r"https?://[^/\s]+(/\S*)?"
_HTTP_EXPECTED: Final = "an address like https://host or http://host:port/path"

HeaderLine = Annotated[
    str,
    Field(max_length=_LONGEST_CHARS),
    _like(r"[^\r\n\x00]+", "header_line", "one line of text, without line breaks"),
]
Browser = Annotated[str, AfterValidator(_check_profile)]
HttpUrl = Annotated[
    str, Field(max_length=_LONGEST_CHARS), _like(_HTTP_URL, "http_url", _HTTP_EXPECTED), AfterValidator(_check_address)
]
OwnUrl = Annotated[
    str,
    Field(max_length=_LONGEST_CHARS),
    _like(f"({_HTTP_URL})?", "own_url", f"{_HTTP_EXPECTED}, or nothing"),
    AfterValidator(_check_address),
    AfterValidator(_drop_slash),
]
"""An address or nothing; a path can be put behind it as it is."""
SocketUrl = Annotated[
    str,
    Field(max_length=_LONGEST_CHARS),
    _like(r"wss?://[^/\s]+(/\S*)?", "socket_url", "an address like wss://host or ws://host:port/path"),
    AfterValidator(_check_address),
]
PastDate = Annotated[str, AfterValidator(_check_past_date)]

_Name = Annotated[str, Field(min_length=1, max_length=_LONGEST_CHARS)]
Names = Annotated[tuple[_Name, ...], BeforeValidator(_split), Field(max_length=_MOST_ITEMS)]
_Status = Annotated[int, Field(ge=400, le=599)]
Statuses = Annotated[tuple[_Status, ...], BeforeValidator(_split), Field(max_length=_MOST_ITEMS)]
_HeaderName = Annotated[
    str,
    Field(max_length=_LONGEST_CHARS),
    _like(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", "header_name", "names of headers, like X-Name"),
]
_HeaderValue = Annotated[
    str,
    Field(max_length=_LONGEST_CHARS),
    _like(r"[^\r\n\x00]*", "header_value", "values of one line each, without line breaks"),
]
Headers = Annotated[dict[_HeaderName, _HeaderValue], BeforeValidator(_parse_object), Field(max_length=_MOST_ITEMS)]

ImageFormat = Annotated[
    Literal["url", "base64"], BeforeValidator(lambda value: "base64" if value == "b64_json" else value)
]
"""`b64_json` is OpenAI's word for base64."""
