"""Who gets in: keys, open surfaces, proxies that are believed."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from grok_app.cli.doctor.finding import Finding, failure, ok, warning
from grok_app.env import Env
from grok_app.settings import KEYS, Settings

_SHORTEST_CHARS: Final = 16
_EVERYBODYS: Final = frozenset({"grok2api", "admin", "password", "changeme", "secret"})
_WIDEST_BITS: Final = 8
"""Networks of more addresses than that are no proxies."""


def examine_doors(env: Env, settings: Settings, *, are_keys_known: bool) -> Iterator[Finding]:
    """Look at the settings in force; at the keys, where those that are stored could be read."""
    is_open = not is_loopback(env.host)
    if are_keys_known:
        yield from _keys(settings, is_open=is_open)
    if settings.app.metrics_public and is_open:
        yield warning(
            "metrics", "/metrics answers everybody who reaches this machine", "Set app.metrics_public to false"
        )
    if "*" in env.cors_origins:
        yield warning(
            "origins", "pages of every site may call the API", "Name the sites in GROK_APP_CORS_ORIGINS instead of *"
        )
    yield from _proxies(env, is_open=is_open)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _keys(settings: Settings, *, is_open: bool) -> Iterator[Finding]:
    app = settings.app
    if not app.app_key.get_secret_value():
        yield warning(
            "operator's key",
            "none is set, so nobody gets into the console",
            "Start it once, or set GROK_APP_APP__APP_KEY",
        )
    if not app.api_key.get_secret_value():
        say = failure if is_open else warning
        yield say("API key", "none is set: everybody who reaches this machine uses your accounts", "Set app.api_key")
    if app.public_enabled and not app.public_key.get_secret_value():
        yield warning("public key", "the studio is on and needs none: everybody may use it", "Set app.public_key")
    weak = [name for name in KEYS if any(map(_is_weak, getattr(app, name).get_secret_value().split(",")))]
    for name in weak:
        yield warning(
            "keys",
            f"app.{name} can be guessed: it is short, or a word that everybody tries first",
            "Make a better one: openssl rand -base64 24",
        )
    if not weak:
        yield ok("keys", "those that are set can't be guessed")


def _is_weak(key: str) -> bool:
    key = key.strip()
    return bool(key) and (len(key) < _SHORTEST_CHARS or key.lower() in _EVERYBODYS)


def _proxies(env: Env, *, is_open: bool) -> Iterator[Finding]:
    wide = [str(network) for network in env.trusted_proxies if network.prefixlen < _WIDEST_BITS]
    if wide:
        yield failure(
            "proxies",
            f"GROK_APP_TRUSTED_PROXIES believes {', '.join(wide)}: anybody can write an address of their choice",
            "Name the addresses of your own proxies alone",
        )
    elif env.trusted_proxies:
        yield ok("proxies", f"{', '.join(map(str, env.trusted_proxies))} may say who asks")
    elif is_open:
        yield ok("proxies", "none is believed; name yours in GROK_APP_TRUSTED_PROXIES if one stands before this server")
