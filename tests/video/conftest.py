"""Videos are made by a crew."""

from tests.crew import crew

__all__ = ["crew"]
