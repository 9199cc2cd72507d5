"""grok.com as its own web page uses it, with an account's SSO cookie. Protocol epoch [F], February 2026."""

from grok_app.upstream.grokweb.addresses import asset_id
from grok_app.upstream.grokweb.client import GrokWeb, open_grokweb
from grok_app.upstream.grokweb.headers import GrokWebOptions

__all__ = ["GrokWeb", "GrokWebOptions", "asset_id", "open_grokweb"]
