"""Addresses of files at Grok. Source: protocol notes, sections 3.3 and 3.4."""

import re
from typing import Final
from urllib.parse import urlsplit

from grok_app.upstream.base import ErrorKind, UpstreamError
from grok_app.upstream.grokweb.headers import GrokWebOptions

_FILES: Final = "https://assets.grok.com"
_PICTURE_HOSTS: Final = frozenset((("https", "imagine-public.x.ai"), ("https", "imgen.x.ai")))
_ID: Final = re.compile(r"/(?:generated|users/[^/]+)/([0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12})/", re.IGNORECASE)


def absolute(address: str) -> str:
    """The address as Grok itself names it; a path is one on its host of files."""
    return address if "://" in address else f"{_FILES}/{address.lstrip('/')}"


def trusted(options: GrokWebOptions, address: str) -> str:
    """The absolute address, on a host that may see an account's cookie; Grok's host of files is where the options say.

    Raises:
        UpstreamError: It is somewhere else, or no address.
    """
    url = absolute(address)
    if url.startswith(f"{_FILES}/"):
        url = options.assets_url.rstrip("/") + url.removeprefix(_FILES)
    if not url.isascii() or not url.isprintable() or " " in url:
        raise UpstreamError(ErrorKind.PROTOCOL, "Grok gave an address of a file that has characters no address has")
    found, own = urlsplit(url), urlsplit(options.assets_url)
    place = (found.scheme.lower(), found.netloc.lower())
    if place != (own.scheme.lower(), own.netloc.lower()) and place not in _PICTURE_HOSTS:
        raise UpstreamError(ErrorKind.PROTOCOL, f"Grok gave an address of a file on a strange host: {found.hostname}")
    return url


def asset_id(address: str) -> str | None:
    """The id of the file, picture or video that an address is of; None when it has none."""
    match = _ID.search(f"/{address}")
    return match[1] if match else None
