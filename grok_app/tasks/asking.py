"""Questions of one process to another, over messages: each is answered, or the one that asks is told that it isn't."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from secrets import token_hex
from typing import Any, Final

import orjson

from grok_app.errors import ConflictError, GatewayError, NotFoundError, OverloadedError
from grok_app.logs import get_logger
from grok_app.shared import Shared, SharedAwayError

log = get_logger(__name__)
_QUESTIONS: Final = "task-question"
_ANSWERS: Final = "task-answer"
_LIMIT_S: Final = 5.0
_ERRORS: Final = {error.__name__: error for error in (ConflictError, NotFoundError, OverloadedError)}
_BUG: Final = "Internal server error"
_AWAY: Final = "Redis is away, so that the process that runs this task can't be reached. Please try again later."
_SILENT: Final = "The process that runs this task does not answer. Please try again."


class Asking:
    """Asks other processes, and answers what they ask.

    Args:
        shared: What they share.
        me: This process.
        do: Does what is asked, of a command and a task's id; what it returns can be sent as JSON.
    """

    def __init__(self, shared: Shared, me: str, do: Callable[[str, str], Awaitable[Any]]) -> None:
        self._shared = shared
        self._me = me
        self._do = do
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._answering: set[asyncio.Task[None]] = set()
        shared.on_message(_QUESTIONS, self._hear_question)
        shared.on_message(_ANSWERS, self._hear_answer)

    async def ask(self, process: str, command: str, task_id: str) -> Any:
        """Have another process do something with a task of its own.

        Raises:
            GatewayError: As the other raised it.
            OverloadedError: It can't be reached, or doesn't answer. It may have been done or not.
        """
        question_id = token_hex(16)
        answer = self._waiting[question_id] = asyncio.get_running_loop().create_future()
        try:
            await self._shared.tell(_QUESTIONS, orjson.dumps((process, question_id, command, task_id)))
            async with asyncio.timeout(_LIMIT_S):
                return await answer
        except SharedAwayError as error:
            raise OverloadedError(_AWAY) from error
        except TimeoutError as error:
            raise OverloadedError(_SILENT) from error
        finally:
            del self._waiting[question_id]

    async def close(self) -> None:
        """Answer nothing any more."""
        for answering in tuple(self._answering):
            answering.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    def _hear_question(self, message: bytes) -> None:
        process, question_id, command, task_id = orjson.loads(message)
        if process == self._me:
            answering = asyncio.create_task(self._answer(question_id, command, task_id))
            self._answering.add(answering)
            answering.add_done_callback(self._answering.discard)

    async def _answer(self, question_id: str, command: str, task_id: str) -> None:
        with suppress(SharedAwayError):  # whoever asks is told by its time limit
            answer = await self._done(command, task_id)
            await self._shared.tell(_ANSWERS, orjson.dumps((question_id, *answer)))

    async def _done(self, command: str, task_id: str) -> tuple[str | None, Any]:
        """The name of the error, or None, and its sentence or what came of it."""
        try:
            return None, await self._do(command, task_id)
        except GatewayError as error:
            return type(error).__name__, error.message
        except SharedAwayError:
            raise
        except Exception:  # a bug must not leave the other process without an answer
            log.exception("a command for a task failed", task_id=task_id, command=command)
            return GatewayError.__name__, _BUG

    def _hear_answer(self, message: bytes) -> None:
        question_id, error, content = orjson.loads(message)
        waiting = self._waiting.get(question_id)
        if waiting is None or waiting.done():
            return
        if error is None:
            waiting.set_result(content)
        else:
            waiting.set_exception(_ERRORS.get(error, GatewayError)(content))
