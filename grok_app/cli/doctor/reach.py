"""The way to Grok: each of its hosts is asked for one page, with no account."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final, cast
from urllib.parse import urlsplit

from curl_cffi import CurlECode
from curl_cffi.requests import AsyncSession, BrowserTypeLiteral, Response
from curl_cffi.requests.exceptions import RequestException

from grok_app.cli.doctor.finding import Finding, failure, ok, warning
from grok_app.settings import Settings

_PATIENCE_S: Final = 10.0
_MOST_AHEAD_S: Final = 5.0
"""`Date` has whole seconds, and an answer takes some time."""
_REFUSED: Final = (401, 403, 407, 429, 503)
_REASONS: Final[Mapping[int, str]] = {
    CurlECode.COULDNT_RESOLVE_HOST: "its name is unknown",
    CurlECode.COULDNT_RESOLVE_PROXY: "the proxy's name is unknown",
    CurlECode.COULDNT_CONNECT: "nobody answers there",
    CurlECode.OPERATION_TIMEDOUT: f"no answer within {_PATIENCE_S:.0f} s",
    CurlECode.PEER_FAILED_VERIFICATION: "its certificate is not valid",
    CurlECode.SSL_CONNECT_ERROR: "TLS could not be agreed on",
}


@dataclass(frozen=True, slots=True)
class _Place:
    """What is asked, and how."""

    name: str
    url: str
    proxy: str
    say: Callable[[str, str, str], Finding]
    """What it is when nobody answers."""
    headers: Mapping[str, str]
    """Beside the browser's own."""


async def examine_reach(settings: Settings) -> list[Finding]:
    """Ask Grok, its files and the voice server, at once, as a browser would through the proxy of the settings."""
    upstream, proxy = settings.upstream, settings.proxy
    base, files = proxy.base_proxy_url.get_secret_value(), proxy.asset_proxy_url.get_secret_value()
    voice = settings.voice.livekit_url.replace("ws", "http", 1)
    ours = _identity(settings)
    places = (
        _Place("Grok", upstream.grok_url, base, failure, ours),
        _Place("Grok's files", upstream.assets_url, files or base, failure, ours),
        _Place("voice", voice, "", warning, {}),  # browsers go there themselves, and by other ways perhaps
    )
    async with AsyncSession[Response](
        impersonate=cast("BrowserTypeLiteral", proxy.browser),
        timeout=_PATIENCE_S,
        allow_redirects=False,
        trust_env=False,
    ) as session:
        answers = await asyncio.gather(*(_ask(session, place) for place in places))
    return [*(finding for finding, _ in answers), *_clock([ahead for _, ahead in answers if ahead is not None])]


def _identity(settings: Settings) -> dict[str, str]:
    """What the clearance was given to; nobody but Grok may have it."""
    clearance, agent = settings.proxy.cf_clearance.get_secret_value(), settings.proxy.user_agent
    headers = {"user-agent": agent, "cookie": clearance and f"cf_clearance={clearance}"}
    return {name: value for name, value in headers.items() if value}


async def _ask(session: AsyncSession[Response], place: _Place) -> tuple[Finding, float | None]:
    """What was found, and by how much the other clock is ahead of ours, if it says."""
    host = urlsplit(place.url).netloc
    began_at = time.time()
    try:
        answer = await session.get(place.url, headers=place.headers, proxy=place.proxy or None)
    except RequestException as error:
        way = "the proxy, " if place.proxy else ""
        text = f"{host} can't be reached: {_REASONS.get(error.code, 'the connection broke')}"
        return place.say(place.name, text, f"Check {way}the network and name servers"), None
    took_s = time.time() - began_at
    told = f"{host} answers in {took_s * 1000:.0f} ms, status {answer.status_code}"
    if place.name == "Grok" and answer.status_code in _REFUSED:
        advice = "Set proxy.cf_clearance and proxy.user_agent from a browser that gets in, or proxy.base_proxy_url"
        return warning(place.name, f"{told}: it refuses us", advice), _ahead(answer, took_s)
    return ok(place.name, told), _ahead(answer, took_s)


def _ahead(answer: Response, took_s: float) -> float | None:
    try:
        return parsedate_to_datetime(answer.headers.get("date") or "").timestamp() + 0.5 - (time.time() - took_s / 2)
    except ValueError:  # none, or not a date
        return None


def _clock(ahead_s: Sequence[float]) -> list[Finding]:
    if not ahead_s:
        return []
    off_s = min(ahead_s, key=abs)
    if abs(off_s) > _MOST_AHEAD_S:
        return [warning("clock", f"ours is {-off_s:+.0f} s off", "Let this machine ask an NTP server")]
    return [ok("clock", "ours agrees with others'")]
