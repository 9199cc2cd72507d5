"""Pictures through the official `openai` client: seen, drawn, changed."""

from base64 import b64decode, b64encode
from io import BytesIO

import openai
import pytest
from openai.types import ImageGenCompletedEvent
from openai.types.chat import ChatCompletionContentPartParam
from PIL import Image

from tests.servers import Sandbox

DRAW = "grok-imagine-1.0"
EDIT = "grok-imagine-1.0-edit"


def test_a_picture_and_a_file_are_seen(client: openai.OpenAI, sandbox: Sandbox, question: str, red: bytes) -> None:
    """`image_url` and `file` blocks with data URIs are uploaded for Grok."""
    blocks: list[ChatCompletionContentPartParam] = [
        {"type": "text", "text": question},
        {"type": "image_url", "image_url": {"url": data_uri("image/png", red), "detail": "low"}},
        {"type": "file", "file": {"filename": "a.txt", "file_data": data_uri("text/plain", b"Cheese")}},
    ]
    answer = client.chat.completions.create(
        model="grok-4", messages=[{"role": "user", "content": blocks}], stream=False
    )
    [asked] = sandbox.asked(question)

    assert question in (answer.choices[0].message.content or "")
    assert len(asked["body"]["fileAttachments"]) == 2


def test_pictures_are_drawn(client: openai.OpenAI, question: str) -> None:
    """`images.generate` draws as many as asked for, with the parameters of other models."""
    answer = client.images.generate(
        model=DRAW,
        prompt=question,
        n=2,
        size="1024x1024",
        response_format="b64_json",
        quality="high",
        style="vivid",
        user="me",
    )

    assert answer.data is not None
    assert [Image.open(BytesIO(b64decode(item.b64_json or ""))).format for item in answer.data] == ["JPEG", "JPEG"]
    assert answer.usage is not None
    assert answer.usage.total_tokens > 0


def test_a_picture_is_drawn_in_stages(client: openai.OpenAI, question: str) -> None:
    """`images.generate(stream=True)` gives the SDK's own events, a finished one last."""
    with client.images.generate(
        model=DRAW, prompt=question, stream=True, partial_images=2, response_format="b64_json"
    ) as stream:
        *partial, last = stream

    assert {event.type for event in partial} == {"image_generation.partial_image"}
    assert isinstance(last, ImageGenCompletedEvent)
    assert Image.open(BytesIO(b64decode(last.b64_json))).format == "JPEG"


@pytest.mark.parametrize("form", ["tuple", "list"])
def test_a_picture_is_changed(client: openai.OpenAI, question: str, red: bytes, form: str) -> None:
    """`images.edit` takes one picture, or several."""
    picture = ("red.png", red, "image/png")
    answer = client.images.edit(
        model=EDIT, image=picture if form == "tuple" else [picture, picture], prompt=question, response_format="url"
    )

    assert answer.data is not None
    assert (answer.data[0].url or "").startswith("http")


def test_a_picture_is_changed_in_stages(client: openai.OpenAI, question: str, red: bytes) -> None:
    """`images.edit(stream=True)` ends with a finished picture, in events that are named as those of a drawing."""
    with client.images.edit(
        model=EDIT, image=("red.png", red, "image/png"), prompt=question, stream=True, response_format="b64_json"
    ) as stream:
        *_, last = stream

    assert str(last.type) == "image_generation.completed"  # the SDK knows image_edit.completed; our contract has this
    assert Image.open(BytesIO(b64decode(last.b64_json))).format == "JPEG"


def test_a_wrong_size_is_a_bad_request(client: openai.OpenAI) -> None:
    """What cannot be drawn is said with the field's name."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(model=DRAW, prompt="A teapot", size="512x512")

    assert (caught.value.param, caught.value.code) == ("size", "invalid_size")


def data_uri(mime: str, content: bytes) -> str:
    """The content as a data URI."""
    return f"data:{mime};base64,{b64encode(content).decode()}"
