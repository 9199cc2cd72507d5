"""What routes ask for: the services, and a caller that may call."""

from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from grok_app.runtime import Services, current


async def current_services() -> Services:
    """The services of this process. Async, since FastAPI sends plain functions through a thread."""
    return current()


Current = Annotated[Services, Depends(current_services)]

_bearer = HTTPBearer(auto_error=False, description="A key of the gateway.")
_api_key = APIKeyHeader(name="x-api-key", auto_error=False, description="A key of the gateway.")
_Bearer = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]


async def require_api_key(
    services: Current, bearer: _Bearer, api_key: Annotated[str | None, Security(_api_key)]
) -> None:
    """Let only callers in that show an API key.

    Raises:
        AuthenticationError: They don't.
    """
    services.access.check_api(bearer.credentials if bearer else api_key)


async def require_app_key(services: Current, bearer: _Bearer) -> None:
    """Let only the operator in.

    Raises:
        AuthenticationError: It is someone else.
    """
    services.access.check_admin(bearer.credentials if bearer else None)


async def require_public_key(services: Current, bearer: _Bearer) -> None:
    """Let only visitors of the studio in.

    Raises:
        AuthenticationError: They show no key, or a wrong one.
    """
    services.access.check_public(bearer.credentials if bearer else None)
