"""The chat use case: which model, which account, what the caller gets to see."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from pybase64 import b64encode

from grok_app.accounts import Accounts, Failover, Lease, as_gateway_errors
from grok_app.catalog import CHAT_MODELS, Model
from grok_app.chat.assembler import AnswerAssembler
from grok_app.chat.prompt import flatten
from grok_app.chat.types import (
    Answer,
    ChatRequest,
    Event,
    Finished,
    ReasoningEffort,
    Started,
    Text,
    Thought,
    Usage,
)
from grok_app.errors import GatewayError
from grok_app.logs import get_logger
from grok_app.media import Entry, Files, Kind, PerAccount, SourceKind, content_type, path_of
from grok_app.phrases import lost_picture
from grok_app.settings import Settings, SettingsService
from grok_app.trace import current_trace, note_request, note_tokens
from grok_app.upstream import (
    CardFrame,
    ChatPrompt,
    EndFrame,
    Frame,
    StartFrame,
    TokenFrame,
    Upload,
    Upstream,
    UpstreamError,
)

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A drawn picture in Markdown, or what stands in its place."""

    markdown: str
    is_lost: bool = False


_Burst = Sequence[Frame | _Shown]


class ChatService:
    """Answers conversations.

    Args:
        upstream: Who answers.
        accounts: Who asks.
        files: What callers attach, and what Grok draws.
        settings: How answers look.
    """

    def __init__(self, upstream: Upstream, accounts: Accounts, files: Files, settings: SettingsService) -> None:
        self._upstream = upstream
        self._accounts = accounts
        self._files = files
        self._settings = settings

    async def stream(self, request: ChatRequest, *, shows_progress: bool = True) -> AsyncGenerator[list[Event], None]:
        """Give the events of the answer as they come: `Started`, then text and thoughts, `Finished` last.

        Events of what arrived together come together, never none at all.

        Consume it under `aclosing`: closing it ends the request at Grok and returns the account. An answer counts
        against the account's quota once the generator has run to its end.

        Args:
            request: What to answer.
            shows_progress: Whether a caller who is shown thinking is told how far the pictures of the answer are.

        Raises:
            GatewayError: An attachment is no good, no account could answer, or the answer broke off.
        """
        settings = self._settings.snapshot
        model = CHAT_MODELS[request.model]
        prompt = flatten(request.messages)
        assembler = _assembler(request, prompt, settings, shows_progress=shows_progress)
        # Files, then images: the order that Grok's own page has (API contract, section 5.2).
        attached = sorted(request.attachments, key=lambda source: source.kind is SourceKind.IMAGE)
        note = _begin_record(request, prompt, settings)
        with as_gateway_errors():
            async with (
                self._files.sources.open(attached, request.own_url) as files,
                aclosing(self._frames(request, prompt, model, settings, files)) as frames,
            ):
                async for burst in frames:
                    events, failure = _assemble(assembler, burst)
                    note(events)
                    if events:
                        yield events
                    if failure:
                        raise failure
        finished = assembler.finish()
        note_tokens(finished.usage.prompt_tokens, finished.usage.completion_tokens)
        yield [finished]

    def _frames(
        self, request: ChatRequest, message: str, model: Model, settings: Settings, files: list[Upload]
    ) -> AsyncGenerator[_Burst, None]:
        attached = PerAccount(self._files.transfer, files)

        async def ask(lease: Lease) -> AsyncGenerator[_Burst, None]:
            credential = lease.credential.get_secret_value()
            ids = tuple(uploaded.id for uploaded in await attached.of(credential))
            prompt = _prompt(request, model, message, ids)
            has_text = False
            pictures: tuple[str, ...] = ()
            async with aclosing(self._upstream.chat(credential, prompt)) as bursts:
                async for burst in bursts:
                    has_text = has_text or any(map(_is_text, burst))
                    if isinstance(end := burst[-1], EndFrame):
                        pictures = end.pictures
                    yield burst
            if pictures:
                shown = self._pictures(credential, pictures, request.own_url, settings, is_optional=has_text)
                async with aclosing(shown):
                    async for picture in shown:
                        yield [picture]

        failover = Failover(self._accounts, settings)
        return failover.run(model.pools, model.cost, ask, begins=_has_word)

    async def _pictures(
        self, credential: str, addresses: tuple[str, ...], own_url: str, settings: Settings, *, is_optional: bool
    ) -> AsyncGenerator[_Shown, None]:
        """The drawn pictures in Grok's order, all on their way at once.

        Raises:
            UpstreamError: None of them could be had, and they are not optional.
        """
        tasks = [asyncio.create_task(self._files.transfer.keep(credential, Kind.IMAGE, at)) for at in addresses]
        lost: list[UpstreamError | GatewayError] = []
        try:
            for task in tasks:
                try:
                    yield _Shown(await self._markdown(await task, own_url, settings))
                except (UpstreamError, GatewayError) as error:
                    log.warning("a picture of an answer was lost", reason=str(error))
                    lost.append(error)
                    if is_optional:
                        yield _Shown(lost_picture(settings.app.language), is_lost=True)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if lost and len(lost) == len(tasks) and not is_optional:
            raise lost[0]

    async def _markdown(self, entry: Entry, own_url: str, settings: Settings) -> str:
        title = entry.name.rpartition(".")[0]
        if settings.app.image_format == "url":
            return f"![{title}]({own_url}{path_of(entry.kind, entry.name)})"
        content = b64encode(await self._files.cache.read(entry.kind, entry.name)).decode()
        return f"![{title}](data:{content_type(entry)};base64,{content})"


