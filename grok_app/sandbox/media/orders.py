"""A picture edit or a video, as ordered by a chat request, and what both need to read it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from grok_app.sandbox.accounts import Account
from grok_app.sandbox.frames import Frames, line
from grok_app.sandbox.media.generated import Gallery
from grok_app.sandbox.replies import RefusedError, refusal
from grok_app.sandbox.state import Sandbox
from grok_app.sandbox.steps import Pacing
from grok_app.sandbox.words import Trouble


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for, by whom, and what shall go wrong with it."""

    sandbox: Sandbox
    account: Account
    message: str
    """As it was sent."""
    prompt: str
    """Without its magic words."""
    fields: dict[str, Any]
    """The whole request."""
    troubles: Collection[Trouble]
    frames: Frames
    pacing: Pacing

    @property
    def gallery(self) -> Gallery:
        """Where its result goes."""
        return Gallery(self.account, self.sandbox.library)

    def config(self, name: str) -> dict[str, Any]:
        """An object of `responseMetadata.modelConfigOverride.modelMap`.

        Raises:
            RefusedError: The request has no such object.
        """
        value: Any = self.fields
        for key in ("responseMetadata", "modelConfigOverride", "modelMap", name):
            value = value.get(key) if isinstance(value, dict) else None
        if not isinstance(value, dict):
            raise RefusedError(refusal(400, 3, f"responseMetadata.modelConfigOverride.modelMap.{name} is missing"))
        return value


UNREADABLE: Final = line({"error": {"code": 3, "message": "The image can't be read", "details": []}})
"""All that a stream says about an input that is no picture. INFERRED, like every refusal of a media request."""


def parent_post(config: dict[str, Any]) -> str:
    """The post that an edit or a video belongs to.

    Raises:
        RefusedError: The configuration names none.
    """
    post_id = config.get("parentPostId")
    if not isinstance(post_id, str) or not post_id:
        raise RefusedError(refusal(400, 3, "parentPostId must be the id of a post"))
    return post_id
