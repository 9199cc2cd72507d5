"""One request as curl is told of it, and what curl's errors mean."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from curl_cffi import Curl, CurlECode, CurlError, CurlHttpVersion, CurlOpt

from grok_app.upstream.base import ErrorKind, UpstreamError

_CONNECT_TIMEOUT_MS: Final = 15_000
_ENCODINGS: Final = "gzip, deflate, br, zstd"
_RAW_FRAMES: Final = 1
"""curl's CURLWS_RAW_MODE: WebSocket frames as they are on the wire, both ways."""


class Source(Protocol):
    """A body that is made while it is sent."""

    @property
    def length(self) -> int | None:
        """In bytes; None for what goes out over a WebSocket."""
        ...

    def read(self, limit_bytes: int, /) -> bytes | int:
        """The next bytes, at most so many; none at the end, curl's CURL_READFUNC_PAUSE when there are none yet."""
        ...

    def seek(self, offset: int, origin: int, /) -> None:
        """Begin again: curl found a kept connection closed and takes another one.

        Raises:
            OSError: It can't.
        """
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """One request: a POST, unless it says otherwise, or a WebSocket where the URL says so."""

    url: str
    headers: Sequence[bytes] = field(repr=False)
    body: bytes | Source = field(repr=False)
    proxy: str = field(repr=False)
    browser: str
    first_byte_timeout_s: float
    idle_timeout_s: float
    method: str = "POST"
    is_http1: bool = False
    """Whether HTTP/2 must not be spoken; never is over a WebSocket."""
    total_timeout_s: float | None = None
    """For all of it; None when each silence alone is limited."""

    @property
    def way(self) -> "Way":
        """How it goes, whatever is sent."""
        return Way(self.proxy, self.browser, self.is_http1)

    @property
    def is_plain(self) -> bool:
        """Whether nothing is set for it that a call before or after it would not set too."""
        return self.method == "POST" and isinstance(self.body, bytes)


class Way(NamedTuple):
    """What a handle keeps from one call to the next."""

    proxy: str
    browser: str
    is_http1: bool


def prepare(curl: Curl, way: Way) -> None:
    """Tell a fresh handle how to send.

    Raises:
        UpstreamError: There is no such browser.
    """
    if curl.impersonate(way.browser, default_headers=False) != 0:
        raise UpstreamError(ErrorKind.PROTOCOL, f"proxy.browser: '{way.browser}' is not a profile of curl_cffi")
    # A browser's profile offers HTTP/2 to plain http too, by `Upgrade: h2c`, which no browser does.
    curl.setopt(CurlOpt.HTTP_VERSION, CurlHttpVersion.V1_1 if way.is_http1 else CurlHttpVersion.V2TLS)
    curl.setopt(CurlOpt.ACCEPT_ENCODING, _ENCODINGS)
    curl.setopt(CurlOpt.PROXY, way.proxy)
    curl.setopt(CurlOpt.NOPROXY, "")  # the environment's NO_PROXY must not show our address where a proxy is set
    curl.setopt(CurlOpt.SUPPRESS_CONNECT_HEADERS, 1)
    curl.setopt(CurlOpt.NOSIGNAL, 1)  # else three system calls a read to keep SIGPIPE off, which Python ignores anyway
    curl.setopt(CurlOpt.CONNECTTIMEOUT_MS, _CONNECT_TIMEOUT_MS)


def load(curl: Curl, call: Call) -> None:
    """Tell a prepared handle what to send."""
    curl.setopt(CurlOpt.URL, call.url)
    _set_body(curl, call)
    curl.setopt(CurlOpt.HTTPHEADER, [*call.headers, b"Expect:"])
    curl.setopt(CurlOpt.TIMEOUT_MS, int((call.total_timeout_s or 0) * 1000))  # 0: none, also after one that had some


def failure(error: BaseException) -> UpstreamError:
    """What an error of curl's means."""
    if not isinstance(error, CurlError):
        return UpstreamError(ErrorKind.PROTOCOL, f"The request could not be carried out: {error}")
    if error.code == CurlECode.OPERATION_TIMEDOUT:
        return UpstreamError(ErrorKind.TIMEOUT, "Grok could not be reached, or was not done, in time")
    name = CurlECode(error.code).name.lower().replace("_", " ") if error.code else "unknown"
    return UpstreamError(ErrorKind.UNAVAILABLE, f"The connection to Grok failed: {name}")


def _set_body(curl: Curl, call: Call) -> None:
    if isinstance(call.body, bytes):
        if call.method == "POST":
            curl.setopt(CurlOpt.POSTFIELDS, call.body)
            curl.setopt(CurlOpt.POSTFIELDSIZE_LARGE, len(call.body))
        elif call.method != "GET":
            curl.setopt(CurlOpt.CUSTOMREQUEST, call.method)
        return
    curl.setopt(CurlOpt.READDATA, call.body)
    curl.setopt(CurlOpt.SEEKDATA, call.body)
    if call.body.length is None:
        # With an upload, curl sends what is read as soon as the socket is open (curl 8.16; seen in 8.21, 2026-11-23).
        curl.setopt(CurlOpt.UPLOAD, 1)
        curl.setopt(CurlOpt.WS_OPTIONS, _RAW_FRAMES)
        curl.setopt(CurlOpt.HTTP_VERSION, CurlHttpVersion.V1_1)
    else:
        curl.setopt(CurlOpt.POST, 1)
        curl.setopt(CurlOpt.POSTFIELDSIZE_LARGE, call.body.length)
