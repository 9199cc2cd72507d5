"""The settings of the gateway itself and of its way to Grok. Keys and defaults are grok2api's where it has them."""

from typing import Final, Literal

from pydantic import SecretStr

from grok_app.settings.types import (
    Browser,
    CookieValue,
    HeaderLine,
    Headers,
    HttpUrl,
    ImageFormat,
    Key,
    Names,
    OwnUrl,
    ProxyUrl,
    Section,
    Statuses,
    setting,
)

DEFAULT_USER_AGENT: Final = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/136.0.0.0 Safari/537.36"
)
_NOTHING: Final = SecretStr("")


class AppSection(Section, title="Gateway"):
    """Keys, and how answers look."""

    app_url: OwnUrl = setting("", "Public address", "What links to our files begin with: how clients reach us.")
    app_key: Key = setting(_NOTHING, "Operator's key", "The operator's key, for /v1/admin. Empty: refused.")
    api_key: Key = setting(
        _NOTHING, "API keys", "Keys of programs on /v1, one or several separated by commas. Empty: no check."
    )
    key_requests_per_minute: int = setting(
        0, "Requests per key", "Most requests a minute with one API key on /v1. 0: no limit.", ge=0, le=1_000_000
    )
    key_parallel_streams: int = setting(
        0,
        "Answers per key",
        "Most answers under way at once with one API key, streamed or whole. 0: no limit.",
        ge=0,
        le=100_000,
    )
    public_key: Key = setting(_NOTHING, "Public key", "Key of the studio's visitors. Empty: no check.")
    public_enabled: bool = setting(
        False, "Studio open", "Whether the studio is served: its pages, and its chat at /v1/public."
    )
    language: Literal["en", "zh-CN"] = setting(
        "en", "Language of answers", "Language of the progress lines that we write into answers."
    )
    stream: bool = setting(True, "Stream by default", "Whether a chat streams when the request doesn't say.")
    thinking: bool = setting(True, "Show thinking", "Whether thinking is shown when the request doesn't say.")
    thinking_format: Literal["think_tags", "reasoning_content"] = setting(
        "think_tags", "Form of thinking", "Thinking inside the content between <think> tags, or in a field of its own."
    )
    filter_tags: Names = setting(
        ("xaiartifact", "xai:tool_usage_card", "grok:render"),
        "Hidden markup",
        "Markup elements of Grok's that never reach a client.",
    )
    image_format: ImageFormat = setting(
        "url", "Form of images", "Images as links or as base64 when the request doesn't say; b64_json means base64."
    )
    video_format: Literal["html", "markdown", "url"] = setting(
        "html", "Form of videos", "Videos in a chat as an HTML player, a Markdown link or the bare address."
    )
    temporary: bool = setting(True, "Temporary chats", "Whether Grok forgets the conversation afterwards.")
    disable_memory: bool = setting(True, "No memory", "Whether Grok answers without the account's memory.")
    dynamic_statsig: bool = setting(
        True, "Changing x-statsig-id", "Whether x-statsig-id differs from request to request."
    )
    metrics_public: bool = setting(False, "Open metrics", "Whether /metrics answers without the operator's key.")
    request_log_days: int = setting(
        7, "Keep requests", "How long the list of requests is kept.", unit="days", ge=1, le=365
    )
    log_content: bool = setting(
        False,
        "Keep content",
        "Whether prompts and answers are kept in the list of requests. They may be private. "
        "Off: those kept are deleted.",
    )


class PublicSection(Section, title="Visitors"):
    """What one visitor of the studio may ask for."""

    max_runs_per_address: int = setting(
        3, "Runs per address", "Most chats, image and video runs at once from one address.", ge=1, le=1000
    )
    requests_per_minute: int = setting(
        60, "Requests per minute", "Most requests a minute from one address.", ge=1, le=100_000
    )


class ProxySection(Section, title="Way to Grok"):
    """How we reach Grok."""

    base_proxy_url: ProxyUrl = setting(
        _NOTHING, "Proxy", "http, https, socks4 or socks5 proxy for requests to Grok. Empty: none."
    )
    asset_proxy_url: ProxyUrl = setting(
        _NOTHING, "Proxy for downloads", "Proxy for downloads of images and videos. Empty: the one for requests."
    )
    browser: Browser = setting("chrome136", "TLS profile", "Browser whose TLS we speak, as curl_cffi names it.")
    user_agent: HeaderLine = setting(
        DEFAULT_USER_AGENT, "User-Agent", "User-Agent header; it should belong to the same browser."
    )
    cf_clearance: CookieValue = setting(
        _NOTHING, "cf_clearance", "Cloudflare's clearance cookie, from a browser at the same address."
    )


class UpstreamSection(Section, title="Grok's addresses"):
    """Where Grok is."""

    grok_url: HttpUrl = setting("https://grok.com", "Grok", "Base address of Grok; the sandbox's in a demo.")
    assets_url: HttpUrl = setting("https://assets.grok.com", "Files", "Base address of the files that Grok keeps.")
    accounts_url: HttpUrl = setting("https://accounts.x.ai", "Accounts", "Base address of the account service.")
    extra_headers: Headers = setting({}, "Further headers", "Further headers of every request, as a JSON object.")


class RetrySection(Section, title="Retries"):
    """What happens when Grok refuses."""

    max_retry: int = setting(
        3, "Attempts", "Most accounts tried for one request, and most attempts on one account.", ge=1, le=20
    )
    retry_status_codes: Statuses = setting(
        (401, 403, 429, 502, 503, 504), "Statuses", "Grok's statuses that are worth another attempt."
    )
    retry_backoff_base: float = setting(
        0.5, "First wait", "Wait before the second attempt on the same account.", unit="s", ge=0.01, le=60
    )
    retry_backoff_factor: float = setting(2.0, "Growth", "By what each further wait is longer.", ge=1, le=10)
    retry_backoff_max: float = setting(20.0, "Longest wait", "Longest single wait.", unit="s", ge=0.01, le=300)
    retry_budget: float = setting(
        60.0, "Budget", "Age of a request from which it is not tried again.", unit="s", ge=0, le=600
    )


class TokenSection(Section, title="Accounts"):
    """When the pool asks for quotas, and how it uses its accounts."""

    auto_refresh: bool = setting(True, "Refresh by itself", "Whether Grok is asked for quotas without being told to.")
    refresh_interval_hours: float = setting(
        8, "Refresh, basic", "Time between two refreshes of the basic pool.", unit="h", ge=0.001, le=1000
    )
    super_refresh_interval_hours: float = setting(
        2, "Refresh, super", "Time between two refreshes of the super pool.", unit="h", ge=0.001, le=1000
    )
    fail_threshold: int = setting(
        5, "Failures", "Answers 401 in a row after which an account is expired.", ge=1, le=100
    )
    max_inflight: int = setting(8, "Requests per account", "Most requests at once on one account.", ge=1, le=1000)
    save_delay_ms: int = setting(
        500, "Save delay", "Longest time between a change of an account and its row.", unit="ms", ge=10, le=60_000
    )
