"""Long work, watched and steered over HTTP. Source: API contract, section 10."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from types import SimpleNamespace
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI

from grok_app.api import deps
from grok_app.api.admin.batch import router
from grok_app.api.errors import add_error_handlers
from grok_app.tasks import ItemFailedError, Status, Tasks, open_tasks
from tests.access.fixed import OPERATOR_KEY, access_to, fixed
from tests.contract.wire import events
from tests.tasks.works import HandWork, job, settle

BATCH = "/v1/admin/batch"
RIGHT = {"Authorization": f"Bearer {OPERATOR_KEY}"}
PING = b": ping\n\n"
STEPS = ["cancel", "pause", "resume"]


@pytest.fixture
async def tasks(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Tasks, None]:
    """The tasks of a gateway that has an operator's key, and nothing else."""
    settings = fixed(app_key=OPERATOR_KEY)
    env = SimpleNamespace(trusted_proxies=(), cors_origins=())
    async with open_tasks() as tasks:
        services = SimpleNamespace(env=env, settings=settings, access=access_to(settings), tasks=tasks)
        monkeypatch.setattr(deps, "current", lambda: services)
        yield tasks


@pytest.fixture
def app() -> FastAPI:
    """The routes under test, as the gateway has them."""
    app = FastAPI()
    app.include_router(router, prefix="/v1/admin")
    add_error_handlers(app)
    return app


@pytest.fixture
async def stranger(app: FastAPI) -> AsyncGenerator[httpx.AsyncClient, None]:
    """A client without a key."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway.example") as client:
        yield client


@pytest.fixture
def operator(stranger: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client with the key."""
    stranger.headers.update(RIGHT)
    return stranger


async def story(operator: httpx.AsyncClient, task_id: str) -> list[dict[str, Any]]:
    """All events of a task's stream, up to its end."""
    answer = (await operator.get(f"{BATCH}/{task_id}/stream")).raise_for_status()
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.text.endswith("\n\n")
    return events(answer.text)


async def test_a_stream_tells_the_whole_story(tasks: Tasks, operator: httpx.AsyncClient) -> None:
    """A snapshot, a progress event per item with its reason where it failed, and `done` with the result."""
    work = HandWork()
    task = tasks.start(job(work, items="ab", conclude=lambda outcomes: {o.item: o.is_ok for o in outcomes}))
    watching = asyncio.create_task(story(operator, task.id))
    await settle()
    work.finish("b")
    await settle()
    work.fail("a", ItemFailedError("Grok said no."))

    same = {"task_id": task.id, "total": 2, "warning": None}
    assert await watching == [
        {"type": "snapshot", "status": "running", "processed": 0, "ok": 0, "fail": 0, **same},
        {"type": "progress", "status": "running", "processed": 1, "ok": 1, "fail": 0, "item": "b", **same},
        {
            "type": "progress",
            "status": "running",
            "processed": 2,
            "ok": 1,
            "fail": 1,
            "item": "a",
            "error": "Grok said no.",
            **same,
        },
        {
            "type": "done",
            "status": "done",
            "processed": 2,
            "ok": 1,
            "fail": 1,
            "result": {"a": False, "b": True},
            **same,
        },
    ]


async def test_a_finished_task_can_still_be_read(tasks: Tasks, operator: httpx.AsyncClient) -> None:
    """A snapshot and the end, at once; a warning of the whole is in both."""
    work = HandWork()
    task = tasks.start(job(work, items="a", warning="Two were left out."))
    await settle()
    work.finish("a")
    await task.wait()

    same = {"task_id": task.id, "status": "done", "total": 1, "processed": 1, "ok": 1, "fail": 0}
    assert await story(operator, task.id) == [
        {"type": "snapshot", "warning": "Two were left out.", **same},
        {"type": "done", "warning": "Two were left out.", "result": None, **same},
    ]


async def test_a_task_that_breaks_ends_with_an_error(tasks: Tasks, operator: httpx.AsyncClient) -> None:
    """In words that give nothing away."""

    def conclude(_: object) -> object:
        raise ZeroDivisionError("secret detail")

    task = tasks.start(job(HandWork(), items="", conclude=conclude))
    *_, end = await story(operator, task.id)

    assert (end["type"], end["status"], end["error"]) == ("error", "error", "Internal server error")
    assert "result" not in end


async def test_a_cancelled_task_finishes_what_is_under_way(tasks: Tasks, operator: httpx.AsyncClient) -> None:
    """The answer comes at once; the stream ends when the items under way have, with neither result nor error."""
    work = HandWork()
    task = tasks.start(job(work))
    watching = asyncio.create_task(story(operator, task.id))
    await settle()
    answer = await operator.post(f"{BATCH}/{task.id}/cancel")
    assert (answer.status_code, answer.json()) == (200, {"status": "success"})
    work.finish("ab")
    *_, end = await watching

    assert work.begun == ["a", "b"]
    assert end == {
        "type": "cancelled",
        "task_id": task.id,
        "status": "cancelled",
        "total": 4,
        "processed": 2,
        "ok": 2,
        "fail": 0,
        "warning": None,
    }


