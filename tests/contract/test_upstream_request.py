"""What Grok gets to see. Source: API contract, section 5.2; protocol notes, sections 1, 2.1 and 2.2, column [F]."""

import base64
import re
from typing import Any
from uuid import UUID

import pytest

from grok_app.catalog import MODELS, Model
from tests.contract.test_models import TEXT_MODELS
from tests.contract.wire import ask
from tests.servers import Gateway, Sandbox

STATSIG = "ZTpUeXBlRXJyb3I6IENhbm5vdCByZWFkIHByb3BlcnRpZXMgb2YgdW5kZWZpbmVkIChyZWFkaW5nICdjaGlsZE5vZGVzJyk="
DYNAMIC_STATSIG = re.compile(
    r"e:TypeError: Cannot read properties of (null \(reading 'children\['[a-z0-9]{5}'\]'\)"
    r"|undefined \(reading '[a-z]{10}'\))"
)
HEADERS = {
    "accept": "*/*",
    "accept-encoding": "gzip, deflate, br, zstd",
    "accept-language": "zh-CN,zh;q=0.9,en;q=0.8",
    "baggage": "sentry-environment=production,sentry-release=d6add6fb0460641fd482d767a335ef72b9b6abb8,"
    "sentry-public_key=b311e0f2690c81f25e2c4cf6d4f7ce1c",
    "content-type": "application/json",
    "sec-ch-ua": '"Google Chrome";v="136", "Chromium";v="136", "Not(A:Brand";v="24"',
    "sec-ch-ua-arch": "arm",
    "sec-ch-ua-bitness": "64",
    "sec-ch-ua-mobile": "?0",
    "sec-ch-ua-model": "",
    "sec-ch-ua-platform": '"macOS"',
    "sec-fetch-dest": "empty",
    "sec-fetch-mode": "cors",
    "sec-fetch-site": "same-origin",
    "user-agent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/136.0.0.0 Safari/537.36",
}
"""Those that are the same for every request. `Priority` is missing: as Chrome does, curl sends it over HTTP/2 only."""
PAYLOAD: dict[str, Any] = {
    "deviceEnvInfo": {
        "darkModeEnabled": False,
        "devicePixelRatio": 2,
        "screenWidth": 2056,
        "screenHeight": 1329,
        "viewportWidth": 2056,
        "viewportHeight": 1083,
    },
    "disableMemory": True,
    "disableSearch": False,
    "disableSelfHarmShortCircuit": False,
    "disableTextFollowUps": False,
    "enableImageGeneration": True,
    "enableImageStreaming": True,
    "enableSideBySide": True,
    "fileAttachments": [],
    "forceConcise": False,
    "forceSideBySide": False,
    "imageAttachments": [],
    "imageGenerationCount": 2,
    "isAsyncChat": False,
    "isReasoning": False,
    "returnImageBytes": False,
    "returnRawGrokInXaiRequest": False,
    "sendFinalMetadata": True,
    "temporary": True,
    "toolOverrides": {},
}
"""What is the same for every chat."""


def headers_of(asked: dict[str, Any]) -> dict[str, str]:
    """The headers of a request; none may be there twice."""
    names = [name for name, _ in asked["headers"]]
    assert len(names) == len(set(names))
    return dict(asked["headers"])


def test_headers_are_the_browsers(gateway: Gateway, sandbox: Sandbox, question: str) -> None:
    """Each header of the February page is there, and no other: nothing tells us from it."""
    ask(gateway, question).raise_for_status()

    [asked] = sandbox.asked(question)
    assert (asked["method"], asked["path"]) == ("POST", "/rest/app-chat/conversations/new")
    sent = headers_of(asked)
    own = {
        "host": sandbox.url.removeprefix("http://"),
        "origin": sandbox.url,
        "referer": f"{sandbox.url}/",
        "content-length": str(asked["body_bytes"]),
        "cookie": f"sso={asked['account']}; sso-rw={asked['account']}",
        "x-statsig-id": sent["x-statsig-id"],
        "x-xai-request-id": sent["x-xai-request-id"],
    }
    assert sent == HEADERS | own
    assert UUID(sent["x-xai-request-id"]).version == 4
    assert DYNAMIC_STATSIG.fullmatch(base64.b64decode(sent["x-statsig-id"]).decode())


def test_ids_are_fresh_for_each_request(gateway: Gateway, sandbox: Sandbox, question: str) -> None:
    """Two requests share neither request id nor statsig id."""
    for _ in range(2):
        ask(gateway, question).raise_for_status()

    first, second = (headers_of(asked) for asked in sandbox.asked(question))
    assert first["x-xai-request-id"] != second["x-xai-request-id"]
    assert first["x-statsig-id"] != second["x-statsig-id"]


