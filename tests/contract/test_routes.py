"""Where things answer, and how errors of any route look. Source: API contract, sections 1 and 3."""

import re
from urllib.parse import urljoin

import orjson
import pytest

from tests.contract.wire import CHAT, ask, body, error_of
from tests.servers import Gateway

_ADMIN = {
    "/verify": "get",
    "/storage": "get",
    "/config": "get post",
    "/session": "get post delete",
    "/tokens": "get post patch",
    "/tokens/add": "post",
    "/tokens/delete": "post",
    "/tokens/export": "post",
    "/tokens/refresh": "post",
    "/tokens/refresh/async": "post",
    "/tokens/nsfw/enable": "post",
    "/tokens/nsfw/enable/async": "post",
    "/cache": "get",
    "/cache/list": "get",
    "/cache/clear": "post",
    "/cache/item/delete": "post",
    "/cache/online/clear": "post",
    "/cache/online/clear/async": "post",
    "/cache/online/load/async": "post",
    "/batch/{task_id}/stream": "get",
    "/batch/{task_id}/cancel": "post",
    "/batch/{task_id}/pause": "post",
    "/batch/{task_id}/resume": "post",
}
_PUBLIC = {
    "/verify": "get",
    "/chat/completions": "post",
    "/imagine/config": "get",
    "/imagine/start": "post",
    "/imagine/sse": "get",
    "/imagine/stop": "post",
    "/video/start": "post",
    "/video/sse": "get",
    "/video/stop": "post",
    "/voice/token": "get post",
}
ROUTES = {
    "/healthz": "get",
    "/readyz": "get",
    "/metrics": "get",
    "/v1/chat/completions": "post",
    "/grok/v1/chat/completions": "post",
    **{f"{prefix}/images/{what}": "post" for prefix in ("/v1", "/grok/v1") for what in ("generations", "edits")},
    "/v1/models": "get",
    "/grok/v1/models": "get",
    "/v1/models/{model_id}": "get",
    "/grok/v1/models/{model_id}": "get",
    "/v1/files/image/{name}": "get",
    "/grok/v1/files/image/{name}": "get",
    "/v1/files/video/{name}": "get",
    "/grok/v1/files/video/{name}": "get",
    **{f"{prefix}{path}": methods for prefix in ("/v1/admin", "/api/v1/admin") for path, methods in _ADMIN.items()},
    **{f"{prefix}{path}": methods for prefix in ("/v1/public", "/api/v1/public") for path, methods in _PUBLIC.items()},
}
PREFIXES = ["", "/v1", "/grok/v1", "/api/v1", "/v1/admin", "/api/v1/public"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_needs_no_key(gateway: Gateway, path: str) -> None:
    """A probe learns that the process is up and ready, without a key."""
    assert gateway.stranger.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/v1/models", "/v1/models/grok-4/"])
def test_head_answers_where_get_does(gateway: Gateway, path: str) -> None:
    """A probe that asks with HEAD gets the same answer without its body (RFC 9110, section 9.3.2)."""
    answer = gateway.http.head(path)

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == gateway.http.get(path).headers["content-length"]


@pytest.mark.parametrize("path", [CHAT, f"{CHAT}/", f"/grok{CHAT}", f"/grok{CHAT}/", f"{CHAT}//"])
def test_a_post_is_served_at_once_with_or_without_a_slash(gateway: Gateway, path: str) -> None:
    """A trailing slash is accepted on every prefix, and no POST is ever redirected."""
    answer = gateway.http.post(path, json=body("Hello", stream=False), follow_redirects=False)

    assert answer.status_code == 200
    assert answer.json()["object"] == "chat.completion"


@pytest.mark.parametrize("path", ["/v1/models/", "/v1/models/grok-4/", "/grok/v1/models/", "/healthz/", "/docs/"])
def test_a_get_takes_a_trailing_slash(gateway: Gateway, path: str) -> None:
    """A trailing slash is accepted everywhere."""
    assert gateway.http.get(path, follow_redirects=False).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("prefix", PREFIXES, ids=lambda prefix: prefix or "root")
def test_an_unknown_route_is_a_json_404(gateway: Gateway, prefix: str, method: str) -> None:
    """Nothing answers with HTML or an empty body: a route that isn't there says so in JSON."""
    answer = gateway.http.request(method, f"{prefix}/no/such/route")

    assert answer.status_code == 404
    error = error_of(answer)
    assert (error["type"], error["code"]) == ("not_found_error", "not_found")
    assert f"{prefix}/no/such/route" in error["message"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "GET", "POST"])
@pytest.mark.parametrize("path", [path for path in ROUTES if "{" not in path])
def test_a_wrong_method_is_a_json_405_that_names_the_right_one(gateway: Gateway, path: str, method: str) -> None:
    """The method that a route has not is refused, and `Allow` says which it has."""
    allowed = ROUTES[path].upper().split()
    if method in allowed:
        return
    answer = gateway.http.request(method, path)

    assert answer.status_code == 405
    assert set(allowed) <= {name.strip() for name in answer.headers["allow"].split(",")}
    error = error_of(answer)
    assert (error["type"], error["code"]) == ("invalid_request_error", "method_not_allowed")


