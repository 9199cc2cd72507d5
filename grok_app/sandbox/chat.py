"""`POST /rest/app-chat/conversations/new`: from the request to what is streamed, be it text, an edit or a video.

Source: protocol notes, sections 2.2, 2.10, 4.3, 5.2 and 9.1.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from grok_app.catalog import CHAT_MODELS, Cost, Pool
from grok_app.sandbox.accounts import Account
from grok_app.sandbox.answers import IMAGES, compose
from grok_app.sandbox.exchange import Asked, Outcome, Stream, barrier_of
from grok_app.sandbox.faults import ACTING
from grok_app.sandbox.frames import Frames
from grok_app.sandbox.media.edits import EDIT_MODEL, plan_edit
from grok_app.sandbox.media.files import check_attachments
from grok_app.sandbox.media.generated import Gallery, is_withheld
from grok_app.sandbox.media.orders import Order
from grok_app.sandbox.media.videos import plan_video
from grok_app.sandbox.replies import RefusedError, Reply, refusal
from grok_app.sandbox.script import perform
from grok_app.sandbox.state import Sandbox
from grok_app.sandbox.steps import Step
from grok_app.sandbox.words import Call, Feature, Silence, Trouble, Variant, Word, without_words

HIGH_COST_MODES: Final = frozenset(model.upstream_mode for model in CHAT_MODELS.values() if model.cost is Cost.HIGH)
SUPER_MODES: Final = frozenset(model.upstream_mode for model in CHAT_MODELS.values() if Pool.BASIC not in model.pools)

_NO_STREAM: Final = Reply(200, b"")


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What the sandbox reads of a chat request."""

    message: str
    model: str
    mode: str
    fields: dict[str, Any]

    @property
    def is_edit(self) -> bool:
        """Whether a picture shall be edited."""
        return self.model == EDIT_MODEL

    @property
    def is_video(self) -> bool:
        """Whether a video shall be made."""
        tools = self.fields.get("toolOverrides")
        return isinstance(tools, dict) and tools.get("videoGen") is True


def decide_chat(sandbox: Sandbox, asked: Asked) -> Outcome:
    """Answer a chat request, unless a magic word, the tier or the quota forbids it.

    Only what is streamed takes from the quota: 4 for edits, videos and the modes of high cost, else 1.

    Raises:
        RefusedError: The request is malformed, the tier too low or the quota spent.
    """
    request = _read(asked)
    words = asked.words + sandbox.words_of(request.message, Call.CHAT)
    if (barrier := barrier_of(words)) is not None:
        return barrier
    if variant := next((word.effect for word in words if isinstance(word.effect, Variant)), None):
        return variant.of(_NO_STREAM)
    steps = _plan(sandbox, asked.account, request, words)
    _charge(sandbox, asked.account, request)
    return Stream(_twisted(steps, words))


def _read(asked: Asked) -> ChatRequest:
    fields = asked.fields
    message = fields.get("message")
    model = fields.get("modelName") or "grok-3"
    mode = fields.get("modelMode") or ""
    if not isinstance(message, str):
        raise RefusedError(refusal(400, 3, "message must be a string"))
    if not isinstance(model, str) or not isinstance(mode, str):
        raise RefusedError(refusal(400, 3, "modelName and modelMode must be strings"))
    return ChatRequest(message, model, mode, fields)


def _charge(sandbox: Sandbox, account: Account, request: ChatRequest) -> None:
    if request.mode in SUPER_MODES and account.pool is Pool.BASIC:
        raise RefusedError(refusal(403, 7, "This model needs a subscription"))
    is_high = request.is_edit or request.is_video or request.mode in HIGH_COST_MODES
    wait_s = sandbox.accounts.spend(account, Cost.HIGH if is_high else Cost.LOW)
    if wait_s is not None:
        raise RefusedError(refusal(429, 8, "Too many requests", retry_after_s=wait_s))


def _plan(sandbox: Sandbox, account: Account, request: ChatRequest, words: list[Word]) -> Iterable[Step]:
    features = {word.effect for word in words if isinstance(word.effect, Feature)}
    troubles = {word.effect for word in words if isinstance(word.effect, Trouble)}
    pacing = sandbox.pacing.slowed() if Feature.SLOW in features else sandbox.pacing
    prompt = without_words(request.message, ACTING[Call.CHAT])
    frames = Frames(f"{request.model}/{request.mode}")
    if request.is_edit or request.is_video:
        order = Order(sandbox, account, request.message, prompt, request.fields, troubles, frames, pacing)
        return plan_edit(order) if request.is_edit else plan_video(order)
    check_attachments(sandbox, account, request.fields.get("fileAttachments", []))
    withheld = [number for number in range(1, IMAGES + 1) if is_withheld(number, troubles)]
    answer = replace(compose(prompt, request.mode, features), withheld=withheld)
    return perform(request.message, answer, frames, pacing, Gallery(account, sandbox.library))


def _twisted(steps: Iterable[Step], words: list[Word]) -> Iterable[Step]:
    for word in ACTING[Call.CHAT].values():
        if word in words and not isinstance(word.effect, Feature | Reply | Silence | Trouble | Variant):
            steps = word.effect(steps)
    return steps
