"""A simulated grok.com of February 2026, over real HTTP, that needs no account and reaches no network.

It speaks the chat, picture, video, voice, file, quota and account setup calls of the protocol notes (epoch [F]) for all
Grok's hosts, remembers per account what was spent, set and made, and misbehaves on request: magic words in the message
or in the account's name produce each failure, see `describe_faults`. Written from the protocol page, not from our
client, so that the two can disagree.
"""

from grok_app.sandbox.accounts import DEMO_ACCOUNTS
from grok_app.sandbox.app import create_sandbox
from grok_app.sandbox.faults import describe_faults
from grok_app.sandbox.serve import serve_sandbox
from grok_app.sandbox.steps import Pacing

__all__ = ["DEMO_ACCOUNTS", "Pacing", "create_sandbox", "describe_faults", "serve_sandbox"]
