"""Pictures are drawn by a crew."""

from tests.crew import crew

__all__ = ["crew"]
