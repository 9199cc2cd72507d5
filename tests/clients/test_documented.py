"""What docs/clients.md says of the clients is what is tried."""

import json
import re
from typing import Final

import pytest

from tests.clients.foreign import AI_SDK, HERE, ROOT, SUITES

PAGE: Final = (ROOT / "docs" / "clients.md").read_text()
ASKED: Final = (HERE / "requirements.in").read_text()
FILES: Final = {
    "openai": tuple(HERE / f"test_openai{part}.py" for part in ("", "_async", "_media")),
    "litellm": (SUITES / "litellm_suite.py",),
    "langchain-openai": (HERE / "test_langchain.py",),
    "llm": (HERE / "test_llm.py",),
    "ai": (AI_SDK / "chat.test.mjs",),
}
PROOFS: Final = {
    "whole answers": {
        "openai": "test_a_whole_answer_is_said_back",
        "litellm": "test_completion_answers_whole",
        "langchain-openai": "test_invoke",
        "llm": "test_a_conversation_goes_on",
        "ai": "generateText answers whole, with usage and thinking apart",
    },
    "streams": {
        "openai": "test_a_stream_is_awaited",
        "litellm": "test_stream_has_usage_at_its_end",
        "langchain-openai": "test_astream",
        "llm": "test_a_prompt_is_answered_as_a_stream",
        "ai": "streamText streams the same",
    },
    "usage": {
        "openai": "test_the_stream_helper_gives_the_final_completion",
        "litellm": "test_stream_has_usage_at_its_end",
        "langchain-openai": "test_usage_metadata_streaming",
        "llm": "test_a_prompt_is_answered_as_a_stream",
        "ai": "generateText answers whole, with usage and thinking apart",
    },
    "thinking apart": {
        "openai": "test_a_stream_is_awaited",
        "litellm": "test_thinking_is_apart",
        "ai": "streamText streams the same",
    },
    "pictures in a question": {
        "openai": "test_a_picture_and_a_file_are_seen",
        "litellm": "test_pictures_are_drawn_shown_and_changed",
        "langchain-openai": "test_image_inputs",
        "llm": "test_a_picture_is_attached",
        "ai": "generateImage draws and changes pictures, and a message shows them",
    },
    "files in a question": {
        "openai": "test_a_picture_and_a_file_are_seen",
        "langchain-openai": "test_pdf_inputs",
    },
    "pictures drawn": {
        "openai": "test_pictures_are_drawn",
        "litellm": "test_pictures_are_drawn_shown_and_changed",
        "ai": "generateImage draws and changes pictures, and a message shows them",
    },
    "pictures changed": {
        "openai": "test_a_picture_is_changed",
        "litellm": "test_pictures_are_drawn_shown_and_changed",
        "ai": "generateImage draws and changes pictures, and a message shows them",
    },
    "list of models": {
        "openai": "test_listing_iterates_over_models",
        "litellm": "test_models_are_listed",
    },
    "errors by their class": {
        "openai": "test_failures_of_grok_have_their_class",
        "litellm": "test_errors_have_their_class",
        "langchain-openai": "test_errors_are_those_of_openai",
        "llm": "test_errors_are_printed",
        "ai": "is an APICallError that knows whether to try again",
    },
    "a break in a stream": {
        "openai": "test_a_break_in_the_stream_is_raised",
        "litellm": "test_a_break_in_the_stream_is_raised",
        "llm": "test_errors_are_printed",
        "ai": "a stream that breaks says why, after the text that had come",
    },
    "leaving a stream": {
        "openai": "test_a_stream_may_be_left",
        "ai": "abort ends a stream",
    },
}
"""By feature and client, the test that shows it."""


def table(title: str) -> list[list[str]]:
    """The cells of the first table under a title of the page, its head first."""
    text = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in row] for row in rows if not row[0].startswith("---")]


def test_the_table_says_what_is_tried() -> None:
    """A mark stands where there is a proof, and nowhere else."""
    (_, *clients), *rows = table("What works")
    said = {
        feature: {client for client, mark in zip(clients, marks, strict=True) if mark == "✓"}
        for feature, *marks in rows
    }

    assert clients == list(FILES)
    assert said == {feature: set(proofs) for feature, proofs in PROOFS.items()}


@pytest.mark.parametrize("client", FILES)
def test_every_proof_is_there(client: str) -> None:
    """The tests that are named exist."""
    text = "\n".join(file.read_text() for file in FILES[client])
    proofs = {proofs[client] for proofs in PROOFS.values() if client in proofs}

    assert [proof for proof in proofs if not re.search(rf"\b{re.escape(proof)}\b", text)] == []


def test_the_versions_are_those_that_are_tried() -> None:
    """What the page says was tried is what is pinned."""
    said = {client: version for client, version, _ in table("Set up")[1:] if version}
    comply = re.search(r"`llm-comply` (\S+) ", PAGE)
    pinned = ASKED + (ROOT / "pyproject.toml").read_text()
    packages = dict(re.findall(r'^ *"?([\w-]+)==([\w.]+)', pinned, re.MULTILINE))
    packages |= json.loads((AI_SDK / "package.json").read_text())["dependencies"]

    assert comply is not None
    for client, version in {**said, "llm-comply": comply[1]}.items():
        assert packages[client] == version, client


def test_every_client_has_a_reason() -> None:
    """What is installed on purpose, docs/dependencies.md explains."""
    names = re.findall(r"^([\w-]+)==", ASKED, re.MULTILINE)
    names += json.loads((AI_SDK / "package.json").read_text())["dependencies"]
    reasons = (ROOT / "docs" / "dependencies.md").read_text()

    assert [name for name in names if f"`{name}`" not in reasons] == []


def test_the_lock_holds_what_is_asked_for() -> None:
    """Each version that is asked for is in requirements.txt, and nothing without a hash; `make lock` writes it anew."""
    lock = (HERE / "requirements.txt").read_text()

    assert set(re.findall(r"^([\w-]+==\S+)", ASKED, re.MULTILINE)) <= set(
        re.findall(r"^([\w.-]+==\S+)", lock, re.MULTILINE)
    )
    assert all(" --hash=" in entry for entry in re.split(r"\n(?=\S)", lock))
