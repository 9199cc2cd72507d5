"""The pictures of one prompt on the imagine socket: preview, medium, final, and what may go wrong on the way.

Frames are those of [F] with the fields and the `json` frames of later clients, so that one simulator serves all.
Source: protocol notes, sections 4.1 and 11.8 to 11.10.
"""

from base64 import b64encode
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from uuid import uuid4

import orjson

from grok_app.sandbox.accounts import Account
from grok_app.sandbox.media.files import PUBLIC_FOLDER
from grok_app.sandbox.media.library import Asset, File, Library
from grok_app.sandbox.media.pictures import SIZES, Stage, draw
from grok_app.sandbox.misfits import misfits
from grok_app.sandbox.steps import Ending, Pacing, Step, Wait, Work
from grok_app.sandbox.words import Trouble

MAX_PICTURES: Final = 6
AUTO: Final = "1:1"
"""The shape of a picture whose aspect ratio is `auto`."""
HUGE_CHARACTERS: Final = 40 * 1024 * 1024
_URL: Final = f"https://imagine-public.x.ai/{PUBLIC_FOLDER}"
_TYPES: Final = {"png": "image/png", "jpg": "image/jpeg"}


def message(**fields: Any) -> bytes:
    """One text message."""
    return orjson.dumps(fields)


def error(code: str, text: str) -> bytes:
    """An error frame."""
    return message(type="error", err_code=code, err_msg=text)


LIMITED: Final = error("rate_limit_exceeded", "Image rate limit exceeded")
GARBAGE: Final = (
    b"this is not JSON",
    b'{"type":"image"',
    b"",
    b'[]null42"text"',
    b"[]",
    b"null",
    message(),
    message(type=7),
    message(type="image"),
    message(type="image", url=5, blob={}),
    message(type="image", url=f"{_URL}not-a-picture.jpg", blob="%%% this is not base64 %%%"),
    message(type="image", url=f"{_URL}no-blob.jpg", blob=None),
    message(type="json", current_status=[], image_id=1, moderated="maybe"),
)
UNKNOWN: Final = (
    message(type="ping", timestamp=1),
    message(type="json", current_status="warming_up", queue={"position": 3}),
    message(type="progress_v2", nested=[1, {"deep": True}]),
)


@dataclass(slots=True)
class Picture:
    """One of the pictures."""

    number: int
    is_moderated: bool
    id: str = field(default_factory=lambda: str(uuid4()))
    files: dict[str, File] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Series:
    """What a prompt asks for, and what shall go wrong with it."""

    account: Account
    prompt: str
    aspect: str
    pictures: list[Picture]
    is_adult: bool
    troubles: Collection[Trouble]
    pacing: Pacing

    @classmethod
    def read(
        cls, account: Account, prompt: str, content: dict[str, Any], troubles: Collection[Trouble], pacing: Pacing
    ) -> "Series | bytes":
        """Read a prompt message; an error frame if it is malformed."""
        request_id, properties = content.get("requestId"), content.get("properties")
        if not isinstance(request_id, str) or not request_id or not isinstance(properties, dict):
            return error("invalid_argument", "requestId must be a string and properties an object")
        aspect, is_allowed = properties.get("aspect_ratio", "auto"), properties.get("enable_nsfw", False)
        count = properties.get("num_generations", MAX_PICTURES)
        if aspect != "auto" and aspect not in SIZES:
            return error("invalid_argument", "aspect_ratio is not known")
        if not isinstance(is_allowed, bool) or type(count) is not int or count < 1:
            return error("invalid_argument", "enable_nsfw must be a boolean and num_generations a positive number")
        are_all = Trouble.MODERATED in troubles or (Trouble.NSFW in troubles and not is_allowed)
        is_first = Trouble.MODERATED_ONE in troubles
        numbers = range(1, min(count, MAX_PICTURES) + 1)
        pictures = [Picture(number, are_all or (is_first and number == 1)) for number in numbers]
        shape = AUTO if aspect == "auto" else aspect
        return cls(account, prompt, shape, pictures, Trouble.NSFW in troubles, troubles, pacing)


