"""Signing in to the console, and out."""

from typing import Any, Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from grok_app.access import SESSION_COOKIE, SESSION_S, ConsoleSession, is_https
from grok_app.api.body import json_body, read_json
from grok_app.api.deps import Current, SessionCookie, address_of, peer_of, refuse_other_sites
from grok_app.api.responses import json_response
from grok_app.runtime import Services

router = APIRouter(prefix="/session", tags=["admin"])
_BODY_LIMIT_BYTES: Final = 10_000  # read before we know who asks
_NOT_FROM_OTHERS: Final = [Depends(refuse_other_sites)]


class SignIn(BaseModel):
    """What opens the console."""

    model_config = ConfigDict(hide_input_in_errors=True)

    app_key: SecretStr = Field(description="The operator's key.")


@router.post("", summary="Sign in to the console", openapi_extra=json_body(SignIn), dependencies=_NOT_FROM_OTHERS)
async def sign_in(request: Request, services: Current) -> Response:
    """Answers with the session's cookie and, as `expires_at`, when it ends (Unix milliseconds).

    Too many wrong keys from one address make it wait: 429 with `Retry-After`.
    """
    body = await read_json(request, SignIn, limit_bytes=_BODY_LIMIT_BYTES)
    session = await services.sessions.sign_in(body.app_key.get_secret_value(), address_of(request, services))
    answer = json_response(_as_json(session))
    answer.set_cookie(SESSION_COOKIE, session.cookie, max_age=SESSION_S, **_cookie_rules(request, services))
    return answer


@router.get("", summary="Show the console's session")
async def show_session(services: Current, cookie: SessionCookie) -> Response:
    """Answers when the session ends, or 401 where there is none."""
    return json_response(_as_json(await services.sessions.check(cookie)))


@router.delete(
    "",
    summary="Sign out of the console",
    dependencies=_NOT_FROM_OTHERS,
    openapi_extra={"security": [{}]},  # who has no session is signed out already
)
async def sign_out(request: Request, services: Current, cookie: SessionCookie) -> Response:
    """End the session, here and for everyone who holds a copy of its cookie."""
    await services.sessions.sign_out(cookie)
    answer = json_response({"status": "success"})
    answer.delete_cookie(SESSION_COOKIE, **_cookie_rules(request, services))
    return answer


def _as_json(session: ConsoleSession) -> dict[str, Any]:
    return {"status": "success", "expires_at": session.expires_at_ms}


def _cookie_rules(request: Request, services: Services) -> dict[str, Any]:
    is_secure = is_https(request.scope["scheme"], peer_of(request), request.headers.raw, services.env.trusted_proxies)
    return {"path": "/", "secure": is_secure, "httponly": True, "samesite": "lax"}
