"""The bodies of requests for pictures, as clients send them. Source: API contract, section 6."""

from typing import Annotated, Any, Final

from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from grok_app.api.openai.image_options import ImageOptions, check_prompt
from grok_app.api.openai.loose import NOT_BLANK, boolean
from grok_app.catalog import EDITS, IMAGES

IMAGE_NAMES: Final = ("image", "image[]")
MOST_IMAGES: Final = 16
_STREAM: Final = "Whether to send every stage as it comes, of one picture or two."


def _only(model: str, purpose: str) -> BeforeValidator:
    def validate(value: Any) -> str:
        if value not in (None, model):
            message = f"The model `{model}` is required for {purpose}."
            raise PydanticCustomError("model_not_supported", "{message}", {"message": message})
        return model

    return BeforeValidator(validate)


class _StreamedOptions(ImageOptions):
    """A prompt, and how its pictures are to come."""

    model_config = ConfigDict(json_schema_extra={"required": ["prompt"]})

    prompt: Annotated[str, BeforeValidator(check_prompt)] = Field(
        None, validate_default=True, json_schema_extra={"pattern": NOT_BLANK}
    )
    stream: Annotated[bool, BeforeValidator(boolean("stream", default=False))] = Field(False, description=_STREAM)


class ImagesBody(_StreamedOptions):
    """Pictures to be drawn. Fields of OpenAI's that mean nothing here, like `quality` and `user`, are ignored."""

    model: Annotated[str, _only(IMAGES.id, "image generation")] = Field(
        IMAGES.id, json_schema_extra={"const": IMAGES.id}
    )
    nsfw: Annotated[bool | None, BeforeValidator(boolean("nsfw"))] = Field(
        None, description="Whether adult content is asked for. Omitted: the setting `image.nsfw`."
    )


class EditBody(_StreamedOptions):
    """How pictures are to be changed."""

    model: Annotated[str, _only(EDITS.id, "image edits")] = Field(EDITS.id, json_schema_extra={"const": EDITS.id})


class EditJson(EditBody):
    """The same with the pictures: each a data URI or a URL."""

    model_config = ConfigDict(json_schema_extra={"required": ["prompt", "image"]})

    image: Annotated[
        list[str],
        Field(
            None, validation_alias=AliasChoices(*IMAGE_NAMES), validate_default=True, description="Data URIs or URLs."
        ),
    ]

    @field_validator("image", mode="before")
    @classmethod
    def _as_list(cls, value: Any) -> Any:
        """One alone is a list of one; what stands within an object, as in a message, is taken out."""
        items = value if isinstance(value, list) else [] if value in (None, "") else [value]
        return [item.get("url", item.get("image_url")) if isinstance(item, dict) else item for item in items]
