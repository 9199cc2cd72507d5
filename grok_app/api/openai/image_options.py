"""How many pictures, of what shape, in what form: fields of several bodies. Source: API contract, section 5.1."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from grok_app.api.openai.loose import choice, whole
from grok_app.errors import InvalidRequestError
from grok_app.imagine import Form
from grok_app.settings import Settings

SIZES: Final[Mapping[str, str]] = {
    "1024x1024": "1:1",
    "1024x1792": "2:3",
    "1280x720": "16:9",
    "1792x1024": "3:2",
    "720x1280": "9:16",
}
"""Pixels that callers may say, and the ratio that they mean; of pictures and videos alike."""
_RATIOS: Final = tuple(SIZES.values())
_USUAL_SIZE: Final = "1024x1024"
_MOST: Final = 10
_MOST_STREAMED: Final = 2
_FORMS: Final[Mapping[str, Form]] = {"url": "url", "b64_json": "b64_json", "base64": "b64_json"}


class ImageOptions(BaseModel):
    """What pictures are to be like. Null is omitted."""

    model_config = ConfigDict(extra="ignore")

    n: Annotated[int, BeforeValidator(whole("n", 1, _MOST, 1, f"n must be between 1 and {_MOST}"))] = Field(
        1, ge=1, le=_MOST, description="How many pictures, 1 to 10."
    )
    size: Annotated[
        str,
        BeforeValidator(choice("size", (*SIZES, *_RATIOS), _USUAL_SIZE, f"size must be one of {list(SIZES)}")),
    ] = Field(
        _USUAL_SIZE,
        description="Width and height, or a ratio like `3:2`.",
        json_schema_extra={"enum": [*SIZES, *_RATIOS]},
    )
    response_format: Annotated[
        str | None,
        BeforeValidator(
            choice(
                "response_format", tuple(_FORMS), None, f"response_format must be one of {', '.join(sorted(_FORMS))}"
            )
        ),
    ] = Field(
        None,
        description="`base64` means `b64_json`. Omitted: the setting `app.image_format`.",
        json_schema_extra={"enum": [*_FORMS, None]},
    )

    @property
    def aspect_ratio(self) -> str:
        """The ratio that the size stands for."""
        return SIZES.get(self.size, self.size)

    def form(self, settings: Settings) -> Form:
        """The form that was asked for, else the usual one."""
        return _FORMS[self.response_format or settings.app.image_format]

    def check_streamed(self) -> None:
        """Let pass only so many pictures as can be streamed.

        Raises:
            InvalidRequestError: They are more.
        """
        if self.n > _MOST_STREAMED:
            message = "Streaming is only supported when n=1 or n=2"
            raise InvalidRequestError(message, param="stream", code="invalid_stream_n")


def check_prompt(value: Any) -> Any:
    """A validator that takes no blank prompt."""
    if value is None or (isinstance(value, str) and not value.strip()):
        raise PydanticCustomError("empty_prompt", "Prompt cannot be empty")
    return value
