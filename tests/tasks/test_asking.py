"""Questions of one process to another."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from structlog.testing import capture_logs

from grok_app.errors import ConflictError, GatewayError, NotFoundError, OverloadedError, RateLimitedError
from grok_app.shared import open_shared
from grok_app.tasks.asking import Asking
from tests.tasks.conftest import until


class Doer:
    """Does what is asked, or fails as it was told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.error: Exception | None = None
        self.has_ended = False

    async def __call__(self, command: str, task_id: str) -> str:
        """Do it."""
        self.asked.append((command, task_id))
        if self.error:
            raise self.error
        if command == "hang":
            try:
                await asyncio.Event().wait()
            finally:
                self.has_ended = True
        return f"{command} {task_id}"


@pytest.fixture
def doer() -> Doer:
    """What the other process does."""
    return Doer()


@pytest.fixture
async def asking(redis_url: str, installation: str, doer: Doer) -> AsyncGenerator[Asking]:
    """A process that asks; there are another one, `other`, and a third that is not asked."""
    async with (
        open_shared(redis_url, installation) as one,
        open_shared(redis_url, installation) as two,
        open_shared(redis_url, installation) as three,
    ):
        assert one
        assert two
        assert three
        asking, other, third = Asking(one, "one", doer), Asking(two, "other", doer), Asking(three, "third", doer)
        await _until_heard(asking)
        yield asking
        for process in (asking, other, third):
            await process.close()


async def _until_heard(asking: Asking) -> None:
    """Everyone listens when everyone has answered."""
    for process in ("one", "other", "third"):
        async with asyncio.timeout(20):
            while True:
                try:
                    async with asyncio.timeout(0.1):
                        await asking.ask(process, "hello", "")
                    break
                except TimeoutError:
                    pass


async def test_the_one_that_is_asked_does_it(asking: Asking, doer: Doer) -> None:
    """Once, and nobody else; many questions at once get their own answers."""
    doer.asked.clear()
    answers = await asyncio.gather(*(asking.ask("other", "pause", str(number)) for number in range(30)))

    assert answers == [f"pause {number}" for number in range(30)]
    assert sorted(doer.asked) == sorted(("pause", str(number)) for number in range(30))


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (ConflictError("There is nothing"), ConflictError, "There is nothing"),
        (NotFoundError("Task not found"), NotFoundError, "Task not found"),
        (OverloadedError("Too many"), OverloadedError, "Too many"),
        (RateLimitedError("Slowly"), GatewayError, "Slowly"),
        (KeyError("sso-secret"), GatewayError, "Internal server error"),
    ],
    ids=["conflict", "not found", "overloaded", "another", "bug"],
)
async def test_an_error_there_is_an_error_here(
    asking: Asking, doer: Doer, error: Exception, kind: type[GatewayError], said: str
) -> None:
    """With its sentence; a bug gives nothing away."""
    doer.error = error
    with capture_logs(), pytest.raises(GatewayError, match=f"^{said}$") as raised:
        await asking.ask("other", "pause", "task")
    assert type(raised.value) is kind


async def test_no_answer_is_an_error(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks a process that has ended, or that hangs, is told after some time."""
    monkeypatch.setattr("grok_app.tasks.asking._LIMIT_S", 0.3)
    for process, command in (("nobody", "pause"), ("other", "hang")):
        with pytest.raises(OverloadedError, match="does not answer"):
            await asking.ask(process, command, "task")
    assert await asking.ask("other", "pause", "task") == "pause task"


async def test_what_is_done_for_others_ends_with_the_process(asking: Asking, doer: Doer) -> None:
    """Nothing is left running."""
    waiting = asyncio.create_task(asking.ask("one", "hang", "task"))
    await until(lambda: ("hang", "task") in doer.asked)
    await asking.close()
    assert doer.has_ended
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
