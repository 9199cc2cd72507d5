"""`llm-comply`, which holds the answers against OpenAI's own specification."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from tests.clients.foreign import run
from tests.servers import Gateway

TOOLS: Final = {"chat-tool-calling"}
"""Tools aren't supported yet."""
SKIPPED: Final = {"chat-reasoning-summary"}
"""It asks OpenAI's own models alone, by their names; `test_thinking_complies` asks ours."""
WARNING: Final = "missing 'chatcmpl-' prefix"
"""The id of an answer is Grok's, as the API contract has it."""
THINKING: Final = """
import dataclasses, sys
from llm_comply import cli, tests
known = tests.get_tests("openai-chat")
cli._get_tests = lambda _format: [dataclasses.replace(test, skip_reason=None) for test in known]
sys.exit(cli.main())
"""
"""The command without what makes it skip a check."""


def report(command: tuple[str, ...], gateway: Gateway, folder: Path, model: str) -> dict[str, dict[str, Any]]:
    """What it says about each check, by its id."""
    target = ("--format", "openai-chat", "-u", gateway.base_url, "-k", gateway.key, "-m", model, "--json")
    done = run(*command, *target, folder=folder, env={})
    return {result["id"]: result for result in json.loads(done.stdout)["results"]}


def by_status(results: dict[str, dict[str, Any]], status: str) -> set[str]:
    """The checks that ended so."""
    return {name for name, result in results.items() if result["status"] == status}


@pytest.mark.parametrize("model", ["grok-3", "grok-4-thinking"])
def test_every_check_but_the_tool_ones_passes(whole: Gateway, tmp_path: Path, model: str) -> None:
    """Text, system prompt, several turns, streams, usage, pictures and errors are as OpenAI's."""
    results = report(("llm-comply",), whole, tmp_path, model)

    assert by_status(results, "failed") == TOOLS
    assert by_status(results, "skipped") == SKIPPED
    warnings = [warning for name in results.keys() - TOOLS for warning in results[name].get("warnings", ())]
    assert [warning for warning in warnings if not warning.endswith(WARNING)] == []


def test_thinking_complies(whole: Gateway, tmp_path: Path) -> None:
    """`reasoning_effort` is taken, and the usage counts the thinking."""
    results = report(("python", "-c", THINKING), whole, tmp_path, "grok-4-thinking")

    assert by_status(results, "failed") == TOOLS
    assert results["chat-reasoning-summary"]["status"] == "passed"
    assert "warnings" not in results["chat-reasoning-summary"]
