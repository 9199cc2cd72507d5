"""Headers and cookies of a request to grok.com. Source: protocol notes, section 1, column [F]."""

import base64
import mimetypes
import random
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

from pydantic import SecretStr

from grok_app.upstream.base import ErrorKind, UpstreamError

_BAGGAGE: Final = (
    "sentry-environment=production,sentry-release=d6add6fb0460641fd482d767a335ef72b9b6abb8,"
    "sentry-public_key=b311e0f2690c81f25e2c4cf6d4f7ce1c"
)
_FIXED: Final = {
    "Accept": "*/*",
    "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8",
    "Baggage": _BAGGAGE,
    "Content-Type": "application/json",
    "Priority": "u=1, i",
    "Sec-Ch-Ua": '"Google Chrome";v="136", "Chromium";v="136", "Not(A:Brand";v="24"',
    "Sec-Ch-Ua-Arch": "arm",
    "Sec-Ch-Ua-Bitness": "64",
    "Sec-Ch-Ua-Mobile": "?0",
    "Sec-Ch-Ua-Model": "",
    "Sec-Ch-Ua-Platform": '"macOS"',
    "Sec-Fetch-Dest": "empty",
    "Sec-Fetch-Mode": "cors",
}
_GRPC_WEB: Final = {
    "Cache-Control": "no-cache",
    "Content-Type": "application/grpc-web+proto",
    "Pragma": "no-cache",
    "x-grpc-web": "1",
    "x-user-agent": "connect-es/2.1.1",
}
_OPENED: Final = {
    "Accept": (
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
        "application/signed-exchange;v=b3;q=0.7"
    ),
    "Cache-Control": "no-cache",
    "Pragma": "no-cache",
    "Priority": "u=0, i",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-User": "?1",
    "Upgrade-Insecure-Requests": "1",
}
_STATIC_STATSIG: Final = "e:TypeError: Cannot read properties of undefined (reading 'childNodes')"


@dataclass(frozen=True, slots=True)
class GrokWebOptions:
    """How to reach grok.com: what the settings say, read anew for each request."""

    base_url: str = "https://grok.com"
    accounts_url: str = "https://accounts.x.ai"
    assets_url: str = "https://assets.grok.com"
    proxy: str = field(default="", repr=False)
    asset_proxy: str = field(default="", repr=False)
    """For downloads; empty: the same as for everything else."""
    browser: str = "chrome136"
    user_agent: str = ""
    cf_clearance: SecretStr = field(default_factory=lambda: SecretStr(""))
    extra_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    dynamic_statsig: bool = True
    is_temporary: bool = True
    disable_memory: bool = True
    first_frame_timeout_s: float = 60.0
    idle_timeout_s: float = 60.0
    quota_timeout_s: float = 60.0
    setup_timeout_s: float = 60.0
    image_first_frame_timeout_s: float = 60.0
    image_idle_timeout_s: float = 60.0
    video_first_frame_timeout_s: float = 60.0
    video_idle_timeout_s: float = 60.0
    upload_timeout_s: float = 60.0
    download_timeout_s: float = 60.0
    list_timeout_s: float = 60.0
    """For one page."""
    delete_timeout_s: float = 60.0
    voice_timeout_s: float = 60.0


def json_headers(options: GrokWebOptions, credential: str, *, referer_path: str = "/") -> list[bytes]:
    """The header lines of a JSON call to grok.com, `Name: value`, in the order they are sent.

    Extra headers of the settings come last and replace ours of the same name.

    Raises:
        UpstreamError: No cookie can carry the credential.
    """
    session = cookie(credential, options.cf_clearance.get_secret_value())
    return _lines(options, {**_page(options, options.base_url, referer_path), "Cookie": session})


def grpc_headers(options: GrokWebOptions, credential: str, *, referer_path: str) -> list[bytes]:
    """The header lines of a gRPC-web call to grok.com; see `json_headers`."""
    session = cookie(credential, options.cf_clearance.get_secret_value())
    return _lines(options, {**_page(options, options.base_url, referer_path), **_GRPC_WEB, "Cookie": session})


