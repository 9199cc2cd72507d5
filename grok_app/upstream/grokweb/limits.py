"""How much an account has left. Source: protocol notes, sections 6.1 and 11.16, epoch [F]."""

from typing import Final

import orjson

from grok_app.upstream.base import Quota
from grok_app.upstream.grokweb.headers import GrokWebOptions, json_headers
from grok_app.upstream.grokweb.transport import Transport
from grok_app.upstream.grokweb.unary import Question, Reply, ask

LIMITS_PATH: Final = "/rest/rate-limits"
_BODY: Final = orjson.dumps({"requestKind": "DEFAULT", "modelName": "grok-4-1-thinking-1129"})
_ABOUT: Final = "the quota"
_HIGHEST_NUMBER: Final = 1_000_000
"""More than that is taken for that: no account has it, and no column need hold it."""


async def ask_quota(transport: Transport, options: GrokWebOptions, credential: str) -> Quota:
    """See `Upstream.quota`."""
    headers = json_headers(options, credential)
    url = options.base_url.rstrip("/") + LIMITS_PATH
    reply = await ask(transport, options, Question(url, headers, _BODY, options.quota_timeout_s))
    return read_quota(reply)


def read_quota(reply: Reply) -> Quota:
    """The quota that a reply tells: `remainingTokens`, or where that is missing or null `remainingQueries`.

    A window that makes no sense is as good as none; a number of what is left is needed.

    Raises:
        UpstreamError: There is no success, no JSON object, or neither number, or not a whole one from 0 up.
    """
    parsed = reply.told(_ABOUT)
    name = "remainingTokens" if parsed.get("remainingTokens") is not None else "remainingQueries"
    remaining = _whole(parsed.get(name))
    if remaining is None:
        raise reply.nonsense(_ABOUT, f"has no whole number '{name}' from 0 up")
    return Quota(remaining, _whole(parsed.get("windowSizeSeconds")) or None)


def _whole(value: object) -> int | None:
    """A whole number from 0 up, as an integer or as a float like `7.0`; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return None
    return min(int(value), _HIGHEST_NUMBER) if isinstance(value, int) or value.is_integer() else None
