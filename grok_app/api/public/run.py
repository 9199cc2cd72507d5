"""What the listeners of a run are told, over SSE and WebSocket alike. Source: API contract, section 9."""

from typing import Any
from uuid import uuid4

from grok_app.api.openai.image_answer import image_event
from grok_app.api.public.wishes import PIXELS
from grok_app.errors import GatewayError
from grok_app.imagine import Drawn, ImagesRequest, Setback, image_usage
from grok_app.trace import note_failure, note_recovery


class Run:
    """One run, in the words of those who watch it: JSON objects."""

    def __init__(self, wish: ImagesRequest) -> None:
        self.wish = wish
        self._id = uuid4().hex
        self._size = PIXELS[wish.aspect_ratio]
        self._usage = image_usage(wish.prompt, 0, 1)
        self._has_drawn = False

    def running(self) -> dict[str, Any]:
        """It begins."""
        wish = {"prompt": self.wish.prompt, "aspect_ratio": self.wish.aspect_ratio}
        return {"type": "status", "status": "running", **wish, "run_id": self._id}

    def news(self, event: Drawn | Setback) -> dict[str, Any]:
        """A picture, or why there is none."""
        if isinstance(event, Setback):
            self._note(event)
            return problem(event.error)
        if not self._has_drawn:
            note_recovery()
        self._has_drawn = True
        content = image_event(event.picture, self.wish.form, self._size, self._usage)
        return {**content, "run_id": self._id, "elapsed_ms": event.elapsed_ms}

    def stopped(self) -> dict[str, Any]:
        """It is over."""
        return {"type": "status", "status": "stopped", "run_id": self._id}

    def _note(self, setback: Setback) -> None:
        """A run that has drawn something has not failed because of a pause."""
        if not self._has_drawn:
            note_failure(setback.error)


def problem(error: GatewayError) -> dict[str, Any]:
    """An error; the stream goes on where it can."""
    return {"type": "error", "message": error.message, "code": error.code}
