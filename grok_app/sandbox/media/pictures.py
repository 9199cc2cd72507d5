"""Real pictures: the prompt, a number and the aspect ratio on a coloured ground, in the sizes that tell a stage.

Everything here works for milliseconds up to some tenths of a second: call it from a thread.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from io import BytesIO
from math import ceil, log, sqrt
from textwrap import wrap
from typing import Final
from zlib import crc32

from PIL import Image, ImageDraw, ImageFont, ImageOps

SIZES: Final = {
    "1:1": (1024, 1024),
    "16:9": (1280, 720),
    "9:16": (720, 1280),
    "4:3": (1152, 864),
    "3:4": (864, 1152),
    "3:2": (1152, 768),
    "2:3": (768, 1152),
    "2:1": (1280, 640),
    "1:2": (640, 1280),
    "19.5:9": (1248, 576),
    "9:19.5": (576, 1248),
    "20:9": (1280, 576),
    "9:20": (576, 1280),
}
"""Width and height by aspect ratio. Source of the ratios: protocol notes, section 4.1; the sizes are chosen."""

MAX_PIXELS: Final = 80_000_000
"""Pictures with more are refused unread."""
_READABLE: Final = ("PNG", "JPEG", "WEBP", "GIF")
_MAX_TEXT: Final = 160
_LINE: Final = 28
_NOISE_SIDE: Final = 1280
_GRAIN: Final = 0.12
"""Share of noise in a ground: it keeps the encoded sizes inside their stage, whatever the prompt."""


class UnreadablePictureError(Exception):
    """The bytes are no picture that can be shown."""


class Stage(Enum):
    """How finished a picture of the imagine socket is: percentage, longer side in pixels, file name extension.

    The sides are chosen so that the base64 lengths fall into the ranges of section 4.1 of the protocol notes: below
    30,000 characters, up to 100,000, above.
    """

    PREVIEW = (25, 80, "png")
    MEDIUM = (50, 150, "png")
    FINAL = (100, None, "jpg")

    @property
    def percentage(self) -> int:
        """What `percentage_complete` says."""
        percentage: int = self.value[0]
        return percentage

    @property
    def extension(self) -> str:
        """The end of the picture's URL."""
        extension: str = self.value[2]
        return extension


@dataclass(frozen=True, slots=True)
class Drawing:
    """A finished picture as JPEG, and a small one that announced it."""

    final: bytes
    preview: bytes


@lru_cache(maxsize=96)
def draw(prompt: str, number: int, aspect: str, stage: Stage) -> bytes:
    """The picture of a prompt: PNG until it is final, then JPEG. Asked again soon, it isn't drawn again."""
    width, height = _size(aspect, stage)
    picture = _ground(width, height, crc32(f"{prompt}#{number}".encode()))
    _write(picture, prompt, f"#{number}  {aspect}  {SIZES[aspect][0]}x{SIZES[aspect][1]}")
    return _encoded(picture, stage.extension)


def draw_answer(prompt: str, number: int) -> Drawing:
    """A picture inside a chat answer."""
    return _announced(draw(prompt, number, "1:1", Stage.FINAL))


def draw_frame(prompt: str, aspect: str) -> bytes:
    """The still picture that stands for a video, as JPEG."""
    return draw(prompt, 1, aspect, Stage.FINAL)


def draw_edit(prompt: str, number: int, inputs: Sequence[bytes]) -> Drawing:
    """The input pictures side by side inside a new one, below them what was asked for; the shape is the first one's.

    Raises:
        UnreadablePictureError: One of the inputs is no picture.
    """
    first = _opened(inputs[0])
    aspect = nearest_aspect(first.width, first.height)
    width, height = SIZES[aspect]
    picture = _ground(width, height, crc32(f"{prompt}#{number}".encode()))
    _paste_all(picture, inputs)
    _write(picture, prompt, f"edit #{number}  {aspect}", top=0.72)
    return _announced(_encoded(picture, "jpg"))


def nearest_aspect(width: int, height: int) -> str:
    """The known aspect ratio that distorts least."""
    return min(SIZES, key=lambda aspect: abs(log(SIZES[aspect][0] / SIZES[aspect][1]) - log(width / height)))


