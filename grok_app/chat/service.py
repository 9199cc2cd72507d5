"""The chat use case: which model, which account, what the caller gets to see."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
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

    async def stream(self, request: ChatRequest, *, shows_progress: bool = True) -> AsyncGenerator[Event, None]:
        """Give the events of the answer as they come: `Started`, then text and thoughts, `Finished` last.

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
        assembler = _assembler(request, settings, shows_progress=shows_progress)
        # Files, then images: the order that Grok's own page has (API contract, section 5.2).
        attached = sorted(request.attachments, key=lambda source: source.kind is SourceKind.IMAGE)
        take = _begin_record(request, settings)
        with as_gateway_errors():
            async with (
                self._files.sources.open(attached, request.own_url) as files,
                aclosing(self._frames(request, model, settings, files)) as frames,
            ):
                async for frame in frames:
                    for event in take(assembler, frame):
                        yield event
        for event in assembler.finish():
            _note(event)
            yield event

    def _frames(
        self, request: ChatRequest, model: Model, settings: Settings, files: list[Upload]
    ) -> AsyncGenerator[Frame | _Shown, None]:
        attached = PerAccount(self._files.transfer, files)
        message = flatten(request.messages)

        async def ask(lease: Lease) -> AsyncGenerator[Frame | _Shown, None]:
            credential = lease.credential.get_secret_value()
            ids = tuple(uploaded.id for uploaded in await attached.of(credential))
            prompt = _prompt(request, model, message, ids)
            has_text = False
            pictures: tuple[str, ...] = ()
            async with aclosing(self._upstream.chat(credential, prompt)) as frames:
                async for frame in frames:
                    has_text = has_text or (isinstance(frame, TokenFrame) and not frame.is_thinking)
                    if isinstance(frame, EndFrame):
                        has_text, pictures = has_text or bool(frame.message), frame.pictures
                    yield frame
            shown = self._pictures(credential, pictures, request.own_url, settings, is_optional=has_text)
            async with aclosing(shown):
                async for picture in shown:
                    yield picture

        failover = Failover(self._accounts, settings)
        return failover.run(model.pools, model.cost, ask, begins=_is_word)

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


def _events(assembler: AnswerAssembler, frame: Frame | _Shown) -> Iterator[Event]:
    if isinstance(frame, _Shown):
        return assembler.show(frame.markdown, is_lost=frame.is_lost)
    return assembler.feed(frame)


def _begin_record(
    request: ChatRequest, settings: Settings
) -> Callable[[AnswerAssembler, Frame | _Shown], Iterator[Event]]:
    """Note what is asked; how to make events of a frame, noted too where content is kept."""
    keeps_content = settings.app.log_content and current_trace.get() is not None
    prompt = flatten(request.messages) if keeps_content else ""
    note_request(request.model, prompt, keeps_content=keeps_content)
    return _noted_events if keeps_content else _events


def _noted_events(assembler: AnswerAssembler, frame: Frame | _Shown) -> Iterator[Event]:
    for event in _events(assembler, frame):
        _note(event)
        yield event


def _note(event: Event) -> None:
    if isinstance(event, Finished):
        note_tokens(event.usage.prompt_tokens, event.usage.completion_tokens)
    elif isinstance(event, Text) and (trace := current_trace.get()):
        trace.say(event.text)


def _is_word(frame: Frame | _Shown) -> bool:
    return not isinstance(frame, StartFrame | CardFrame)


def _assembler(request: ChatRequest, settings: Settings, *, shows_progress: bool) -> AnswerAssembler:
    return AnswerAssembler(
        flatten(request.messages),
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


async def gather(events: AsyncGenerator[Event, None]) -> Answer:
    """The whole answer that these events make."""
    started, usage = Started("", None), Usage(0, 0, 0)
    thinking: list[str] = []
    text: list[str] = []
    async with aclosing(events):
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


def shows_thinking(effort: ReasoningEffort | None, settings: Settings) -> bool:
    """Whether thinking, and progress beside it, is shown to a caller who asks for this effort."""
    return settings.app.thinking if effort is None else effort != "none"
