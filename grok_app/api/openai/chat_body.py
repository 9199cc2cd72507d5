"""The body of a chat completion, as clients send it. Source: API contract, section 5.1."""

from typing import Annotated, Any, Final, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, field_validator, model_validator
from pydantic_core import PydanticCustomError

from grok_app.api.openai.content import ROLES, check_message, first_media, message_text
from grok_app.api.openai.loose import boolean, number
from grok_app.api.openai.models import unknown_model
from grok_app.catalog import MODELS
from grok_app.chat import ChatRequest, Message, ReasoningEffort, Role
from grok_app.errors import InvalidRequestError

_EFFORTS: Final = sorted(get_args(ReasoningEffort))
_BLOCK_SCHEMA: Final = {"type": "object", "properties": {"type": {"type": "string"}}, "required": ["type"]}
_CONTENT_SCHEMA: Final = {"anyOf": [{"type": "string"}, {"type": "array", "items": _BLOCK_SCHEMA}]}


class MessageBody(BaseModel):
    """One message. Text, or an array of blocks; pictures, sound and files in the user's messages only."""

    model_config = ConfigDict(extra="ignore")

    role: Annotated[Role, WithJsonSchema({"enum": list(ROLES)})]
    content: Annotated[Any, WithJsonSchema(_CONTENT_SCHEMA)]

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
    """A chat completion. Unknown fields are ignored, null is omitted, `"true"` and `"0.5"` mean what they say."""

    model_config = ConfigDict(extra="ignore")

    model: str = Field(description="An id of `GET /v1/models`.")
    messages: Annotated[list[MessageBody], Field(description="The conversation so far.")]
    stream: Annotated[bool | None, BeforeValidator(boolean("stream"))] = Field(
        None, description="Whether to stream. Omitted: the setting `app.stream`."
    )
    reasoning_effort: ReasoningEffort | None = Field(
        None, description="`none` hides the thinking, anything else shows it. Omitted: the setting `app.thinking`."
    )
    temperature: Annotated[float, BeforeValidator(number("temperature", 0, 2, 0.8))] = 0.8
    top_p: Annotated[float, BeforeValidator(number("top_p", 0, 1, 0.95))] = 0.95
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
        return value

    @field_validator("reasoning_effort", mode="before")
    @classmethod
    def _known_effort(cls, value: Any) -> Any:
        if value is not None and value not in _EFFORTS:
            raise PydanticCustomError("invalid_reasoning_effort", f"reasoning_effort must be one of {_EFFORTS}")
        return value

    def as_request(self) -> ChatRequest:
        """The request in the service's words.

        Raises:
            InvalidRequestError: A message carries media, which this version can't send to Grok yet.
        """
        for index, message in enumerate(self.messages):
            if (place := first_media(message.content)) is not None:
                raise InvalidRequestError(
                    "Pictures, sound and files in messages are not supported by this version",
                    code="unsupported_content",
                    param=f"messages.{index}.content.{place}",
                )
        return ChatRequest(
            model=self.model,
            messages=tuple(Message(message.role, message_text(message.content)) for message in self.messages),
            temperature=self.temperature,
            top_p=self.top_p,
            reasoning_effort=self.reasoning_effort,
        )
