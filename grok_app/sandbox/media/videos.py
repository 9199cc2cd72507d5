"""Videos through `conversations/new`: progress, then a small film that is the same for everybody.

Source: protocol notes, sections 5.2, 5.3 and 11.12.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from importlib.resources import files
from typing import Any, Final
from uuid import uuid4

from grok_app.sandbox.media.library import File
from grok_app.sandbox.media.orders import UNREADABLE, Order, parent_post
from grok_app.sandbox.media.pictures import are_readable, draw_edit, draw_frame
from grok_app.sandbox.media.posts import ASSETS_URL
from grok_app.sandbox.replies import RefusedError, refusal
from grok_app.sandbox.steps import Ending, Step, Wait, Work
from grok_app.sandbox.words import Trouble

ASPECTS: Final = ("16:9", "9:16", "3:2", "2:3", "1:1")
LENGTHS_S: Final = (6, 10, 15)
RESOLUTIONS: Final = ("480p", "720p")
PROGRESS: Final = (1, *range(5, 100, 5))
STALLED_AT: Final = 45
_ANSWER: Final = "I generated a video"

Progress = Callable[..., bytes]
"""Makes a progress frame of one video: the percentage, then the other fields by name."""


def plan_video(order: Order) -> Iterator[Step]:
    """Read a video request; what it streams begins when the result is iterated.

    Raises:
        RefusedError: The configuration is malformed, or its post was never created.
    """
    config = order.config("videoGenModelConfig")
    for name, known in (("aspectRatio", ASPECTS), ("videoLength", LENGTHS_S), ("resolutionName", RESOLUTIONS)):
        if config.get(name) not in known:
            raise RefusedError(refusal(400, 3, f"{name} must be one of {', '.join(map(str, known))}"))
    if not order.sandbox.library.has_post(parent_post(config)):
        raise RefusedError(refusal(404, 5, "Post not found"))
    source = order.sandbox.library.post_picture(config["parentPostId"])
    return _perform(order, config, (source.content,) if source else ())


@lru_cache(maxsize=1)
def clip() -> bytes:
    """The film: `clip.txt` beside it says how it was made."""
    return files("grok_app.sandbox.media").joinpath("clip.mp4").read_bytes()


def _perform(order: Order, config: dict[str, Any], inputs: tuple[bytes, ...]) -> Iterator[Step]:
    yield Wait(order.pacing.first_token_s)
    check = Work(partial(are_readable, inputs))
    yield check
    if not check.result:
        yield UNREADABLE
        return
    video_id = str(uuid4())
    progress = partial(order.frames.video, videoId=video_id, videoPostId=config["parentPostId"])
    yield from order.frames.opening(order.message)
    yield from _going_on(order, config, progress)
    yield from _ending(order, progress, video_id, _thumbnail(order, config, inputs))


def _going_on(order: Order, config: dict[str, Any], progress: Progress) -> Iterator[Step]:
    for percent in PROGRESS:
        yield progress(percent, resolutionName=config["resolutionName"])
        if percent == STALLED_AT and Trouble.VIDEO_STALL in order.troubles:
            yield Ending.STALL
        yield Wait(order.pacing.progress_s)


def _ending(order: Order, progress: Progress, video_id: str, thumbnail: Callable[[], bytes]) -> Iterator[Step]:
    frames = order.frames
    if Trouble.MODERATED in order.troubles:
        yield progress(100, moderated=True)
        return
    if Trouble.NO_VIDEO in order.troubles:
        yield progress(100, moderated=False)
        yield from frames.closing(_ANSWER, (), ())
        return
    work = Work(thumbnail)
    yield work
    folder = _keep(order, video_id, work.result)
    yield progress(
        100,
        assetId=video_id,
        videoUrl=f"{ASSETS_URL}{folder}/generated_video.mp4",
        thumbnailImageUrl=f"{ASSETS_URL}{folder}/preview_image.jpg",
        moderated=False,
    )
    yield frames.answering()(_ANSWER)
    yield from frames.closing(_ANSWER, (), (), (video_id,))


def _thumbnail(order: Order, config: dict[str, Any], inputs: tuple[bytes, ...]) -> Callable[[], bytes]:
    """Draws the still: it shows the picture that the video was made of, if there is one."""
    if inputs:
        return lambda: draw_edit(order.prompt, 1, inputs).final
    return partial(draw_frame, order.prompt, config["aspectRatio"])


def _keep(order: Order, video_id: str, thumbnail: bytes) -> str:
    """Put the film and its thumbnail into the library; returns their folder."""
    folder = f"{order.gallery.folder}/{video_id}"
    kept = {
        f"{folder}/generated_video.mp4": File(clip(), "video/mp4"),
        f"{folder}/preview_image.jpg": File(thumbnail, "image/jpeg"),
    }
    order.gallery.keep_files(video_id, "generated_video.mp4", kept)
    return folder
