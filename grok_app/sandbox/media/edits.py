"""Image edits through `conversations/new`: two pictures that show the input inside.

Source: protocol notes, sections 4.3, 11.6 and 11.11.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from grok_app.sandbox.media.files import file_of
from grok_app.sandbox.media.generated import Generated, generate, is_withheld
from grok_app.sandbox.media.orders import UNREADABLE, Order, parent_post
from grok_app.sandbox.media.pictures import are_readable, draw_edit
from grok_app.sandbox.replies import RefusedError, refusal
from grok_app.sandbox.steps import Step, Wait, Work
from grok_app.sandbox.words import Trouble

EDIT_MODEL: Final = "imagine-image-edit"
PICTURES: Final = 2
MAX_INPUTS: Final = 16
_ANSWER: Final = "I edited your image."


def plan_edit(order: Order) -> Iterator[Step]:
    """Read an edit request; what it streams begins when the result is iterated.

    Raises:
        RefusedError: The configuration is malformed, or a picture is missing or somebody else's.
    """
    config = order.config("imageEditModelConfig")
    parent_post(config)
    inputs = tuple(file_of(order.sandbox, order.account, url).content for url in _references(config))
    return _perform(order, inputs)


def _references(config: dict[str, Any]) -> list[str]:
    urls = config.get("imageReferences")
    if not isinstance(urls, list) or not 0 < len(urls) <= MAX_INPUTS or not all(isinstance(url, str) for url in urls):
        raise RefusedError(refusal(400, 3, f"imageReferences must be a list of 1 to {MAX_INPUTS} URLs"))
    return urls


def _pictures(order: Order, inputs: tuple[bytes, ...]) -> list[Generated]:
    count = 1 if Trouble.ONE_IMAGE in order.troubles else PICTURES
    return [
        order.gallery.picture(
            partial(draw_edit, order.prompt, number, inputs),
            is_moderated=is_withheld(number, order.troubles),
        )
        for number in range(1, count + 1)
    ]


def _perform(order: Order, inputs: tuple[bytes, ...]) -> Iterator[Step]:
    """`generatedImageUrls` repeats the moderated ones (section 11.11)."""
    yield Wait(order.pacing.first_token_s)
    check = Work(partial(are_readable, inputs))
    yield check
    if not check.result:
        yield UNREADABLE
        return
    pictures = _pictures(order, inputs)
    yield from order.frames.opening(order.message)
    yield from generate(pictures, order.frames, order.gallery, order.pacing)
    shown = () if Trouble.NO_IMAGES in order.troubles else pictures
    yield order.frames.answering()(_ANSWER)
    yield from order.frames.closing(_ANSWER, (), [picture.path for picture in shown])
