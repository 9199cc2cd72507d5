"""`POST /v1/images/generations` and `POST /v1/images/edits`. Source: API contract, section 6."""

from collections.abc import Coroutine
from contextlib import ExitStack
from typing import Any, Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from grok_app.api.body import json_body, read_json, read_with_files
from grok_app.api.deps import Current, own_url, require_api_key, take_room, take_turn
from grok_app.api.errors import schema_error
from grok_app.api.form import FORM, files_of, is_form, read_form
from grok_app.api.held import Held
from grok_app.api.openai.given import source
from grok_app.api.openai.image_answer import end_images_with_error, images_json, write_image_events
from grok_app.api.openai.image_options import ImageOptions
from grok_app.api.openai.images_body import IMAGE_NAMES, MOST_IMAGES, EditBody, EditJson, ImagesBody
from grok_app.api.responses import NOBODY_LEFT, json_response
from grok_app.api.sse import EventStream, stream_of
from grok_app.api.until import until_disconnect
from grok_app.errors import InvalidRequestError
from grok_app.imagine import EditRequest, Form, ImagesRequest, Pictures, image_usage
from grok_app.media import MOST_BYTES, Source, SourceKind
from grok_app.runtime import Services

router = APIRouter(prefix="/images", tags=["images"], dependencies=[Depends(require_api_key)])
_MOST_FILES: Final = 64
"""More than are taken, so that too many are counted and named."""
_FORM_BYTES: Final = MOST_IMAGES * MOST_BYTES + (1 << 20)
_ANSWER: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The pictures",
        "content": {
            "application/json": {"schema": {"type": "object", "description": "`data` with `url` or `b64_json` each."}},
            **stream_of("`image_generation.partial_image` and `image_generation.completed` events."),
        },
    }
}
_EDIT_BODY: Final = json_body(EditJson)
_EDIT_BODY["requestBody"]["content"][FORM] = {
    "schema": {
        "type": "object",
        "required": ["prompt", "image"],
        "properties": {
            **EditBody.model_json_schema()["properties"],
            "image": {"type": "array", "items": {"type": "string", "format": "binary"}, "maxItems": MOST_IMAGES},
        },
    }
}


@router.post("/generations", summary="Draw pictures", openapi_extra=json_body(ImagesBody), responses=_ANSWER)
async def generate_images(request: Request, services: Current, held: Held) -> Response:
    """Draw pictures of a text, whole or every stage as it comes."""
    await take_turn(request, services, held)
    body = await read_json(request, ImagesBody)
    await take_room(services, held)
    form = body.form(services.settings.snapshot)
    drawing = ImagesRequest(body.prompt, body.n, body.aspect_ratio, form, body.nsfw, own_url=own_url(request, services))
    return await answer_images(services, request, drawing, body, is_streamed=body.stream)


@router.post("/edits", summary="Change pictures", openapi_extra=_EDIT_BODY, responses=_ANSWER)
async def edit_images(request: Request, services: Current, files: Held) -> Response:
    """Change pictures as a text says. A form with files, or JSON with data URIs or URLs."""
    await take_turn(request, services, files)
    body, given = await (_read_form if is_form(request) else _read_json)(request, files)
    await take_room(services, files)
    form = body.form(services.settings.snapshot)
    edit = EditRequest(body.prompt, body.n, given, form, own_url(request, services))
    return await answer_edit(services, request, edit, body, is_streamed=body.stream)


async def answer_images(
    services: Services, request: Request, drawing: ImagesRequest, options: ImageOptions, *, is_streamed: bool
) -> Response:
    """Drawn pictures, streamed or whole.

    Raises:
        InvalidRequestError: They are to be streamed, and too many for that.
    """
    if not is_streamed:
        return await _whole(services.imagine.draw(drawing), drawing.form, request)
    options.check_streamed()
    events = services.imagine.stream(drawing)
    usage = image_usage(drawing.prompt, 0, 1)
    return EventStream(write_image_events(events, drawing.form, options.size, usage), end_images_with_error)


async def answer_edit(
    services: Services, request: Request, edit: EditRequest, options: ImageOptions, *, is_streamed: bool
) -> Response:
    """Changed pictures, streamed or whole. See `answer_images`."""
    if not is_streamed:
        return await _whole(services.edits.edit(edit), edit.form, request)
    options.check_streamed()
    events = services.edits.stream(edit)
    usage = image_usage(edit.prompt, len(edit.images), 1)
    return EventStream(write_image_events(events, edit.form, options.size, usage), end_images_with_error)


async def _whole(work: Coroutine[Any, Any, Pictures], form: Form, request: Request) -> Response:
    pictures = await until_disconnect(work, request.receive)
    return json_response(images_json(pictures, form)) if pictures else NOBODY_LEFT


async def _read_json(request: Request, held: ExitStack) -> tuple[EditBody, tuple[Source, ...]]:
    body, lifter = await read_with_files(request, EditJson, held)
    _check_count(len(body.image))
    return body, tuple(source(value, SourceKind.EDITABLE, "image", lifter) for value in body.image)


async def _read_form(request: Request, held: ExitStack) -> tuple[EditBody, tuple[Source, ...]]:
    form = await read_form(request, held, most_files=_MOST_FILES, limit_bytes=_FORM_BYTES)
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    try:
        body = EditBody.model_validate(fields)
    except ValidationError as error:
        raise schema_error(error) from error
    files = [file for file in files_of(form, IMAGE_NAMES) if isinstance(file, UploadFile)]
    _check_count(len(files))
    return body, tuple(
        Source(SourceKind.EDITABLE, "image", file.file, file.filename or "", _mime_type(file)) for file in files
    )


def _check_count(count: int) -> None:
    if not count:
        raise InvalidRequestError("Image is required", param="image", code="missing_image")
    if count > MOST_IMAGES:
        message = f"Too many images. Maximum is {MOST_IMAGES}."
        raise InvalidRequestError(message, param="image", code="invalid_image_count")


def _mime_type(file: UploadFile) -> str:
    return (file.content_type or "").partition(";")[0].strip().lower()
