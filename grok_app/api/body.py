"""Reading a JSON body: limited in size, parsed and validated in one pass."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing, asynccontextmanager, closing
from typing import Any, Final, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from grok_app.api.errors import schema_error
from grok_app.api.lifting import Lifter
from grok_app.errors import InvalidRequestError, OverloadedError, RequestTooLargeError
from grok_app.media import MOST_BYTES, storing

BODY_LIMIT_BYTES: Final = 100 << 20
"""A few attachments of 50 MB, in base64, and the words around them; or lists of accounts."""
_PLAIN_LIMIT_BYTES: Final = 1 << 20
"""Of a body without files and long lists."""
_TEXT_LIMIT_BYTES: Final = 20 << 20
"""Of what stays text when files are taken out. It is in memory five times while it is read (2026-11-28), so that a file
which isn't taken out costs no more than twice the size of the largest one."""
_PART_LIMIT_S: Final = 30.0
"""Longest silence within a body."""
_TOTAL_LIMIT_S: Final = 1800.0
"""For all of a body: 16 pictures of 50 MB over a slow line, but nobody who sends a byte now and then."""
ModelT = TypeVar("ModelT", bound=BaseModel)


async def read_json(
    request: Request, model: type[ModelT], *, limit_bytes: int = _PLAIN_LIMIT_BYTES, is_optional: bool = False
) -> ModelT:
    """Read the body of a request as this model, whatever its content type says.

    Args:
        request: Whose body.
        model: Of the body.
        limit_bytes: The largest body that is taken.
        is_optional: Whether no body at all stands for an empty object.

    Raises:
        InvalidRequestError: It is not JSON, or not what the model wants; the error names the field.
        RequestTooLargeError: It is larger than we take.
    """
    return _validate(model, await _read(request, limit_bytes) or (b"{}" if is_optional else b""))


async def read_with_files(request: Request, model: type[ModelT], held: ExitStack) -> tuple[ModelT, Lifter]:
    """Read the body of a request as this model, but keep large files in it out of memory.

    What isn't a file may be less than the whole body may.

    Args:
        request: Whose body.
        model: Of the body. In its texts, a mark stands for a large file.
        held: Closes the files when they are needed no more.

    Returns:
        The body, and what finds the file of a mark.

    Raises:
        InvalidRequestError: As `read_json` does.
        RequestTooLargeError: As `read_json` does.
    """
    lifter = held.enter_context(closing(Lifter(file_limit_bytes=MOST_BYTES)))
    async with storing_parts(request, BODY_LIMIT_BYTES) as parts:
        async for part in parts:
            if lifter.kept_bytes <= _TEXT_LIMIT_BYTES:  # else the rest is dropped: who still sends reads no answer
                lifter.feed(part)
    with storing():
        text = lifter.finish()
        if len(text) > _TEXT_LIMIT_BYTES:
            raise RequestTooLargeError(f"The request has more than {_TEXT_LIMIT_BYTES:,} bytes of text")
        return _validate(model, text), lifter


@asynccontextmanager
async def storing_parts(request: Request, limit_bytes: int) -> AsyncGenerator[AsyncGenerator[bytes, None], None]:
    """The parts of a body as they come, for a block that stores them. See `limited`.

    Raises:
        OverloadedError: They can't be stored. The rest has been read then: who still sends reads no answer.
    """
    async with aclosing(limited(request, limit_bytes)) as parts:
        try:
            with storing():
                yield parts
        except OverloadedError:
            async for _ in parts:
                pass
            raise


async def limited(request: Request, limit_bytes: int) -> AsyncGenerator[bytes, None]:
    """The parts of a body as they come.

    Raises:
        InvalidRequestError: One is waited for too long.
        RequestTooLargeError: It is larger than the limit.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + _TOTAL_LIMIT_S
    size, goes_on = 0, True
    while goes_on:
        part, goes_on = await _next_part(request, min(loop.time() + _PART_LIMIT_S, end))
        size += len(part)
        if size > limit_bytes:
            raise RequestTooLargeError(f"The request body is larger than {limit_bytes:,} bytes")
        yield part


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI description of a body that `read_json` reads, for a route's `openapi_extra`."""
    schema = model.model_json_schema()
    schema = _inline(schema, schema.pop("$defs", {}))
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _inline(node: Any, definitions: dict[str, Any]) -> Any:
    """The schema with every reference replaced by what it refers to: OpenAPI looks for them elsewhere."""
    if isinstance(node, list):
        return [_inline(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if reference := node.get("$ref"):
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return {**_inline(definitions[reference.rpartition("/")[2]], definitions), **_inline(beside, definitions)}
    return {key: _inline(value, definitions) for key, value in node.items()}


async def _next_part(request: Request, until: float) -> tuple[bytes, bool]:
    """The next part of a body, and whether more follow. Waits until then, by the loop's clock."""
    try:
        async with asyncio.timeout_at(until):
            message = await request.receive()
    except TimeoutError:
        raise InvalidRequestError("The request body did not arrive in time", code="body_timeout") from None
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message.get("body", b""), message.get("more_body", False)


async def _read(request: Request, limit_bytes: int) -> bytes:
    async with aclosing(limited(request, limit_bytes)) as parts:
        return b"".join([part async for part in parts])


def _validate(model: type[ModelT], body: bytes) -> ModelT:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise schema_error(error) from error
