"""The chat use case: which model, which account, what the caller gets to see."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from grok_app.accounts import Accounts
from grok_app.catalog import MODELS, Model
from grok_app.chat.assembler import AnswerAssembler
from grok_app.chat.failover import Failover
from grok_app.chat.prompt import flatten
from grok_app.chat.types import Answer, ChatRequest, Event, Finished, Started, Text, Thought, Usage
from grok_app.errors import (
    GatewayError,
    PermissionDeniedError,
    RateLimitedError,
    UpstreamFailedError,
    UpstreamTimeoutError,
)
from grok_app.settings import Settings, SettingsService
from grok_app.upstream import ChatPrompt, ErrorKind, Upstream, UpstreamError


class ChatService:
    """Answers conversations."""

    def __init__(self, upstream: Upstream, accounts: Accounts, settings: SettingsService) -> None:
        self._upstream = upstream
        self._accounts = accounts
        self._settings = settings

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Event, None]:
        """Give the events of the answer as they come: `Started`, then text and thoughts, `Finished` last.

        Consume it under `aclosing`: closing it ends the request at Grok and returns the account. An answer counts
        against the account's quota once the generator has run to its end.

        Raises:
            GatewayError: No account could answer, or the answer broke off.
        """
        settings = self._settings.snapshot
        model = MODELS[request.model]
        prompt = _prompt(request, model)
        shows_thinking = _shows_thinking(request, settings)
        assembler = AnswerAssembler(prompt.message, settings.app.filter_tags, shows_thinking=shows_thinking)
        failover = Failover(self._upstream, self._accounts, settings)
        try:
            async with aclosing(failover.frames(model, prompt)) as frames:
                async for frame in frames:
                    for event in assembler.feed(frame):
                        yield event
        except UpstreamError as error:
            raise _as_gateway_error(error) from error

    async def answer(self, request: ChatRequest) -> Answer:
        """Give the whole answer at once.

        Raises:
            GatewayError: As `stream` does.
        """
        started, usage = Started("", None), Usage(0, 0, 0)
        thinking: list[str] = []
        text: list[str] = []
        async with aclosing(self.stream(request)) as events:
            async for event in events:
                match event:
                    case Thought():
                        thinking.append(event.text)
                    case Text():
                        text.append(event.text)
                    case Started():
                        started = event
                    case Finished():
                        usage = event.usage
        return Answer(started.id, started.fingerprint, "".join(thinking), "".join(text), usage)


def _prompt(request: ChatRequest, model: Model) -> ChatPrompt:
    return ChatPrompt(
        message=flatten(request.messages),
        model=model.upstream_model,
        mode=model.upstream_mode,
        temperature=request.temperature,
        top_p=request.top_p,
        reasoning_effort=request.reasoning_effort,
    )


def _shows_thinking(request: ChatRequest, settings: Settings) -> bool:
    if request.reasoning_effort is not None:
        return request.reasoning_effort != "none"
    return settings.app.thinking


def _as_gateway_error(error: UpstreamError) -> GatewayError:
    message = str(error)
    match error.kind:
        case ErrorKind.RATE_LIMITED:
            return RateLimitedError("No available tokens. Please try again later.", retry_after_s=error.retry_after_s)
        case ErrorKind.MODERATED:
            return PermissionDeniedError(message, code="content_policy_violation")
        case ErrorKind.TIMEOUT:
            return UpstreamTimeoutError(message)
        case _:
            return UpstreamFailedError(message)
