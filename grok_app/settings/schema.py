"""Every runtime setting: its type, its default, what it means. Sections and keys are grok2api's where it has them."""

import re
from typing import Annotated, Any, Final, Literal

import orjson
from curl_cffi.requests import BrowserType
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator

DEFAULT_USER_AGENT: Final = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/136.0.0.0 Safari/537.36"
)
_COOKIE_VALUE: Final = re.compile(r"[!-+\--:<-~]*")
_PROXY: Final = re.compile(r"((https?|socks5h?|socks4a?)://[^\s]+)?")
KEYS: Final = ("app_key", "api_key", "public_key")
"""The keys in section `app` that are made at the first start."""


def _split(value: Any) -> Any:
    """Let the environment write a list as `a,b` or as JSON."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    return orjson.loads(text) if text.startswith("[") else [item.strip() for item in text.split(",") if item.strip()]


def _parse_object(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        raise ValueError('a JSON object like {"X-Name": "value"}') from None


def _check_keys(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    keys = [key.strip() for key in text.split(",")]
    if text and not all(key.isascii() and key.isprintable() and key for key in keys):
        raise ValueError("printable ASCII without blank parts, or nothing at all")
    return SecretStr(text.strip())


def _check_cookie(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if not _COOKIE_VALUE.fullmatch(text):
        raise ValueError("the value of one cookie: no blanks, semicolons or line breaks")
    return SecretStr(text)


Key = Annotated[SecretStr, AfterValidator(_check_keys)]
CookieValue = Annotated[SecretStr, AfterValidator(_check_cookie)]
Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Statuses = Annotated[tuple[Annotated[int, Field(ge=400, le=599)], ...], BeforeValidator(_split)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]
HeaderValue = Annotated[str, Field(pattern=r"^[^\r\n\x00]*$")]
Headers = Annotated[dict[HeaderName, HeaderValue], BeforeValidator(_parse_object)]
HttpUrl = Annotated[str, Field(pattern=r"^https?://[^/\s]+(/[^\s]*)?$")]


def _check_proxy(value: SecretStr) -> SecretStr:
    if not _PROXY.fullmatch(value.get_secret_value()):
        raise ValueError("a URL like http://user:password@host:port or socks5h://host:port")
    return value


ProxyUrl = Annotated[SecretStr, AfterValidator(_check_proxy)]
"""Secret, since it may hold a password."""


class Section(BaseModel):
    """A group of settings. Unknown keys are refused, so that a typo is seen."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class AppSection(Section):
    """Keys, and how answers look."""

    app_key: Key = Field(SecretStr(""), description="The operator's key, for /v1/admin. Empty: refused.")
    api_key: Key = Field(
        SecretStr(""), description="Keys of programs on /v1, one or several separated by commas. Empty: no check."
    )
    public_key: Key = Field(SecretStr(""), description="Key of the studio's visitors. Empty: no check.")
    public_enabled: bool = Field(False, description="Whether the studio's pages are served.")
    stream: bool = Field(True, description="Whether a chat streams when the request doesn't say.")
    thinking: bool = Field(True, description="Whether thinking is shown when the request doesn't say.")
    thinking_format: Literal["think_tags", "reasoning_content"] = Field(
        "think_tags", description="Thinking inside the content between <think> tags, or in a field of its own."
    )
    filter_tags: Names = Field(
        ("xaiartifact", "xai:tool_usage_card", "grok:render"),
        description="Markup elements of Grok's that never reach a client.",
    )
    temporary: bool = Field(True, description="Whether Grok forgets the conversation afterwards.")
    disable_memory: bool = Field(True, description="Whether Grok answers without the account's memory.")
    dynamic_statsig: bool = Field(True, description="Whether x-statsig-id differs from request to request.")


class ProxySection(Section):
    """How we reach Grok."""

    base_proxy_url: ProxyUrl = Field(
        SecretStr(""), description="http, https or socks5 proxy for requests to Grok. Empty: none."
    )
    browser: str = Field("chrome136", description="TLS profile, as curl_cffi names it.")
    user_agent: str = Field(DEFAULT_USER_AGENT, min_length=1, pattern=r"^[^\r\n]+$", description="User-Agent header.")
    cf_clearance: CookieValue = Field(SecretStr(""), description="Cloudflare's clearance cookie, from your browser.")

    @field_validator("browser")
    @classmethod
    def _known_profile(cls, value: str) -> str:
        if value not in BrowserType.__members__:
            raise ValueError("a profile of curl_cffi, like chrome136, chrome146, firefox147 or safari260")
        return value


class UpstreamSection(Section):
    """Where Grok is."""

    grok_url: HttpUrl = Field("https://grok.com", description="Base address of Grok; the sandbox's in a demo.")
    extra_headers: Headers = Field({}, description="Further headers of every request, as a JSON object.")


class RetrySection(Section):
    """What happens when Grok refuses."""

    max_retry: int = Field(3, ge=1, le=20, description="Most accounts tried, and most attempts on one account.")
    retry_status_codes: Statuses = Field((401, 403, 429, 502, 503, 504), description="Statuses worth another attempt.")
    retry_backoff_base: float = Field(0.5, gt=0, le=60, description="First wait on the same account, seconds.")
    retry_backoff_factor: float = Field(2.0, ge=1, le=10, description="Growth of the wait.")
    retry_backoff_max: float = Field(20.0, gt=0, le=300, description="Longest single wait, seconds.")
    retry_budget: float = Field(
        60.0, ge=0, le=600, description="Age of a request from which it is not tried again, seconds."
    )


class TokenSection(Section):
    """The pool of accounts."""

    fail_threshold: int = Field(5, ge=1, le=100, description="401s in a row after which an account is expired.")
    save_delay_ms: int = Field(500, ge=10, le=60_000, description="Longest time between a change and its row, ms.")


class ChatSection(Section):
    """Time limits of a chat."""

    timeout: float = Field(60.0, gt=0, le=3600, description="Longest wait for Grok's first frame, seconds.")
    stream_timeout: float = Field(60.0, gt=0, le=3600, description="Longest silence within an answer, seconds.")


class Settings(Section):
    """All sections: the snapshot that a request reads."""

    app: AppSection = AppSection()
    proxy: ProxySection = ProxySection()
    upstream: UpstreamSection = UpstreamSection()
    retry: RetrySection = RetrySection()
    token: TokenSection = TokenSection()
    chat: ChatSection = ChatSection()


def is_secret(name: str) -> bool:
    """Whether `app.api_key` and the like must be encrypted at rest and never shown."""
    section, _, key = name.partition(".")
    field = Settings.model_fields.get(section)
    if field is None or not isinstance(field.default, Section):
        return False
    return isinstance(getattr(field.default, key, None), SecretStr)
