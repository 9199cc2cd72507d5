"""The body of a chat completion, as clients send it. Source: API contract, section 5.1."""

from typing import Annotated, Any, Final, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, field_validator, model_validator
from pydantic_core import PydanticCustomError

from grok_app.api.lifting import Lifter
from grok_app.api.openai.content import CONTENT_SCHEMA, ROLES, check_message, message_text
from grok_app.api.openai.given import attachments, image, last_text
from grok_app.api.openai.image_options import ImageOptions
from grok_app.api.openai.loose import boolean, choice, number
from grok_app.api.openai.models import unknown_model
from grok_app.api.openai.video_options import VideoOptions
from grok_app.catalog import MODELS, Serves
from grok_app.chat import ChatRequest, Message, ReasoningEffort, Role
from grok_app.errors import InvalidRequestError
from grok_app.imagine import EditRequest, Form, ImagesRequest
from grok_app.media import SourceKind
from grok_app.settings import Settings
from grok_app.video import VideoRequest

MOST_MESSAGES: Final = 10_000
_TOO_MANY_MESSAGES: Final = f"Too many messages. Maximum is {MOST_MESSAGES}."
_EFFORTS: Final = sorted(get_args(ReasoningEffort))
Effort = Annotated[
    ReasoningEffort | None,
    BeforeValidator(choice("reasoning_effort", _EFFORTS, None, f"reasoning_effort must be one of {_EFFORTS}")),
]
"""How much Grok thinks, and whether that is shown; None: as usual."""
_CONFIGS: Final = {
    Serves.IMAGES: "image_config",
    Serves.EDITS: "image_config",
    Serves.VIDEO: "video_config",
}


class MessageBody(BaseModel):
    """One message. Text, or an array of blocks; pictures, sound and files in the user's messages only."""

    model_config = ConfigDict(extra="ignore")

    role: Annotated[Role, WithJsonSchema({"enum": list(ROLES)})]
    content: Annotated[Any, WithJsonSchema(CONTENT_SCHEMA)]

    @model_validator(mode="before")
    @classmethod
    def _check(cls, value: Any) -> Any:
        if isinstance(value, dict):
            check_message(value.get("role"), value.get("content"))
        return value


class StreamOptions(BaseModel):
    """How to stream."""

    include_usage: Annotated[bool | None, BeforeValidator(boolean("include_usage"))] = Field(
        None, description="Send the usage in a chunk of its own before `[DONE]`."
    )


class ChatBody(BaseModel):
    """What every chat completion has: a conversation, and how it is to be answered."""

    model_config = ConfigDict(extra="ignore")

    model: str = Field(description="An id of `GET /v1/models`.", json_schema_extra={"enum": list(MODELS)})
    messages: Annotated[list[MessageBody], Field(min_length=1, description="The conversation so far.")]
    stream: Annotated[bool | None, BeforeValidator(boolean("stream"))] = Field(
        None, description="Whether to stream. Omitted: the setting `app.stream`."
    )
    reasoning_effort: Effort = Field(
        None, description="`none` hides the thinking, anything else shows it. Omitted: the setting `app.thinking`."
    )
    temperature: Annotated[float, BeforeValidator(number("temperature", 0, 2, 0.8))] = Field(0.8, ge=0, le=2)
    top_p: Annotated[float, BeforeValidator(number("top_p", 0, 1, 0.95))] = Field(0.95, ge=0, le=1)
    stream_options: StreamOptions | None = None

    @field_validator("model")
    @classmethod
    def _known_model(cls, value: str) -> str:
        if value not in MODELS:
            raise PydanticCustomError("model_not_found", "{message}", {"message": unknown_model(value)})
        return value

    @field_validator("messages", mode="before")
    @classmethod
    def _has_messages(cls, value: Any) -> Any:
        if value is None or value == []:
            raise PydanticCustomError("empty_messages", "messages cannot be empty")
        if isinstance(value, list) and len(value) > MOST_MESSAGES:
            raise PydanticCustomError("too_many_messages", "{message}", {"message": _TOO_MANY_MESSAGES})
        return value

    def is_streamed(self, settings: Settings) -> bool:
        """Whether the answer comes piece by piece; where the body is silent, as the settings say."""
        return settings.app.stream if self.stream is None else self.stream

    def as_chat(self, lifter: Lifter, own_url: str) -> ChatRequest:
        """The request of a text model in its service's words.

        Raises:
            InvalidRequestError: An attachment is not what it says it is, or there are too many.
        """
        return ChatRequest(
            model=self.model,
            messages=tuple(Message(message.role, message_text(message.content)) for message in self.messages),
            temperature=self.temperature,
            top_p=self.top_p,
            reasoning_effort=self.reasoning_effort,
            attachments=attachments(self.messages, lifter),
            own_url=own_url,
        )


class CompletionBody(ChatBody):
    """A chat completion. Unknown fields are ignored, null is omitted, `"true"` and `"0.5"` mean what they say."""

    image_config: ImageOptions | None = Field(None, description="For the image models.")
    video_config: VideoOptions | None = Field(None, description="For the video model.")

    @model_validator(mode="before")
    @classmethod
    def _drop_what_others_need(cls, value: Any) -> Any:
        """Let `image_config` and `video_config` count for the models that they are for alone."""
        if not isinstance(value, dict) or not isinstance(value.get("model"), str):
            return value
        model = MODELS.get(value["model"])
        wanted = _CONFIGS.get(model.serves) if model else None
        return {name: item for name, item in value.items() if name == wanted or name not in _CONFIGS.values()}

    @property
    def serves(self) -> Serves:
        """What the model is for."""
        return MODELS[self.model].serves

    @property
    def images(self) -> ImageOptions:
        """What pictures are to be like."""
        return self.image_config or ImageOptions()

    def as_images(self, form: Form, own_url: str) -> ImagesRequest:
        """The request of the image model in its service's words.

        Raises:
            InvalidRequestError: There is no text.
        """
        return ImagesRequest(last_text(self.messages), self.images.n, self.images.aspect_ratio, form, own_url=own_url)

    def as_edit(self, lifter: Lifter, form: Form, own_url: str) -> EditRequest:
        """The request of the edit model in its service's words: the last image is changed.

        Raises:
            InvalidRequestError: There is no text, or no image, or it is not what it says it is.
        """
        prompt = last_text(self.messages)
        given = image(self.messages, SourceKind.EDITABLE, lifter, -1)
        if given is None:
            raise InvalidRequestError("image_url is required for image edits", param="messages", code="missing_image")
        return EditRequest(prompt, self.images.n, (given,), form, own_url)

    def as_video(self, lifter: Lifter, own_url: str) -> VideoRequest:
        """The request of the video model in its service's words: it begins with the first image.

        Raises:
            InvalidRequestError: There is no text, or the image is not what it says it is.
        """
        prompt = last_text(self.messages)
        given = image(self.messages, SourceKind.IMAGE, lifter, 0)
        options = self.video_config or VideoOptions()
        return options.as_request(prompt, given, own_url)
