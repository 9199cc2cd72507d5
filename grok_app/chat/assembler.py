"""From the frames of one answer to its events: one event per token, filtered, counted, nothing kept that grows."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final
from uuid import uuid4

from grok_app.chat.markup import Cursor, MarkupFilter
from grok_app.chat.tools import image_markdown, tool_line
from grok_app.chat.types import Event, Finished, Started, Text, Thought, Usage
from grok_app.phrases import Language, drawing
from grok_app.upstream import (
    CardFrame,
    DrawingFrame,
    EndFrame,
    ErrorKind,
    Frame,
    StartFrame,
    TokenFrame,
    UpstreamError,
)
from grok_app.usage import PICTURE_TOKENS, byte_length, tokens

_TOOL_CARD: Final = "xai:tool_usage_card"
_RENDER: Final = "grok:render"
_CARD_ID: Final = "card_id="
_MOST_AGENTS: Final = 32


class AnswerAssembler:
    """Assembles one answer.

    Thinking that comes after the first text of the answer is dropped, as every later version of Grok's own page does
    (protocol notes, section 2.8.1). A found image stands where the text refers to its card; one that the text never
    refers to comes at the end, and so do the pictures that Grok has drawn.

    Args:
        prompt: What was asked, for the usage.
        filter_tags: The markup elements to take out.
        shows_thinking: Whether `Thought` events are wanted. Hidden thinking still counts as completion tokens.
        language: Of the thoughts that say how far a picture is; None when they are not wanted.
        attached_pictures: How many pictures were given, for the usage.
    """

    def __init__(
        self,
        prompt: str,
        filter_tags: Sequence[str],
        *,
        shows_thinking: bool,
        language: Language | None = None,
        attached_pictures: int = 0,
    ) -> None:
        self._prompt_tokens = tokens(byte_length(prompt)) + attached_pictures * PICTURE_TOKENS
        self._language: Language | None = language
        self._shows_thinking = shows_thinking
        self._filter_tags = filter_tags
        self._thoughts: dict[str | None, MarkupFilter] = {}
        self._thoughts_cursor = Cursor()
        self._text = MarkupFilter(filter_tags, partial(self._replace, shows_cards=True))
        self._id: str | None = None
        self._fingerprint: str | None = None
        self._rollout_id: str | None = None
        self._cards: dict[str, CardFrame] = {}
        self._has_started = False
        self._has_spoken = False
        self._has_text = False
        self._is_mid_line = False
        self._thought_bytes = 0
        self._text_bytes = 0
        self._pictures = 0

    def feed(self, frame: Frame, events: list[Event]) -> None:
        """Add the events that this frame brings; the first ever is `Started`.

        Raises:
            UpstreamError: The answer has ended without a word, or a picture to come.
        """
        if isinstance(frame, TokenFrame):
            self.token(frame, events)
        elif isinstance(frame, StartFrame):
            self._id = frame.response_id or self._id
            self._fingerprint = self._fingerprint or frame.fingerprint
        elif isinstance(frame, CardFrame):
            self._cards[frame.card_id] = frame
        elif isinstance(frame, DrawingFrame):
            self._begin(events)
            self._tell(frame, events)
        elif isinstance(frame, EndFrame):
            self._end(frame, events)

    def show(self, picture: str, events: list[Event], *, is_lost: bool = False) -> None:
        """Add a drawn picture, in Markdown, or what is said in place of a lost one; after the EndFrame."""
        self._start(events)
        events.append(Text([f"\n\n{picture}" if self._has_text else picture]))
        self._has_text = True
        if is_lost:
            self._text_bytes += byte_length(picture)
        else:
            self._pictures += 1

    def finish(self) -> Finished:
        """The last event."""
        return Finished(self._usage())

    def _start(self, events: list[Event]) -> None:
        self._has_spoken = True
        self._begin(events)

    def _begin(self, events: list[Event]) -> None:
        if not self._has_started:
            self._has_started = True
            events.append(Started(self._id or f"chatcmpl-{uuid4().hex}", self._fingerprint))

    def token(self, frame: TokenFrame, events: list[Event]) -> None:
        """See `feed`; almost all frames are of this kind."""
        if not self._has_spoken:
            self._start(events)
        self._rollout_id = frame.rollout_id
        if not frame.is_thinking:
            if self._thoughts:
                self._close_thoughts(events)
            self._say(self._text.feed_all(frame.texts), events)
        elif not self._has_text:
            for text in self._thoughts_of(frame.rollout_id).feed_all(frame.texts):
                self._think(text, events)

    def _think(self, text: str, events: list[Event]) -> None:
        if text:
            self._thought_bytes += byte_length(text)
            self._is_mid_line = not text.endswith("\n")
            if self._shows_thinking:
                events.append(Thought(text))

    def _tell(self, frame: DrawingFrame, events: list[Event]) -> None:
        if self._shows_thinking and self._language:
            line = drawing(self._language, frame.index + 1, frame.percent)
            events.append(Thought(f"\n{line}\n" if self._is_mid_line else f"{line}\n"))
            self._is_mid_line = False

    def _say(self, pieces: Iterable[str], events: list[Event]) -> None:
        if said := list(filter(None, pieces)):
            self._has_text = True
            self._is_mid_line = False
            self._text_bytes += byte_length("".join(said))
            events.append(Text(said))

    def _close_thoughts(self, events: list[Event]) -> None:
        if not self._has_text:
            self._think("".join([thoughts.close() for thoughts in self._thoughts.values()]), events)
            self._thoughts.clear()

    def _thoughts_of(self, rollout_id: str | None) -> MarkupFilter:
        """The filter of this agent: several think side by side, each with cards of its own."""
        if rollout_id not in self._thoughts and len(self._thoughts) < _MOST_AGENTS:
            replace = partial(self._replace, shows_cards=False)
            self._thoughts[rollout_id] = MarkupFilter(self._filter_tags, replace, self._thoughts_cursor)
        return self._thoughts.get(rollout_id) or next(iter(self._thoughts.values()))

    def _end(self, frame: EndFrame, events: list[Event]) -> None:
        self._close_thoughts(events)
        if not self._has_text and frame.message:
            self._start(events)
            self._say([self._text.feed(frame.message)], events)
        self._say([self._text.close()], events)
        for card in tuple(self._cards.values()):
            self._start(events)
            self._say([self._show_card(card, is_first=not self._has_text)], events)
        if not self._has_spoken and not frame.pictures:
            raise UpstreamError(ErrorKind.PROTOCOL, "Grok ended its answer without a word")

    def _show_card(self, card: CardFrame, *, is_first: bool) -> str:
        image = image_markdown(card.title, card.url)
        return image if is_first or not image else f"\n{image}"

    def _replace(self, name: str, element: str, *, shows_cards: bool) -> str:
        if name == _TOOL_CARD:
            line = tool_line(element, self._rollout_id)
            return f"{line}\n" if line else ""
        if name == _RENDER and shows_cards and (card := self._cards.pop(_card_id(element), None)):
            return image_markdown(card.title, card.url)
        return ""

    def _usage(self) -> Usage:
        reasoning = tokens(self._thought_bytes)
        said = tokens(self._text_bytes) + self._pictures * PICTURE_TOKENS
        return Usage(self._prompt_tokens, reasoning + said, reasoning)


def _card_id(element: str) -> str:
    """The card that a `<grok:render card_id="…">` refers to; empty when it refers to none."""
    _, _, after = element.partition(_CARD_ID)
    quote = after[:1]
    return after[1:].partition(quote)[0] if quote in ('"', "'") else ""
