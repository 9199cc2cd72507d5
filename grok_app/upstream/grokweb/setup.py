"""Changes to an account's own settings. Source: protocol notes, section 7, epoch [F].

In this order they make an account ready for adult content: terms, date of birth, feature control.
"""

from datetime import date
from typing import Final

import orjson

from grok_app.upstream.base import SetupReply
from grok_app.upstream.grokweb.failures import grpc_failure
from grok_app.upstream.grokweb.grpc_web import frame, read_answer
from grok_app.upstream.grokweb.headers import GrokWebOptions, accounts_headers, grpc_headers, json_headers
from grok_app.upstream.grokweb.transport import Transport
from grok_app.upstream.grokweb.unary import Question, Reply, ask

TERMS_PATH: Final = "/auth_mgmt.AuthManagement/SetTosAcceptedVersion"
BIRTH_DATE_PATH: Final = "/rest/auth/set-birth-date"
FEATURES_PATH: Final = "/auth_mgmt.AuthManagement/UpdateUserFeatureControls"

ACCEPT_TERMS: Final = frame(bytes.fromhex("1001"))
"""`{2: 1}` as protobuf: the version of the terms, section 7.2."""
SHOW_ADULT_CONTENT: Final = frame(bytes.fromhex("0a021001 121a 0a18") + b"always_show_nsfw_content")
"""`{1: {2: 1}, 2: {1: name}}` as protobuf: on, and what, section 7.4."""
_HAS_BIRTH_DATE: Final = b"account:birth-date-change-limit-reached"
_TOO_MANY_REQUESTS: Final = 429


async def accept_terms(transport: Transport, options: GrokWebOptions, credential: str) -> SetupReply:
    """See `Upstream.accept_terms`."""
    url = options.accounts_url.rstrip("/") + TERMS_PATH
    headers = accounts_headers(options, credential, referer_path="/accept-tos")
    return _confirmed(await ask(transport, options, Question(url, headers, ACCEPT_TERMS, options.setup_timeout_s)))


async def set_birth_date(
    transport: Transport, options: GrokWebOptions, credential: str, birth_date: date
) -> SetupReply:
    """See `Upstream.set_birth_date`."""
    url = options.base_url.rstrip("/") + BIRTH_DATE_PATH
    headers = json_headers(options, credential, referer_path="/?_s=home")
    body = orjson.dumps({"birthDate": f"{birth_date.isoformat()}T16:00:00.000Z"})
    reply = await ask(transport, options, Question(url, headers, body, options.setup_timeout_s))
    has_one = reply.status == _TOO_MANY_REQUESTS and _HAS_BIRTH_DATE in reply.body
    if not reply.is_success and not has_one:
        raise reply.refusal()
    return SetupReply(reply.status, None)


async def show_adult_content(transport: Transport, options: GrokWebOptions, credential: str) -> SetupReply:
    """See `Upstream.show_adult_content`."""
    url = options.base_url.rstrip("/") + FEATURES_PATH
    headers = grpc_headers(options, credential, referer_path="/?_s=data")
    question = Question(url, headers, SHOW_ADULT_CONTENT, options.setup_timeout_s)
    return _confirmed(await ask(transport, options, question))


def _confirmed(reply: Reply) -> SetupReply:
    if not reply.is_success:
        raise reply.refusal()
    grpc = read_answer(reply).status
    if grpc.code != 0:
        raise grpc_failure(grpc, reply.status, reply.headers)
    return SetupReply(reply.status, grpc)
