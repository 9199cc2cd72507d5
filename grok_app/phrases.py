"""What we ourselves write into answers, in the language of the setting `app.language`."""

from collections.abc import Mapping
from typing import Final, Literal

Language = Literal["en", "zh-CN"]

_DRAWING: Final[Mapping[Language, str]] = {
    "en": "Generating image {number}: {percent}%",
    "zh-CN": "正在生成第{number}张图片中，当前进度{percent}%",
}
_FILMING: Final[Mapping[Language, str]] = {
    "en": "Generating video: {percent}%",
    "zh-CN": "正在生成视频中，当前进度{percent}%",
}
_UPSCALING: Final[Mapping[Language, str]] = {"en": "Upscaling video", "zh-CN": "正在对视频进行超分辨率"}
_LOST_PICTURE: Final[Mapping[Language, str]] = {
    "en": "(A picture could not be downloaded.)",
    "zh-CN": "（有一张图片无法下载。）",
}


def drawing(language: Language, number: int, percent: int) -> str:
    """How far a picture of an answer is; pictures are numbered from 1."""
    return _DRAWING[language].format(number=number, percent=percent)


def filming(language: Language, percent: int) -> str:
    """How far a video is."""
    return _FILMING[language].format(percent=percent)


def upscaling(language: Language) -> str:
    """That a finished video is made larger."""
    return _UPSCALING[language]


def lost_picture(language: Language) -> str:
    """What stands in an answer in place of a picture that could not be had."""
    return _LOST_PICTURE[language]