def picture_series(series: Series, library: Library) -> Iterator[Step]:
    """Announce all pictures, then send every stage of each; what is final can be downloaded."""
    yield Wait(series.pacing.first_token_s)
    yield from _at_once(series.troubles)
    for picture in series.pictures:
        yield from _misfits(series, start := _status(series, picture, "start_stage"))
        yield start
    yield from _stage(series, Stage.PREVIEW)
    if Trouble.WS_CLOSE in series.troubles:
        yield Ending.CUT
    yield from _stage(series, Stage.MEDIUM)
    if Trouble.BLOCKED in series.troubles:
        yield Ending.STALL
    yield from _finals(series, library)


def _at_once(troubles: Collection[Trouble]) -> Iterator[Step]:
    """What comes in place of all pictures."""
    if Trouble.WS_SILENT in troubles:
        yield Ending.STALL
    if Trouble.WS_LIMITED in troubles:
        yield LIMITED
        yield Ending.CUT
    if Trouble.WS_ERROR in troubles:
        yield error("internal_error", "Something went wrong")
        yield Ending.CUT
    if Trouble.WS_GARBAGE in troubles:
        yield from GARBAGE
        yield Ending.CUT
    if Trouble.WS_HUGE in troubles:
        yield message(type="image", url=f"{_URL}{uuid4()}.jpg", blob="A" * HUGE_CHARACTERS)


def _stage(series: Series, stage: Stage) -> Iterator[Step]:
    for picture in series.pictures:
        yield from _unknown(series)
        yield from _frame(series, picture, stage)


def _finals(series: Series, library: Library) -> Iterator[Step]:
    for picture in series.pictures:
        yield from _unknown(series)
        if not picture.is_moderated:
            yield from _frame(series, picture, Stage.FINAL)
            library.add(
                Asset(series.account.token, f"{picture.id}.jpg", dict(reversed(picture.files.items())), picture.id)
            )
        verdict = {"moderated": picture.is_moderated, "r_rated": picture.is_moderated or series.is_adult}
        yield _status(series, picture, "completed", **verdict)
        if Trouble.WS_PARTIAL in series.troubles:
            yield Ending.CUT


def _frame(series: Series, picture: Picture, stage: Stage) -> Iterator[Step]:
    yield Wait(series.pacing.stage_s)
    work = Work(partial(_drawn, series, picture, stage))
    yield work
    picture.files[f"{PUBLIC_FOLDER}{picture.id}.{stage.extension}"] = work.result[0]
    if stage is Stage.PREVIEW:
        yield from _misfits(series, work.result[1])
    yield work.result[1]


def _drawn(series: Series, picture: Picture, stage: Stage) -> tuple[File, bytes]:
    """The picture as a file and as the frame that brings it."""
    content = draw(series.prompt, picture.number, series.aspect, stage)
    frame = message(
        type="image",
        id=picture.id,
        **_position(series, picture),
        grid_index=picture.number - 1,
        percentage_complete=stage.percentage,
        url=f"{_URL}{picture.id}.{stage.extension}",
        blob=b64encode(content).decode(),
    )
    return File(content, _TYPES[stage.extension]), frame


def _status(series: Series, picture: Picture, status: str, **fields: Any) -> bytes:
    return message(
        type="json",
        current_status=status,
        job_id=picture.id,
        image_id=picture.id,
        **_position(series, picture),
        **fields,
    )


def _position(series: Series, picture: Picture) -> dict[str, int]:
    width, height = SIZES[series.aspect]
    return {"order": picture.number - 1, "width": width, "height": height}


def _misfits(series: Series, frame: bytes) -> Iterator[Step]:
    if Trouble.WS_TYPES in series.troubles:
        yield from misfits(frame)


def _unknown(series: Series) -> Iterator[Step]:
    if Trouble.WS_UNKNOWN in series.troubles:
        yield from UNKNOWN
