"""Faults of the connection: what the relay between gateway and sandbox does."""

from contextlib import AbstractContextManager
from typing import Final

from tests.faults import relay
from tests.faults.stage import Stage
from tests.faults.table import Fault, Switch

_BEHAVIOURS: Final = (
    ("reset", "the connection is reset in place of an answer", relay.reset),
    ("hang-up", "the connection is closed in place of an answer", relay.hang_up),
    ("no-http", "the answer is no HTTP", relay.garbage),
    ("half-head", "the connection is closed in the middle of the headers", relay.half_head),
    ("stalled-head", "half of the headers, then silence", relay.stalled_head),
    ("endless-head", "headers without an end", relay.endless_head),
    ("drip", "a byte now and then, for ever", relay.drip),
)
BROKEN: Final = ("refuse", "reset", "hang-up", "no-http", "half-head", "endless-head")
"""Those that are noticed at once, by name."""
SILENT: Final = ("stalled-head", "drip")
"""Those that only the gateway's patience ends."""


def breaking(behaviour: relay.Behaviour, path: str) -> Switch:
    """Connections for this path are treated so."""
    return lambda stage: stage.relay.breaking(behaviour, path)


def refusing(stage: Stage) -> AbstractContextManager[None]:
    """Nobody listens."""
    return stage.relay.refusing()


def connection_faults(path: str) -> tuple[Fault, ...]:
    """All that can happen to a connection, whatever is asked at this path."""
    return (
        Fault("refuse", "nobody listens where Grok should be", switch=refusing),
        *(
            Fault(name, does, switch=breaking(behaviour, path), is_silence=name in SILENT)
            for name, does, behaviour in _BEHAVIOURS
        ),
    )
