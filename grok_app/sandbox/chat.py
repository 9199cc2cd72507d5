"""`POST /rest/app-chat/conversations/new`: from the request to what is streamed.

Source: protocol notes, sections 2.2, 2.10 and 9.1.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from grok_app.catalog import MODELS, Cost, Pool
from grok_app.sandbox.accounts import Account
from grok_app.sandbox.answers import compose
from grok_app.sandbox.exchange import Asked, Outcome, Stream, barrier_of
from grok_app.sandbox.faults import ACTING
from grok_app.sandbox.frames import Frames
from grok_app.sandbox.replies import RefusedError, Reply, refusal
from grok_app.sandbox.script import perform
from grok_app.sandbox.state import Sandbox
from grok_app.sandbox.steps import Pacing, Step
from grok_app.sandbox.words import Call, Feature, Silence, Variant, Word, without_words

HIGH_COST_MODES: Final = frozenset(model.upstream_mode for model in MODELS.values() if model.cost is Cost.HIGH)
SUPER_MODES: Final = frozenset(model.upstream_mode for model in MODELS.values() if Pool.BASIC not in model.pools)


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What the sandbox reads of a chat request."""

    message: str
    model: str
    mode: str


def decide_chat(sandbox: Sandbox, asked: Asked) -> Outcome:
    """Answer a chat request, unless a magic word, the tier or the quota forbids it.

    Only what is streamed takes from the quota: 4 for the modes of high cost, else 1.

    Raises:
        RefusedError: The request is malformed, the tier too low or the quota spent.
    """
    request = _read(asked)
    words = asked.words + sandbox.words_of(request.message, Call.CHAT)
    if (barrier := barrier_of(words)) is not None:
        return barrier
    _charge(sandbox, asked.account, request.mode)
    return Stream(_twisted(_performance(request, words, sandbox.pacing), words))


def _read(asked: Asked) -> ChatRequest:
    fields = asked.fields
    message = fields.get("message")
    model = fields.get("modelName") or "grok-3"
    mode = fields.get("modelMode") or ""
    if not isinstance(message, str):
        raise RefusedError(refusal(400, 3, "message must be a string"))
    if not isinstance(model, str) or not isinstance(mode, str):
        raise RefusedError(refusal(400, 3, "modelName and modelMode must be strings"))
    return ChatRequest(message, model, mode)


def _charge(sandbox: Sandbox, account: Account, mode: str) -> None:
    if mode in SUPER_MODES and account.pool is Pool.BASIC:
        raise RefusedError(refusal(403, 7, "This model needs a subscription"))
    wait_s = sandbox.accounts.spend(account, Cost.HIGH if mode in HIGH_COST_MODES else Cost.LOW)
    if wait_s is not None:
        raise RefusedError(refusal(429, 8, "Too many requests", retry_after_s=wait_s))


def _performance(request: ChatRequest, words: list[Word], pacing: Pacing) -> Iterable[Step]:
    features = {word.effect for word in words if isinstance(word.effect, Feature)}
    if Feature.SLOW in features:
        pacing = replace(pacing, first_token_s=pacing.first_token_s + pacing.slow_s)
    answer = compose(without_words(request.message, ACTING[Call.CHAT]), request.mode, features)
    return perform(request.message, answer, Frames(f"{request.model}/{request.mode}"), pacing)


def _twisted(steps: Iterable[Step], words: list[Word]) -> Iterable[Step]:
    for word in ACTING[Call.CHAT].values():
        if word in words and not isinstance(word.effect, Feature | Reply | Silence | Variant):
            steps = word.effect(steps)
    return steps