def are_readable(inputs: Sequence[bytes]) -> bool:
    """Whether `draw_edit` can show them all."""
    try:
        for content in inputs:
            _loaded(content, (64, 64))
    except UnreadablePictureError:
        return False
    return True


def _size(aspect: str, stage: Stage) -> tuple[int, int]:
    """The small stages have the same area for every shape, since that decides their length."""
    width, height = SIZES[aspect]
    side = stage.value[1]
    if side is None:
        return width, height
    scale = side / sqrt(width * height)
    return round(width * scale), round(height * scale)


def _ground(width: int, height: int, seed: int) -> Image.Image:
    hue = seed % 360
    shades = Image.linear_gradient("L").rotate(90 * (seed // 360 % 4)).resize((width, height))
    dark, light = f"hsl({hue}, 55%, 24%)", f"hsl({(hue + 50) % 360}, 70%, 62%)"
    ground = ImageOps.colorize(shades, dark, light)
    return Image.blend(ground, _noise().crop((0, 0, width, height)), _GRAIN)


@lru_cache(maxsize=1)
def _noise() -> Image.Image:
    channels = [Image.effect_noise((_NOISE_SIDE, _NOISE_SIDE), 90) for _ in range(3)]
    return Image.merge("RGB", channels)


def _write(picture: Image.Image, text: str, label: str, *, top: float = 0.2) -> None:
    """The text in large letters from `top` downwards, the label at the lower edge; as much as fits."""
    width, height = picture.size
    pen = ImageDraw.Draw(picture)
    size = max(8, round(width / 17))
    shown = " ".join(text.split())
    lines = wrap(shown if len(shown) <= _MAX_TEXT else shown[: _MAX_TEXT - 1] + "…", _LINE)
    room = max(1, int((0.88 - top) * height / (size * 1.3)))
    pen.multiline_text((width * 0.06, height * top), "\n".join(lines[:room]), "white", _font(size), spacing=size * 0.3)
    pen.text((width * 0.06, height * 0.9), label, "white", _font(max(8, size // 2)))


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, which knows Latin letters only; other letters become boxes."""
    return ImageFont.load_default(size)


def _paste_all(picture: Image.Image, inputs: Sequence[bytes]) -> None:
    """In rows of equal cells over the upper two thirds, each picture whole."""
    width, height = picture.size
    columns = ceil(sqrt(len(inputs)))
    rows = ceil(len(inputs) / columns)
    cell = (int(width * 0.92 / columns), int(height * 0.62 / rows))
    for index, content in enumerate(inputs):
        inner = _loaded(content, cell)
        left = int(width * 0.04) + index % columns * cell[0] + (cell[0] - inner.width) // 2
        upper = int(height * 0.05) + index // columns * cell[1] + (cell[1] - inner.height) // 2
        picture.paste(inner, (left, upper))


def _opened(content: bytes) -> Image.Image:
    try:
        picture = Image.open(BytesIO(content), formats=_READABLE)
    except (OSError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadablePictureError(str(error)) from error
    if picture.width * picture.height > MAX_PIXELS:
        raise UnreadablePictureError(f"{picture.width} × {picture.height} pixels are too many")
    return picture


def _loaded(content: bytes, cell: tuple[int, int]) -> Image.Image:
    picture = _opened(content)
    try:
        picture.draft("RGB", cell)
        return ImageOps.contain(picture.convert("RGB"), cell)
    except (OSError, ValueError, SyntaxError) as error:
        raise UnreadablePictureError(str(error)) from error


def _announced(final: bytes) -> Drawing:
    small = _opened(final)
    small.draft("RGB", (256, 256))
    return Drawing(final, _encoded(ImageOps.contain(small, (256, 256)), "jpg"))


def _encoded(picture: Image.Image, extension: str) -> bytes:
    target = BytesIO()
    if extension == "jpg":
        picture.save(target, "JPEG", quality=88)
    else:
        picture.save(target, "PNG", compress_level=6)
    return target.getvalue()
