"""What a video is to be like. Source: API contract, sections 5.1 and 9."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from grok_app.api.openai.image_options import SIZES
from grok_app.api.openai.loose import choice, whole
from grok_app.media import Source
from grok_app.upstream import VideoPreset
from grok_app.video import VideoRequest

_RATIOS: Final = ("16:9", "9:16", "3:2", "2:3", "1:1")
_LENGTHS_S: Final = (6, 10, 15)
_WRONG_LENGTH: Final = "video_length must be 6, 10, or 15 seconds"
_RESOLUTIONS: Final = ("480p", "720p")
PRESETS: Final = ("fun", "normal", "spicy", "custom")
"""What a video may be like in all."""


def _one_of(known: tuple[str, ...]) -> str:
    return f"must be one of {list(known)}"


def _length(value: Any) -> int:
    length_s = whole("video_length", _LENGTHS_S[0], _LENGTHS_S[-1], _LENGTHS_S[0], _WRONG_LENGTH)(value)
    if length_s not in _LENGTHS_S:
        raise PydanticCustomError("invalid_video_length", _WRONG_LENGTH)
    return length_s


def known_preset(usual: str) -> Callable[[Any], str | None]:
    """A validator that takes a preset; null is the usual one."""
    return choice("preset", PRESETS, usual, f"preset {_one_of(PRESETS)}")


class VideoOptions(BaseModel):
    """What a video is to be like. Null is omitted."""

    model_config = ConfigDict(extra="ignore")

    aspect_ratio: Annotated[
        str,
        BeforeValidator(choice("aspect_ratio", (*_RATIOS, *SIZES), "3:2", f"aspect_ratio {_one_of(_RATIOS)}")),
    ] = Field(
        "3:2",
        description="A ratio, or width and height like `1280x720`.",
        json_schema_extra={"enum": [*_RATIOS, *SIZES]},
    )
    video_length: Annotated[int, BeforeValidator(_length)] = Field(
        6, description="Seconds: 6, 10 or 15.", json_schema_extra={"enum": [*_LENGTHS_S]}
    )
    resolution_name: Annotated[
        str,
        BeforeValidator(choice("resolution", _RESOLUTIONS, "480p", f"resolution_name {_one_of(_RESOLUTIONS)}")),
    ] = Field("480p", description="`480p` or `720p`.", json_schema_extra={"enum": [*_RESOLUTIONS]})
    preset: Annotated[str, BeforeValidator(known_preset("custom"))] = Field(
        "custom", json_schema_extra={"enum": [*PRESETS]}
    )

    def as_request(self, prompt: str, image: Source | None, own_url: str) -> VideoRequest:
        """The request in the service's words."""
        return VideoRequest(
            prompt=prompt,
            image=image,
            aspect_ratio=SIZES.get(self.aspect_ratio, self.aspect_ratio),
            length_s=self.video_length,
            resolution=self.resolution_name,
            preset=VideoPreset(self.preset),
            own_url=own_url,
        )
