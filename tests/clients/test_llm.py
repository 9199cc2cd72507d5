"""The `llm` command line, set up as its manual says for services that speak OpenAI's language."""

import json
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final

import pytest

from tests.clients.foreign import run
from tests.servers import Gateway, Sandbox

MODELS: Final = """
- model_id: grok
  model_name: grok-4
  api_base: {url}
  api_key_name: grok
  vision: true
"""


class Llm:
    """The command in a home of its own, which knows our gateway."""

    def __init__(self, home: Path, gateway: Gateway) -> None:
        self._home = home
        (home / "extra-openai-models.yaml").write_text(MODELS.format(url=gateway.base_url))
        (home / "keys.json").write_text(json.dumps({"grok": gateway.key}))

    def __call__(self, *options: str) -> CompletedProcess[str]:
        """Run it to its end."""
        return run("llm", *options, folder=self._home, env={"LLM_USER_PATH": str(self._home)})

    def logged(self) -> tuple[str, int]:
        """The last answer and its tokens, as its log has them."""
        [entry] = json.loads(self("logs", "list", "-n", "1", "--json").stdout)
        return entry["response"], entry["output_tokens"]


@pytest.fixture
def llm(tmp_path: Path, gateway: Gateway) -> Llm:
    """The command, and a gateway with its defaults."""
    return Llm(tmp_path, gateway)


def test_models_of_ours_are_listed(llm: Llm) -> None:
    """`llm models` shows ours beside the ones that it knows."""
    assert "OpenAI Chat: grok\n" in llm("models", "list").stdout


def test_a_prompt_is_answered_as_a_stream(llm: Llm, question: str) -> None:
    """`llm -m grok` prints the answer, with its options; the log has the usage."""
    done = llm("-m", "grok", question, "-s", "Be brief", "-o", "temperature", "0.5", "-o", "max_tokens", "9")
    text, tokens = llm.logged()

    assert question in done.stdout
    assert f"{text}\n" == done.stdout
    assert tokens > 0


def test_a_conversation_goes_on(llm: Llm, sandbox: Sandbox, question: str) -> None:
    """`llm --no-stream` prints the same, and `llm -c` sends what was said before."""
    answer = llm("-m", "grok", "--no-stream", "Remember the cheese").stdout
    done = llm("-c", question)
    [asked] = sandbox.asked(question)

    assert question in done.stdout
    assert "user: Remember the cheese" in asked["body"]["message"]
    assert answer.strip() in asked["body"]["message"]


def test_a_picture_is_attached(llm: Llm, sandbox: Sandbox, question: str, tmp_path: Path, red: bytes) -> None:
    """`llm -a` shows Grok a file."""
    picture = tmp_path / "red.png"
    picture.write_bytes(red)
    done = llm("-m", "grok", question, "-a", str(picture))
    [asked] = sandbox.asked(question)

    assert question in done.stdout
    assert len(asked["body"]["fileAttachments"]) == 1


@pytest.mark.parametrize(
    ("word", "said"),
    [("@403-moderated", "Error: Error code: 403"), ("@late-error", "Error: Grok ended the answer")],
    ids=["moderated", "broken stream"],
)
def test_errors_are_printed(llm: Llm, question: str, word: str, said: str) -> None:
    """A failure is one line and an exit code, also after the answer has begun."""
    done = llm("-m", "grok", f"{question} {word}")

    assert done.returncode == 1
    assert said in done.stderr
