"""A credential as people paste it, and as we keep it."""

from typing import Final

from grok_app.errors import InvalidRequestError

_LIMIT_CHARS: Final = 16_384
_SHORTEST_CHARS: Final = 4
_SHOWN: Final = ((16, 4), (10, 2))
"""Of a token this long, so many characters are shown at each end."""
_MANGLED: Final = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-") | dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff", "")
)
"""What word processors and chats make of hyphens, and what they slip in."""


def normalize(pasted: str) -> str:
    """The bare SSO token of `sso=<T>`, `<T>` or `<T>; other=…`. Source: protocol notes, section 1.1.

    Dashes that were hyphens before someone copied them are hyphens again; invisible characters are gone.

    Raises:
        InvalidRequestError: Nothing is left, or it has characters that no cookie has. The message never quotes it.
    """
    token = strip(pasted)
    if not _SHORTEST_CHARS <= len(token) <= _LIMIT_CHARS:
        raise InvalidRequestError("A token has 4 to 16384 characters", code="invalid_token")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise InvalidRequestError("A token has no spaces, line breaks or accents", code="invalid_token")
    return token


def mask(pasted: str) -> str:
    """Enough of a token to know it again, too little to use it: `abcd…wxyz`; of a short one less, or nothing."""
    bare = strip(pasted)
    text = bare if bare.isprintable() else "".join(c if c.isprintable() else " " for c in bare)
    shown = _shown(text)
    return f"{text[:shown]}…{text[-shown:]}" if shown else "…"


def ending(token: str) -> str:
    """What the mask shows of the end of a token that was normalized."""
    shown = _shown(token)
    return token[-shown:] if shown else ""


def strip(pasted: str) -> str:
    """What stands between `sso=` and the first semicolon, be it a token or not."""
    # Translating costs ten times the rest, and all of 10,000 accounts are masked at once (2026-11-28).
    token = (pasted if pasted.isascii() else pasted.translate(_MANGLED)).strip()
    if token[:4].lower() == "sso=":
        token = token[4:]
    return token.partition(";")[0].strip()


def _shown(token: str) -> int:
    for length, count in _SHOWN:
        if len(token) >= length:
            return count
    return 0
