"""What visitors wish for, as their clients send it. Source: API contract, section 9."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from grok_app.api.lifting import Lifter
from grok_app.api.openai.chat_body import ChatBody, Effort
from grok_app.api.openai.content import media_fault
from grok_app.api.openai.given import source
from grok_app.api.openai.image_options import SIZES, check_prompt
from grok_app.api.openai.loose import NOT_BLANK, boolean
from grok_app.api.openai.video_options import PRESETS, VideoOptions, known_preset
from grok_app.catalog import CHAT_MODELS
from grok_app.imagine import ImagesRequest
from grok_app.media import SourceKind
from grok_app.video import VideoRequest

USUAL_RATIO: Final = "2:3"
PIXELS: Final = {ratio: size for size, ratio in SIZES.items()}
"""The size that a ratio stands for."""
_BATCH: Final = 6
_MOST_CHARS: Final = 16 << 10
"""Of a prompt: wishes wait in memory."""
_Prompt = Annotated[
    str, Field(max_length=_MOST_CHARS, json_schema_extra={"pattern": NOT_BLANK}), BeforeValidator(check_prompt)
]


class ChatWish(ChatBody):
    """A conversation with a text model. Unknown fields are ignored, null is omitted."""

    model: str = Field(description="A text model.", json_schema_extra={"enum": list(CHAT_MODELS)})

    @field_validator("model")
    @classmethod
    def _text_model(cls, value: str) -> str:
        if value not in CHAT_MODELS:
            message = f"The model `{value}` is not a text model."
            raise PydanticCustomError("model_not_supported", "{message}", {"message": message})
        return value


def _ratio(value: Any) -> str:
    """The ratio that is meant; what nobody knows means the usual one."""
    ratio = SIZES.get(value, value) if isinstance(value, str) else None
    return ratio if ratio in PIXELS else USUAL_RATIO


class DrawingWish(BaseModel):
    """Pictures, batch after batch. Null is omitted."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"required": ["prompt"]})

    prompt: _Prompt = Field(None, validate_default=True)
    aspect_ratio: Annotated[str, BeforeValidator(_ratio)] = Field(
        USUAL_RATIO, description="A ratio, or width and height like `1024x1792`. Unknown ones mean `2:3`."
    )
    nsfw: Annotated[bool | None, BeforeValidator(boolean("nsfw"))] = Field(
        None, description="Whether adult content is asked for. Omitted: the setting `image.nsfw`."
    )

    def as_request(self) -> ImagesRequest:
        """The request in the service's words."""
        return ImagesRequest(self.prompt, _BATCH, self.aspect_ratio, "b64_json", self.nsfw)


def _media(value: Any) -> str | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if fault := media_fault(value, "image_url"):
        code, message = fault
        raise PydanticCustomError(code, "{message}", {"message": message})
    return str(value)


class FilmWish(VideoOptions):
    """A video. Null is omitted."""

    model_config = ConfigDict(json_schema_extra={"required": ["prompt"]})

    prompt: _Prompt = Field(None, validate_default=True)
    preset: Annotated[str, BeforeValidator(known_preset("normal"))] = Field(
        "normal", json_schema_extra={"enum": [*PRESETS]}
    )
    image_url: Annotated[str | None, BeforeValidator(_media)] = Field(
        None, description="The picture that the video begins with: a data URI or an address. Blank: none."
    )
    reasoning_effort: Effort = Field(
        None, description="`none` leaves the lines about the progress out. Omitted: the setting `app.thinking`."
    )

    def as_video(self, lifter: Lifter, own_url: str) -> VideoRequest:
        """The request in the service's words.

        Raises:
            InvalidRequestError: The picture is not what it says it is.
        """
        given = source(self.image_url, SourceKind.IMAGE, "image_url", lifter) if self.image_url else None
        return self.as_request(self.prompt, given, own_url)
