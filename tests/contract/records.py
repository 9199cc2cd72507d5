"""What a gateway has recorded of a request, read from its database as another process would."""

import asyncio
from uuid import uuid4

from grok_app.db import open_database, open_vault
from grok_app.requests import RequestDetail, RequestQuery
from grok_app.requests.repository import RequestRepository
from tests.servers import Gateway, eventually


def named() -> dict[str, str]:
    """A header that names a request, so that it is found again."""
    return {"x-request-id": uuid4().hex}


def recorded(gateway: Gateway, headers: dict[str, str]) -> RequestDetail:
    """The one record of the request with this name. It is written a second after the end, about."""
    [found] = eventually(lambda: written(gateway, headers))
    return found


def written(gateway: Gateway, headers: dict[str, str]) -> list[RequestDetail]:
    """What is there by now of requests with this name. They are written in the order of their ends."""
    return asyncio.run(_find(gateway, headers["x-request-id"]))


async def _find(gateway: Gateway, request_id: str) -> list[RequestDetail]:
    folder = gateway.process.folder
    async with open_database(f"sqlite:///{folder / 'grok_app.db'}") as database:
        repository = RequestRepository(database, open_vault("", folder))
        found = await repository.find(RequestQuery(search=request_id))
        details = [await repository.get(item.id) for item in found.items]
    return [detail for detail in details if detail]
