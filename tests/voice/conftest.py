"""Passes are asked for by a crew."""

from tests.crew import crew

__all__ = ["crew"]
