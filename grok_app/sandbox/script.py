"""The order of a chat response: what is said when. Source: protocol notes, sections 11.1, 11.3 and 11.6."""

from collections.abc import Iterator
from functools import partial

from grok_app.sandbox.answers import Answer
from grok_app.sandbox.frames import Frames
from grok_app.sandbox.media.generated import Gallery, generate
from grok_app.sandbox.media.pictures import draw_answer
from grok_app.sandbox.steps import Pacing, Step, Wait


def perform(message: str, answer: Answer, frames: Frames, pacing: Pacing, gallery: Gallery) -> Iterator[Step]:
    """Stream an answer: opening, thoughts, cards, images, answer tokens, closing. The images are kept in the gallery.

    `pacing.first_token_s` passes before the first frame and `pacing.token_s` before each token.
    """
    images = [
        gallery.picture(partial(draw_answer, what, number), is_moderated=number in answer.withheld)
        for number, what in enumerate(answer.drawings, 1)
    ]
    yield Wait(pacing.first_token_s)
    yield from frames.opening(message)
    yield from _spaced(_thoughts(answer, frames), pacing)
    yield from map(frames.card, answer.cards)
    yield from generate(images, frames, gallery, pacing)
    yield from _spaced(map(frames.answering(), answer.tokens), pacing)
    yield from frames.closing("".join(answer.tokens), answer.cards, [image.path for image in images])


def _thoughts(answer: Answer, frames: Frames) -> Iterator[bytes]:
    for thought in answer.thoughts:
        yield from map(frames.thinking(thought.rollout, thought.step, thought.tag), thought.tokens)


def _spaced(lines: Iterator[bytes], pacing: Pacing) -> Iterator[Step]:
    """No silence at all at zero: a benchmark then measures frames, not timers."""
    if not pacing.token_s:
        yield from lines
        return
    pause = Wait(pacing.token_s)
    for line in lines:
        yield pause
        yield line