async def test_a_task_can_be_paused_and_resumed(tasks: Tasks, operator: httpx.AsyncClient) -> None:
    """No new item begins in between, and watchers see how it stands."""
    work = HandWork()
    task = tasks.start(job(work))
    await settle()
    paused = await operator.post(f"{BATCH}/{task.id}/pause")
    work.finish("ab")
    await settle()
    assert (paused.json(), task.status, work.begun) == ({"status": "success"}, Status.PAUSED, ["a", "b"])
    watching = asyncio.create_task(story(operator, task.id))
    await settle()
    resumed = await operator.post(f"{BATCH}/{task.id}/resume")
    await settle()
    work.finish("cd")
    first, *_, last = await watching

    assert resumed.json() == {"status": "success"}
    assert (first["status"], first["processed"], last["type"], last["processed"]) == ("paused", 2, "done", 4)


@pytest.mark.parametrize("step", STEPS)
async def test_what_is_over_stays_as_it_is(tasks: Tasks, operator: httpx.AsyncClient, step: str) -> None:
    """Steering too late is no error."""
    task = tasks.start(job(HandWork(), items=""))
    await task.wait()
    answer = await operator.post(f"{BATCH}/{task.id}/{step}")
    assert (answer.status_code, answer.json(), task.status) == (200, {"status": "success"}, Status.DONE)


@pytest.mark.usefixtures("tasks")
@pytest.mark.parametrize(("method", "step"), [("GET", "stream"), *(("POST", step) for step in STEPS)])
async def test_an_unknown_task_is_not_found(operator: httpx.AsyncClient, method: str, step: str) -> None:
    """A 404 in the shape of every error, on the stream too."""
    answer = await operator.request(method, f"{BATCH}/nobody/{step}")
    assert answer.status_code == 404
    assert answer.json()["error"] == {
        "message": "Task not found",
        "type": "not_found_error",
        "param": None,
        "code": "not_found",
    }


@pytest.mark.parametrize(
    ("query", "status"), [({"app_key": OPERATOR_KEY}, 200), ({"app_key": "wrong"}, 401), ({}, 401)], ids=str
)
async def test_a_stream_takes_the_key_from_its_query(
    tasks: Tasks, stranger: httpx.AsyncClient, query: dict[str, str], status: int
) -> None:
    """An EventSource can't send headers."""
    task = tasks.start(job(HandWork(), items=""))
    answer = await stranger.get(f"{BATCH}/{task.id}/stream", params=query)
    assert answer.status_code == status


@pytest.mark.parametrize("step", STEPS)
async def test_steering_needs_the_key_in_a_header(tasks: Tasks, stranger: httpx.AsyncClient, step: str) -> None:
    """Nothing that changes a task takes its key from a URL; and who has none doesn't learn which tasks there are."""
    task = tasks.start(job(HandWork()))
    for task_id in (task.id, "nobody"):
        answer = await stranger.post(f"{BATCH}/{task_id}/{step}", params={"app_key": OPERATOR_KEY})
        assert answer.status_code == 401
    assert task.status is Status.RUNNING


async def test_a_long_silence_is_filled_with_pings(tasks: Tasks, app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment, so that proxies don't take a slow item for a dead connection."""
    monkeypatch.setattr("grok_app.api.sse.KEEP_ALIVE_S", 0.01)
    work = HandWork()
    task = tasks.start(job(work, items="a"))
    said: list[bytes] = []

    def take(body: bytes) -> None:
        said.append(body)
        if said == [said[0], PING, PING]:
            work.finish("a")

    await serve(app, f"{BATCH}/{task.id}/stream", take)

    assert said[1:3] == [PING, PING]
    assert b'"snapshot"' in said[0]
    assert b'"done"' in said[-2]


async def test_a_server_that_stops_ends_the_stream_with_an_error(tasks: Tasks, app: FastAPI) -> None:
    """The connection is not just cut: the last event says why, with the counts of that moment."""
    task = tasks.start(job(HandWork()))
    said: list[bytes] = []
    has_begun = asyncio.Event()

    def take(body: bytes) -> None:
        said.append(body)
        has_begun.set()

    serving = asyncio.create_task(serve(app, f"{BATCH}/{task.id}/stream", take))
    await has_begun.wait()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving

    last = orjson.loads(said[-1].removeprefix(b"data: "))
    assert (last["type"], last["status"], last["total"]) == ("error", "running", 4)
    assert last["error"] == "The server is stopping. Please try again later."


async def serve(app: FastAPI, path: str, take: Callable[[bytes], None]) -> None:
    """Serve the operator, who takes each piece of the body as it comes and never leaves."""

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            take(message["body"])

    headers = [(name.lower().encode(), value.encode()) for name, value in RIGHT.items()]
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers, "query_string": b""}
    await app(scope, asyncio.Event().wait, send)  # type: ignore[arg-type] # nothing is ever received
