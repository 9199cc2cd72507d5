"""LangChain's standard tests of a chat model, as they are, through `ChatOpenAI` with our address.

What they skip, and why, is checked by whoever runs this file. Its unit tests never ask a model anything: they are left
out.
"""

import os
from typing import Any, Final

import httpx
import openai
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests

PICTURE: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415478da63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
"""One red pixel, as PNG."""
DOCUMENT: Final = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@pytest.fixture(autouse=True)
def _files(monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture and the document that the standard tests would fetch from the internet."""

    def get(url: str, **_options: Any) -> httpx.Response:
        return httpx.Response(200, content=DOCUMENT if url.endswith(".pdf") else PICTURE)

    monkeypatch.setattr(httpx, "get", get)


class TestChatOpenAI(ChatModelIntegrationTests):
    """The flags say what the gateway can: no tools, and nothing of a given shape."""

    chat_model_class = ChatOpenAI
    chat_model_params: Final = {  # stream_usage: with another address than OpenAI's, ChatOpenAI asks for none by itself
        "base_url": os.environ["GATEWAY_URL"],
        "api_key": os.environ["GATEWAY_KEY"],
        "model": "grok-4",
        "stream_usage": True,
        "max_retries": 0,
    }
    has_tool_calling = False
    has_tool_choice = False
    has_structured_output = False
    supports_json_mode = False
    supports_image_inputs = True
    supports_pdf_inputs = True
    supports_audio_inputs = False
    supports_model_override = True
    model_override_value = "grok-4-mini"


@pytest.mark.parametrize(
    ("word", "kind"),
    [("@403-moderated", openai.PermissionDeniedError), ("@429", openai.RateLimitError)],
    ids=["moderated", "limited"],
)
def test_errors_are_those_of_openai(word: str, kind: type[Exception]) -> None:
    """A failure is the class of the `openai` client, which `with_retry` and `with_fallbacks` name."""
    model: BaseChatModel = ChatOpenAI(**TestChatOpenAI.chat_model_params)
    with pytest.raises(kind):
        model.invoke(f"Hello {word}")