def accounts_headers(options: GrokWebOptions, credential: str, *, referer_path: str) -> list[bytes]:
    """The header lines of a gRPC-web call to the account service; see `json_headers`.

    Cloudflare's clearance is grok.com's and isn't sent to this host.
    """
    session = cookie(credential, "")
    return _lines(options, {**_page(options, options.accounts_url, referer_path), **_GRPC_WEB, "Cookie": session})


def download_headers(options: GrokWebOptions, credential: str, url: str) -> list[bytes]:
    """The header lines of a download, as of a page that is opened; see `json_headers`."""
    page = _page(options, url, "/")
    referer = _origin(options.base_url) + "/"
    is_same = urlsplit(url).hostname == urlsplit(referer).hostname
    session = cookie(credential, options.cf_clearance.get_secret_value())
    content_type = mimetypes.guess_type(urlsplit(url).path)[0] or "application/octet-stream"
    own = {"Content-Type": content_type, "Referer": referer, "Cookie": session}
    return _lines(options, {**page, **_OPENED, **own, "Sec-Fetch-Site": "same-origin" if is_same else "same-site"})


def socket_headers(options: GrokWebOptions, credential: str) -> list[bytes]:
    """The header lines that open a WebSocket on grok.com, section 1.6, beside those of the handshake itself."""
    return _lines(
        options,
        {
            "Origin": _origin(options.base_url),
            "User-Agent": options.user_agent,
            "Accept-Language": _FIXED["Accept-Language"],
            "Cache-Control": "no-cache",
            "Pragma": "no-cache",
            "Cookie": cookie(credential, options.cf_clearance.get_secret_value()),
        },
    )


def cookie(credential: str, cf_clearance: str) -> str:
    """The Cookie header: the session twice, then Cloudflare's clearance where there is one.

    Raises:
        UpstreamError: The credential has characters that no cookie has.
    """
    if not credential.isascii() or not credential.isprintable():
        raise UpstreamError(ErrorKind.INVALID_CREDENTIAL, "The account's credential has characters that no cookie has")
    pair = f"sso={credential}; sso-rw={credential}"
    return f"{pair};cf_clearance={cf_clearance}" if cf_clearance else pair


def statsig_id(*, dynamic: bool) -> str:
    """The `x-statsig-id` of epoch [F] (section 1.5): an error message in base64, fixed or with a random name."""
    return base64.b64encode((_random_error() if dynamic else _STATIC_STATSIG).encode()).decode()


def _random_error() -> str:
    # Nothing here is a secret: the names only differ from request to request, as a browser's would.
    if random.random() < 0.5:  # noqa: S311, PLR2004 - either form, half the time
        name = "".join(random.choices(string.ascii_lowercase + string.digits, k=5))  # noqa: S311 - not a secret
        return f"e:TypeError: Cannot read properties of null (reading 'children['{name}']')"
    name = "".join(random.choices(string.ascii_lowercase, k=10))  # noqa: S311 - not a secret
    return f"e:TypeError: Cannot read properties of undefined (reading '{name}')"


def _page(options: GrokWebOptions, base_url: str, referer_path: str) -> dict[str, str]:
    """What a page of this host sends with any call to its own host, cookies aside."""
    origin = _origin(base_url)
    return {
        **_FIXED,
        "Origin": origin,
        "Referer": origin + referer_path,
        "Sec-Fetch-Site": "same-origin",
        "User-Agent": options.user_agent,
        "x-statsig-id": statsig_id(dynamic=options.dynamic_statsig),
        "x-xai-request-id": str(uuid4()),
    }


def _lines(options: GrokWebOptions, headers: dict[str, str]) -> list[bytes]:
    if options.extra_headers:
        replaced = {name.lower() for name in options.extra_headers}
        headers = {name: value for name, value in headers.items() if name.lower() not in replaced}
        headers.update(options.extra_headers)
    return [_line(name, value) for name, value in headers.items()]


def _origin(base_url: str) -> str:
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}"


def _line(name: str, value: str) -> bytes:
    # curl drops a header whose value is empty unless it ends with a semicolon instead of a colon.
    return f"{name}: {value}".encode() if value else f"{name};".encode()
