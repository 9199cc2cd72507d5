"""Settings changed by the operator: whoever changes the operator's key ends what was begun with the old one."""

from collections.abc import Collection, Mapping
from typing import Any

from grok_app.access.sessions import Sessions
from grok_app.settings import SettingsService


async def change_settings(
    settings: SettingsService, sessions: Sessions, body: Mapping[str, Any], *, reset: Collection[str] = ()
) -> list[str]:
    """Change settings as `SettingsService.change` does; sessions of a former operator's key are over then.

    Returns:
        The names that were accepted without effect, since they are retired.

    Raises:
        InvalidRequestError: A name is unknown or values are wrong; nothing has changed.
        ConflictError: The environment holds another value; nothing has changed.
    """
    ignored = await settings.change(body, reset=reset)
    await sessions.end_those_of_other_keys()
    return ignored
