"""Errors that are no GatewayError, as callers see them."""

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import DatabaseError, InterfaceError, InternalError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnectionError

from grok_app.api.errors import add_error_handlers

CAUSE = OSError("connection to 10.0.0.7 failed")


def failing(error: Exception) -> httpx.AsyncClient:
    """A client of an app that fails so."""
    app = FastAPI()
    add_error_handlers(app)

    @app.get("/")
    async def fail() -> None:
        raise error

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.example")


@pytest.mark.parametrize(
    "error",
    [
        *(
            kind("SELECT secret", None, CAUSE)
            for kind in (OperationalError, InterfaceError, InternalError, DatabaseError)
        ),
        NoConnectionError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_database_that_is_away_is_no_bug(error: Exception) -> None:
    """The caller may try again, and isn't told what the driver says of addresses and users.

    SQLite raises a bare DatabaseError for a file that is no database any more.
    """
    async with failing(error) as client:
        answer = await client.get("/")
    assert answer.status_code == 503
    assert answer.json()["error"] == {
        "message": "The database does not answer. Please try again soon.",
        "type": "service_unavailable_error",
        "param": None,
        "code": "overloaded",
    }


async def test_a_wrong_statement_is_a_bug() -> None:
    """What the database refuses for our own fault is not said to be its."""
    async with failing(ProgrammingError("SELECT secret", None, CAUSE)) as client:
        with pytest.raises(ProgrammingError):
            await client.get("/")
