"""The order of a chat response: what is said when. Source: protocol notes, sections 11.1, 11.3 and 11.6."""

from collections.abc import Iterator

from grok_app.sandbox.answers import Answer
from grok_app.sandbox.frames import Frames
from grok_app.sandbox.steps import Pacing, Step, Wait


def perform(message: str, answer: Answer, frames: Frames, pacing: Pacing) -> Iterator[Step]:
    """Stream an answer: opening, thoughts, cards, images, answer tokens, closing.

    `pacing.first_token_s` passes before the first frame and `pacing.token_s` before each token.
    """
    yield Wait(pacing.first_token_s)
    yield from frames.opening(message)
    yield from _spaced(_thoughts(answer, frames), pacing)
    yield from map(frames.card, answer.cards)
    yield from _spaced(_images(answer, frames), pacing)
    yield from _spaced(map(frames.answering(), answer.tokens), pacing)
    yield from frames.closing("".join(answer.tokens), answer.cards, answer.images)


def _thoughts(answer: Answer, frames: Frames) -> Iterator[bytes]:
    for thought in answer.thoughts:
        yield from map(frames.thinking(thought.rollout, thought.step, thought.tag), thought.tokens)


def _images(answer: Answer, frames: Frames) -> Iterator[bytes]:
    """Each image begins, is half done as a preview, and ends."""
    for index in range(len(answer.images)):
        yield frames.image(index, 0)
    for index, path in enumerate(answer.images):
        folder, _, name = path.rpartition("/")
        yield frames.image(index, 50, imageUrl=f"{folder}-part-0/{name}")
        yield frames.image(index, 100, imageUrl=path, assetId=folder.rpartition("/")[2], moderated=False)


def _spaced(lines: Iterator[bytes], pacing: Pacing) -> Iterator[Step]:
    """No silence at all at zero: a benchmark then measures frames, not timers."""
    if not pacing.token_s:
        yield from lines
        return
    pause = Wait(pacing.token_s)
    for line in lines:
        yield pause
        yield line
