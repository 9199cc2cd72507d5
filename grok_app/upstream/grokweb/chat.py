"""The request of a text chat. Source: protocol notes, section 2.2."""

from typing import Any

import orjson

from grok_app.upstream.base import ChatPrompt
from grok_app.upstream.grokweb.headers import GrokWebOptions

CHAT_PATH = "/rest/app-chat/conversations/new"


def chat_body(prompt: ChatPrompt, options: GrokWebOptions) -> bytes:
    """The JSON body that asks for one answer."""
    override: dict[str, Any] = {"temperature": prompt.temperature, "topP": prompt.top_p}
    if prompt.reasoning_effort is not None:
        override["reasoningEffort"] = prompt.reasoning_effort
    return orjson.dumps(
        {
            "deviceEnvInfo": {
                "darkModeEnabled": False,
                "devicePixelRatio": 2,
                "screenWidth": 2056,
                "screenHeight": 1329,
                "viewportWidth": 2056,
                "viewportHeight": 1083,
            },
            "disableMemory": options.disable_memory,
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
            "message": prompt.message,
            "modelMode": prompt.mode,
            "modelName": prompt.model,
            "responseMetadata": {
                "requestModelDetails": {"modelId": prompt.model},
                "modelConfigOverride": override,
            },
            "returnImageBytes": False,
            "returnRawGrokInXaiRequest": False,
            "sendFinalMetadata": True,
            "temporary": options.is_temporary,
            "toolOverrides": {},
        }
    )
