"""What drawing and editing take and give: the words shared by the API, the pages and the services."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from grok_app.errors import GatewayError
from grok_app.media import Source

Form = Literal["url", "b64_json"]
"""How a picture is handed over: as the address of a file of ours, or as base64."""


class Stage(IntEnum):
    """How finished a picture is."""

    PREVIEW = 1
    MEDIUM = 2
    FINAL = 3


@dataclass(frozen=True, slots=True)
class ImagesRequest:
    """Pictures to be drawn, already validated."""

    prompt: str
    n: int
    aspect_ratio: str
    form: Form
    has_adult_content: bool | None = None
    """None: as the setting `image.nsfw` says."""
    own_url: str = ""
    """What addresses of our files begin with; empty: they begin with their path."""


@dataclass(frozen=True, slots=True)
class EditRequest:
    """Pictures to be changed, already validated."""

    prompt: str
    n: int
    images: tuple[Source, ...]
    form: Form
    own_url: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in some stage."""

    index: int
    """Its place among those that were asked for, from 0."""
    id: str
    stage: Stage
    step: int
    """How often this place has shown something before."""
    content: str
    """Its address or its base64, as was asked."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an edited picture is; nothing of it can be seen yet."""

    index: int
    step: int
    percent: int


@dataclass(frozen=True, slots=True)
class ImageUsage:
    """Estimated token counts, see `grok_app.usage`."""

    text_tokens: int
    image_tokens: int
    """Of the pictures that were given."""
    output_tokens: int

    @property
    def input_tokens(self) -> int:
        """Of all that was given."""
        return self.text_tokens + self.image_tokens

    @property
    def total_tokens(self) -> int:
        """Of all."""
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class Pictures:
    """Everything that was made."""

    pictures: tuple[Picture, ...]
    usage: ImageUsage
    warning: str | None
    """Why there are fewer than asked for."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture of a run that goes on."""

    picture: Picture
    """Its index is its place among the six of its batch."""
    elapsed_ms: int
    """Since its batch was asked for."""


@dataclass(frozen=True, slots=True)
class Setback:
    """Why a run gives no pictures just now. It goes on."""

    error: GatewayError