def _assemble(assembler: AnswerAssembler, burst: _Burst) -> tuple[list[Event], UpstreamError | None]:
    """The events of what arrived together, and what then ended the answer, if something did."""
    events: list[Event] = []
    try:
        for frame in burst:
            if isinstance(frame, TokenFrame):
                assembler.token(frame, events)
            elif isinstance(frame, _Shown):
                assembler.show(frame.markdown, events, is_lost=frame.is_lost)
            else:
                assembler.feed(frame, events)
    except UpstreamError as error:
        return events, error
    return events, None


def _begin_record(request: ChatRequest, prompt: str, settings: Settings) -> Callable[[list[Event]], None]:
    """Note what is asked; what notes the answer, where content is kept."""
    trace = current_trace.get()
    keeps_content = settings.app.log_content and trace is not None
    note_request(request.model, prompt if keeps_content else "", keeps_content=keeps_content)

    def note(events: list[Event]) -> None:
        if keeps_content and trace:
            for event in events:
                if isinstance(event, Text):
                    trace.say("".join(event.pieces))

    return note


def _is_text(frame: Frame) -> bool:
    """Whether this is a part of the answer proper, or says that there was one."""
    if isinstance(frame, TokenFrame):
        return not frame.is_thinking
    return isinstance(frame, EndFrame) and bool(frame.message)


def _has_word(burst: _Burst) -> bool:
    return any(not isinstance(frame, StartFrame | CardFrame) for frame in burst)


def _assembler(request: ChatRequest, prompt: str, settings: Settings, *, shows_progress: bool) -> AnswerAssembler:
    return AnswerAssembler(
        prompt,
        settings.app.filter_tags,
        shows_thinking=shows_thinking(request.reasoning_effort, settings),
        language=settings.app.language if shows_progress else None,
        attached_pictures=sum(source.kind is SourceKind.IMAGE for source in request.attachments),
    )


def _prompt(request: ChatRequest, model: Model, message: str, attachments: tuple[str, ...]) -> ChatPrompt:
    return ChatPrompt(
        message=message,
        model=model.upstream_model,
        mode=model.upstream_mode,
        temperature=request.temperature,
        top_p=request.top_p,
        reasoning_effort=request.reasoning_effort,
        attachments=attachments,
    )


async def gather(bursts: AsyncGenerator[Sequence[Event], None]) -> Answer:
    """The whole answer that these events make."""
    started, usage = Started("", None), Usage(0, 0, 0)
    thinking: list[str] = []
    text: list[str] = []
    async with aclosing(bursts):
        async for burst in bursts:
            for event in burst:
                match event:
                    case Thought():
                        thinking.append(event.text)
                    case Text():
                        text += event.pieces
                    case Started():
                        started = event
                    case Finished():
                        usage = event.usage
    return Answer(started.id, started.fingerprint, "".join(thinking), "".join(text), usage)


def shows_thinking(effort: ReasoningEffort | None, settings: Settings) -> bool:
    """Whether thinking, and progress beside it, is shown to a caller who asks for this effort."""
    return settings.app.thinking if effort is None else effort != "none"
