"""Who may use the studio. Source: API contract, section 2."""

import pytest

from tests.conftest import API_KEY, APP_KEY, PUBLIC_KEY
from tests.contract.admin import bearer
from tests.contract.public import FILM, GUARDED, OPEN, PREFIXES, SSE, WS, begin, film_of, listening, post
from tests.contract.runs import finals
from tests.contract.websocket import connected, upgrade_status
from tests.contract.wire import error_of
from tests.servers import Gateway

MISSING = "Missing authentication token"
INVALID = "Invalid authentication token"

prefixes = pytest.mark.parametrize("prefix", PREFIXES)
guarded_routes = pytest.mark.parametrize("route", GUARDED, ids=" ".join)
Route = tuple[str, str]
"""Method and path."""


@prefixes
@guarded_routes
@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, MISSING),
        ({"x-api-key": PUBLIC_KEY}, MISSING),
        (bearer("wrong"), INVALID),
        (bearer(API_KEY), INVALID),
        (bearer(APP_KEY), INVALID),
    ],
    ids=["none", "x-api-key", "wrong", "API's", "operator's"],
)
def test_what_needs_the_key_says_so(
    studio: Gateway, prefix: str, route: Route, headers: dict[str, str], message: str
) -> None:
    """Whatever the body: without the visitors' key there is only a 401 that says what is wrong."""
    method, path = route
    answer = studio.stranger.request(method, f"{prefix}{path}", headers=headers, content=b"not looked at")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    expected = {"message": message, "type": "authentication_error", "param": None, "code": "invalid_api_key"}
    assert error_of(answer) == expected


@guarded_routes
def test_a_key_in_the_query_opens_streams_only(studio: Gateway, route: Route) -> None:
    """An EventSource can't send headers, and whoever can must: addresses end up in logs."""
    method, path = route
    answer = studio.stranger.request(method, f"{PREFIXES[0]}{path}", params={"public_key": PUBLIC_KEY}, json={})

    if path == "/imagine/sse":
        assert (answer.status_code, error_of(answer)["code"]) == (400, "empty_prompt")
    else:
        assert (answer.status_code, error_of(answer)["message"]) == (401, MISSING)


@prefixes
@pytest.mark.parametrize("route", OPEN, ids=" ".join)
@pytest.mark.parametrize("headers", [{}, bearer("wrong")], ids=["none", "wrong"])
def test_the_rest_needs_no_key(studio: Gateway, prefix: str, route: Route, headers: dict[str, str]) -> None:
    """The settings of pictures are for everybody, and a task is a key of its own."""
    method, path = route
    answer = studio.stranger.request(method, f"{prefix}{path}", params={"task_id": "nobody"}, headers=headers)

    assert answer.status_code == (404 if path == "/video/sse" else 200)


@prefixes
@guarded_routes
def test_a_trailing_slash_is_accepted(studio: Gateway, prefix: str, route: Route) -> None:
    """It answers as without, and never redirects."""
    method, path = route
    answers = [
        studio.stranger.request(method, f"{prefix}{path}{slash}", headers=bearer(PUBLIC_KEY), content=b"{")
        for slash in ("", "/")
    ]

    assert answers[0].status_code == answers[1].status_code
    assert answers[0].status_code == (200 if path == "/verify" else 400)


def test_without_a_public_key_the_studio_is_open(changed: Gateway, question: str) -> None:
    """An empty `app.public_key` lets every visitor draw and film."""
    started = changed.stranger.post("/v1/public/video/start", json={"prompt": question})
    film_of(changed, started.raise_for_status().json()["task_id"])

    assert changed.stranger.post("/v1/public/imagine/start", json={"prompt": question}).status_code == 200
    with listening(changed, {"prompt": question}) as events:
        finals(events, 1)


def test_the_key_stays_out_of_the_log(studio: Gateway, question: str) -> None:
    """However it was shown, right or wrong; a task's id, which opens a door as well, stays out too."""
    task_id = begin(studio, question)
    by_query = {"public_key": PUBLIC_KEY, "prompt": question}
    with listening(studio, by_query) as events:
        next(events)
    with connected(studio, WS, {"public_key": PUBLIC_KEY}) as socket:
        socket.say(type="start", prompt=question)
        next(socket)
    with listening(studio, {"task_id": task_id}) as events:
        next(events)
    studio.stranger.get(SSE, params={**by_query, "public_key": "guessed-5f1c"})
    upgrade_status(studio, WS, {"public_key": "guessed-5f1c"})
    upgrade_status(studio, WS, headers=bearer("guessed-5f1c"))
    studio.stranger.get(FILM, params={"task_id": "nobody", "public_key": PUBLIC_KEY})
    post(studio, "/v1/public/imagine/start", {"prompt": None, "public_key": PUBLIC_KEY})

    log = studio.process.log()
    assert log
    for secret in (PUBLIC_KEY, "guessed-5f1c", task_id):
        assert secret not in log


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "https://chat.example.com"}, 400),
        ({}, 400),
    ],
    ids=["foreign", "foreign, without saying which", "named", "no page"],
)
def test_where_no_key_is_needed_foreign_pages_begin_no_run(
    changed: Gateway, headers: dict[str, str], status: int
) -> None:
    """A page that somebody visits draws nothing through that browser; those of `GROK_APP_CORS_ORIGINS` may.

    A blank prompt is as far as they get here.
    """
    answer = changed.stranger.get(SSE, params={"prompt": " "}, headers=headers)

    assert (answer.status_code, error_of(answer)["code"]) == (
        status,
        {403: "cross_site", 400: "empty_prompt"}[status],
    )
