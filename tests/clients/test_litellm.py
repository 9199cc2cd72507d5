"""LiteLLM as a client."""

from pathlib import Path

from tests.clients.foreign import run_suite
from tests.servers import Gateway


def test_litellm_gets_what_it_asks_for(whole: Gateway, tmp_path: Path) -> None:
    """Every test of its suite passes, none is skipped."""
    outcomes = run_suite("litellm", whole, tmp_path)

    assert outcomes
    assert [name for name, reason in outcomes.items() if reason] == []
