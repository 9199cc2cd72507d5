"""Settings and a clock that change only when told."""

from dataclasses import dataclass, field
from typing import Any

from grok_app.access import Access
from grok_app.settings import Settings

OPERATOR_KEY = "the-operators-key"


@dataclass
class FixedSettings:
    """Settings that stay as they are."""

    snapshot: Settings
    catch_ups: int = field(default=0, init=False)

    async def catch_up(self) -> None:
        """Count that somebody wants the newest."""
        self.catch_ups += 1

    def change(self, **app: Any) -> None:
        """Put these settings of section `app` in force."""
        self.snapshot = Settings.model_validate({"app": app})


class Clock:
    """A clock that stands still until told."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def __call__(self) -> float:
        """The time in seconds."""
        return self.now_s

    def ms(self) -> int:
        """The time in milliseconds."""
        return int(self.now_s * 1000)


def fixed(**app: Any) -> FixedSettings:
    """These settings of section `app`."""
    return FixedSettings(Settings.model_validate({"app": app}))


def access_to(settings: FixedSettings, clock: Clock | None = None) -> Access:
    """Access by these settings."""
    return Access(settings, clock or Clock())  # type: ignore[arg-type] # only the snapshot is read
