"""`POST /rest/rate-limits`: how much is left. Source: protocol notes, sections 6.1 and 11.16."""

from typing import Final

from grok_app.catalog import CHAT_MODELS
from grok_app.sandbox.exchange import Asked, Outcome
from grok_app.sandbox.replies import RefusedError, json_reply, refusal
from grok_app.sandbox.state import Sandbox

KNOWN_MODELS: Final = frozenset(model.upstream_model for model in CHAT_MODELS.values())


def decide_limits(_sandbox: Sandbox, asked: Asked) -> Outcome:
    """Tell the quota of the account, the same for every model: what chat took is missing.

    Raises:
        RefusedError: The body is no JSON object or names no known model.
    """
    if asked.fields.get("modelName") not in KNOWN_MODELS:
        raise RefusedError(refusal(400, 3, "modelName is not a model of this account"))
    account = asked.account
    return json_reply(
        {
            "windowSizeSeconds": account.window_s,
            "remainingQueries": account.remaining,
            "totalQueries": account.total,
            "lowEffortRateLimits": None,
            "highEffortRateLimits": None,
        }
    )
