"""What the doctor finds: one line each."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    subject: str
    """A word or two."""
    text: str
    """What was found, without any secret."""
    advice: str = ""
    """What to do; empty where nothing is to be done."""


def ok(subject: str, text: str) -> Finding:
    """Something is as it should be."""
    return Finding(Level.OK, subject, text)


def warning(subject: str, text: str, advice: str) -> Finding:
    """It serves, but not as well or as safely as it could."""
    return Finding(Level.WARNING, subject, text, advice)


def failure(subject: str, text: str, advice: str) -> Finding:
    """It can't serve, or anybody can use it."""
    return Finding(Level.FAILURE, subject, text, advice)