def test_settings_change_the_headers(changed: Gateway, sandbox: Sandbox, question: str) -> None:
    """User agent, clearance, statsig and extra headers are the operator's; an extra one replaces ours."""
    ask(changed, question).raise_for_status()

    [asked] = sandbox.asked(question)
    sent = headers_of(asked)
    assert sent["cookie"] == f"sso={asked['account']}; sso-rw={asked['account']};cf_clearance=clearance-1"
    assert sent["user-agent"] == "Changed/1.0"
    assert sent["x-statsig-id"] == STATSIG
    assert sent["x-extra"] == "extra"
    assert sent["accept-language"] == "de"


@pytest.mark.parametrize("model", [MODELS[model] for model in TEXT_MODELS], ids=TEXT_MODELS)
def test_the_payload_names_model_and_mode(gateway: Gateway, sandbox: Sandbox, question: str, model: Model) -> None:
    """Each model is asked for as the catalogue says, in the payload of the February page, field for field."""
    ask(gateway, question, model=model.id).raise_for_status()

    [asked] = sandbox.asked(question)
    assert asked["body"] == {
        **PAYLOAD,
        "message": question,
        "modelName": model.upstream_model,
        "modelMode": model.upstream_mode,
        "responseMetadata": {
            "requestModelDetails": {"modelId": model.upstream_model},
            "modelConfigOverride": {"temperature": 0.8, "topP": 0.95},
        },
    }


def test_settings_change_the_payload(changed: Gateway, sandbox: Sandbox, question: str) -> None:
    """An operator may let Grok keep the conversation and use its memory."""
    ask(changed, question).raise_for_status()

    [asked] = sandbox.asked(question)
    assert (asked["body"]["temporary"], asked["body"]["disableMemory"]) == (False, False)


@pytest.mark.parametrize("effort", ["none", "minimal", "low", "medium", "high", "xhigh"])
def test_effort_travels_when_given(gateway: Gateway, sandbox: Sandbox, question: str, effort: str) -> None:
    """`reasoning_effort` reaches Grok beside temperature and top_p."""
    ask(gateway, question, reasoning_effort=effort, temperature=1.5, top_p=0.1).raise_for_status()

    [asked] = sandbox.asked(question)
    override = asked["body"]["responseMetadata"]["modelConfigOverride"]
    assert override == {"temperature": 1.5, "topP": 0.1, "reasoningEffort": effort}


CONVERSATIONS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "one message": ([{"role": "user", "content": "{q}"}], "{q}"),
    "system first": (
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "{q}"}],
        "system: Be brief.\n\n{q}",
    ),
    "a dialogue": (
        [
            {"role": "developer", "content": "Rules"},
            {"role": "user", "content": "First"},
            {"role": "assistant", "content": "Answer"},
            {"role": "user", "content": "{q}"},
        ],
        "developer: Rules\n\nuser: First\n\nassistant: Answer\n\n{q}",
    ),
    "the user is not last": (
        [{"role": "user", "content": "{q}"}, {"role": "assistant", "content": "So far"}],
        "{q}\n\nassistant: So far",
    ),
    "no user": ([{"role": "system", "content": "{q}"}], "system: {q}"),
    "blocks": (
        [
            {"role": "system", "content": [{"type": "text", "text": "One"}, {"type": "text", "text": "two"}]},
            {"role": "user", "content": [{"type": "text", "text": "{q}"}, {"type": "text", "text": "three"}]},
        ],
        "system: One\ntwo\n\n{q}\nthree",
    ),
}


@pytest.mark.parametrize(("messages", "prompt"), CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_a_conversation_becomes_one_text(
    gateway: Gateway, sandbox: Sandbox, question: str, messages: list[dict[str, Any]], prompt: str
) -> None:
    """Messages are joined with a blank line; all but the last of the user begin with their role."""
    asked_for = [_filled(message, question) for message in messages]
    ask(gateway, "", messages=asked_for).raise_for_status()

    [asked] = sandbox.asked(question)
    assert asked["body"]["message"] == prompt.replace("{q}", question)


def _filled(value: Any, question: str) -> Any:
    if isinstance(value, str):
        return value.replace("{q}", question)
    if isinstance(value, list):
        return [_filled(item, question) for item in value]
    return {key: _filled(item, question) for key, item in value.items()}