@pytest.mark.parametrize("given", ["req-1", "A.b_c-9", "f" * 128], ids=["short", "signs", "longest"])
def test_a_sane_request_id_is_echoed(gateway: Gateway, given: str) -> None:
    """A caller finds its own id on the answer."""
    assert gateway.http.get("/v1/models", headers={"x-request-id": given}).headers["x-request-id"] == given


@pytest.mark.parametrize(
    "given", ["", "a b", "<script>", "x" * 129, "id\u00e9"], ids=["empty", "space", "markup", "too long", "accent"]
)
def test_another_request_id_is_replaced(gateway: Gateway, given: str) -> None:
    """An id that could do harm in a log is replaced by one of ours."""
    answer = gateway.http.get("/v1/models", headers=[(b"x-request-id", given.encode())])

    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_every_answer_has_an_id_of_its_own(gateway: Gateway, stream: bool) -> None:
    """Two requests without an id can be told apart, streams too."""
    ids = {ask(gateway, "Hello", stream=stream).headers["x-request-id"] for _ in range(2)}

    assert len(ids) == 2


def test_a_body_over_the_limit_is_refused(gateway: Gateway) -> None:
    """More than 100 MB is a 413, not a crash and not a cut connection."""
    answer = gateway.http.post(CHAT, content=b" " * ((100 << 20) + 1))

    assert answer.status_code == 413
    error = error_of(answer)
    assert (error["type"], error["code"]) == ("invalid_request_error", "request_too_large")


def test_openapi_lists_every_route(gateway: Gateway) -> None:
    """`/openapi.json` is OpenAPI 3.1, needs no key, and has each route under each of its prefixes."""
    document = gateway.stranger.get("/openapi.json").raise_for_status().json()

    assert document["openapi"].startswith("3.1.")
    for path, methods in ROUTES.items():
        assert set(methods.split()) == document["paths"][path].keys(), path
    body_schema = document["paths"][CHAT]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert {"model", "messages", "stream", "reasoning_effort"} <= body_schema["properties"].keys()


def test_docs_load_nothing_from_other_hosts(gateway: Gateway) -> None:
    """The reference works on a machine without internet: all that it loads comes from us, and is there."""
    page = gateway.stranger.get("/docs").raise_for_status()

    assert page.headers["content-type"].startswith("text/html")
    links = re.findall(r"""(?:src|href|url:)\s*[=]?\s*["']([^"']+)["']""", page.text)
    assert len(links) >= 3
    for link in links:
        url = urljoin(f"{gateway.url}/docs", link)
        assert url.startswith(gateway.url), link
        assert gateway.stranger.get(url).status_code == 200, link


@pytest.mark.parametrize(
    "path", ["/v1/models", "/v1/nothing", "/docs", "/docs/assets/swagger-ui.css", "/openapi.json", "/healthz"]
)
def test_answers_give_a_browser_no_rights(gateway: Gateway, path: str) -> None:
    """None is taken for another type or shown in a frame; scripts run in the reference alone, and only its own."""
    headers = gateway.http.get(path).headers
    assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")
    assert headers["referrer-policy"] == "same-origin"
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self' 'sha256-" in policy if path == "/docs" else policy.startswith("default-src 'none'")
    assert "script-src 'self' 'unsafe" not in policy


def test_other_origins_are_not_let_in_by_default(gateway: Gateway) -> None:
    """Without `GROK_APP_CORS_ORIGINS` no browser page of another origin may read answers or send the key."""
    origin = {"Origin": "https://elsewhere.example"}
    simple = gateway.http.get("/v1/models", headers=origin)
    preflight = gateway.http.options(CHAT, headers={**origin, "Access-Control-Request-Method": "POST"})

    for answer in (simple, preflight):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_named_origin_is_let_in(changed: Gateway) -> None:
    """A page of an origin in `GROK_APP_CORS_ORIGINS` may call, and may read the request id; no other may."""
    named, other = ({"Origin": f"https://{host}.example.com"} for host in ("chat", "other"))
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    preflight = changed.http.options(CHAT, headers={**named, **asks})
    answer = changed.http.get("/v1/models", headers=named)
    refused = changed.http.get("/v1/models", headers=other)

    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "https://chat.example.com"
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    assert answer.headers["access-control-allow-origin"] == "https://chat.example.com"
    assert answer.headers["access-control-expose-headers"] == "x-request-id, traceparent, retry-after"
    assert "access-control-allow-origin" not in refused.headers


def test_a_body_may_come_in_chunks(gateway: Gateway) -> None:
    """A client that doesn't know the length of its body beforehand is served all the same."""
    text = orjson.dumps(body("Hello", stream=False))
    answer = gateway.http.post(CHAT, content=(text[place : place + 7] for place in range(0, len(text), 7)))

    assert answer.status_code == 200
