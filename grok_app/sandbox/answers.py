"""What the simulated model thinks and says: believable Markdown, the same for the same question."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from grok_app.sandbox import cards, phrases
from grok_app.sandbox.words import Feature

LONG_TOKENS: Final = 2000
MAX_QUESTION: Final = 200
IMAGES: Final = 2
"""So many are drawn at once: `imageGenerationCount` (protocol notes, section 4.2)."""
TOKEN: Final = re.compile(r" ?[^\W_\u3040-\u9fff]{1,12}[,.;:!?]?|[\u3040-\u9fff]{1,3}|\n+|#+|`+|\*+|.", re.DOTALL)
"""Pieces of about the size of a model's tokens. Every character of a text is in exactly one match."""


@dataclass(frozen=True, slots=True)
class Thought:
    """One run of thinking tokens of one agent."""

    rollout: str
    step: int
    tag: str
    """`header` or `summary`."""
    tokens: Sequence[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """All that one response says. The whole message is the concatenation of `tokens`."""

    thoughts: Sequence[Thought]
    tokens: Sequence[str]
    cards: Sequence[str] = ()
    """Card attachments, each as JSON text."""
    drawings: Sequence[str] = ()
    """What each generated image shows."""
    withheld: Collection[int] = ()
    """The numbers of those that are moderated, counted from 1."""


def compose(prompt: str, mode: str, features: Collection[Feature]) -> Answer:
    """Answer a flat prompt.

    Args:
        prompt: The prompt without its magic words; its last paragraph is taken as the question.
        mode: The upstream mode; one with THINKING, EXPERT or HEAVY in it thinks first.
        features: What the answer must contain.
    """
    question = question_of(prompt)
    seed = crc32(question.encode())
    language = phrases.CHINESE if Feature.CHINESE in features or phrases.is_chinese(question) else phrases.ENGLISH
    return Answer(
        thoughts=tuple(_thoughts(question, mode, features, language)),
        tokens=_tokens(prompt, question, seed, features, language),
        cards=(cards.picture_card(seed),) if Feature.CARD in features else (),
        drawings=(question,) * IMAGES if Feature.IMAGES in features else (),
    )


def question_of(prompt: str) -> str:
    """The last paragraph of a flat prompt on one line, shortened to `MAX_QUESTION` characters."""
    question = " ".join(prompt.rstrip().rpartition("\n\n")[2].split()) or "Hello"
    return question if len(question) <= MAX_QUESTION else question[: MAX_QUESTION - 1] + "…"


def tokenize(text: str) -> list[str]:
    """Split a text into word-like tokens of varied size; joined they are the text."""
    return TOKEN.findall(text)


def _tokens(
    prompt: str, question: str, seed: int, features: Collection[Feature], language: phrases.Phrases
) -> list[str]:
    if Feature.ECHO in features:
        return tokenize(prompt)
    if Feature.LONG in features:
        return _long(question, language)
    tokens = tokenize(language.opening(question, seed))
    if Feature.CARD in features:
        tokens += cards.in_pieces(cards.picture_tag(seed))
    if Feature.ARTIFACT in features:
        tokens += cards.in_pieces(cards.artifact(question))
    return tokens + tokenize(language.body(question, seed))


def _long(question: str, language: phrases.Phrases) -> list[str]:
    tokens = tokenize(language.opening(question, 0))
    chapter = 0
    while len(tokens) < LONG_TOKENS:
        chapter += 1
        tokens += tokenize(f"\n\n### {chapter}\n\n" + language.body(question, chapter))
    return tokens[:LONG_TOKENS]


def _thoughts(question: str, mode: str, features: Collection[Feature], language: phrases.Phrases) -> Iterator[Thought]:
    agents = ("Agent 1", "Agent 2") if "HEAVY" in mode else ("Grok",)
    if Feature.THINK in features or any(word in mode for word in ("THINKING", "EXPERT", "HEAVY")):
        for step, agent in enumerate(agents):
            yield Thought(agent, step, "header", (language.header,))
            yield Thought(agent, step, "summary", tokenize(language.summary(question)))
    if Feature.SEARCH in features:
        yield _tool(agents[0], cards.search_card(question))
    if Feature.AGENTS in features:
        yield _tool("Agent 1", cards.chatroom_card(question))
        yield _tool("Agent 2", cards.picture_search_card(question))
        yield _tool("Agent 2", cards.browse_card())


def _tool(agent: str, xml: str) -> Thought:
    return Thought(agent, 1, "summary", ["", *cards.in_pieces(xml)])
