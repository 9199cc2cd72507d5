"""The index page: what the sandbox is, how to use it, and every magic word. It loads nothing from elsewhere."""

from collections.abc import Iterable
from html import escape
from typing import Final

from grok_app.sandbox.accounts import DEMO_ACCOUNTS
from grok_app.sandbox.faults import GROUPS, RULES
from grok_app.sandbox.media.files import PUBLIC_FOLDER
from grok_app.sandbox.voice.signalling import PATHS, VALIDATE_PATHS
from grok_app.sandbox.words import Call, Word

_STYLE: Final = """
:root { color-scheme: light dark; --line: light-dark(#ddd, #333); --soft: light-dark(#f5f5f4, #1c1c1e); }
* { box-sizing: border-box; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 46rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
code, pre { font: .88em/1.5 ui-monospace, monospace; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: .5rem; padding: .8rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-top: 1px solid var(--line); }
td:first-child { white-space: nowrap; width: 1%; }
summary { cursor: pointer; font-weight: 600; padding: .5rem 0; }
"""


def index_page(base_url: str) -> str:
    """The page as HTML; `base_url` is how its reader reached the sandbox, without a slash at the end."""
    url = escape(base_url)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>Grok sandbox</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Grok sandbox</h1>
<p>A simulated grok.com as of February 2026, for demos and tests. It speaks the same calls and frames, needs no real
account, and no request leaves this machine. The answers and pictures are made up, the failures are as real
as they get.</p>
<h2>Use it</h2>
<p>Point the gateway here, and give it one of the accounts below:</p>
<pre>GROK_APP_UPSTREAM__GROK_URL={url}
GROK_APP_UPSTREAM__ACCOUNTS_URL={url}
GROK_APP_UPSTREAM__ASSETS_URL={url}
GROK_APP_VOICE__LIVEKIT_URL={url.replace("http", "ws", 1)}</pre>
<p>Or ask directly:</p>
<pre>{_curl(url)}</pre>
<p>It answers these calls for all of Grok's hosts, and knows them by the cookies <code>sso</code> and
<code>sso-rw</code>:</p>
<pre>{_calls()}</pre>
<p>See what arrived: <a href="/sandbox/requests"><code>/sandbox/requests</code></a>. See what is going on, what is
left to each account and what was set for it: <a href="/sandbox/state"><code>/sandbox/state</code></a>. Forget
everything: <code>POST /sandbox/reset</code>.</p>
<h2>Demo accounts</h2>
<p>Any token that begins with <code>sandbox-</code> is an account. These are ready to use:</p>
<table><tr><th>Token</th><th>Pool</th></tr>{_account_rows()}</table>
<h2>Magic words</h2>
<ul>{"".join(f"<li>{escape(rule)}</li>" for rule in RULES)}</ul>
{"".join(_group(title, words) for title, words in GROUPS.items())}
</body>
</html>
"""


def _curl(url: str) -> str:
    token = DEMO_ACCOUNTS[0][1]
    return (
        f"curl -N {url}/rest/app-chat/conversations/new \\\n"
        f"  -H 'Cookie: sso={token}; sso-rw={token}' \\\n"
        '  -d \'{"message": "Hello @search", "modelName": "grok-3", "modelMode": "MODEL_MODE_GROK_3"}\''
    )


def _calls() -> str:
    others = [
        f"GET /{PUBLIC_FOLDER}{{name}} (anybody)",
        *(f"WS {path} (whoever has a voice token)" for path in PATHS),
        *(f"GET {path} (the same)" for path in VALIDATE_PATHS),
    ]
    return "\n".join((*(call.value for call in Call), *others))


def _account_rows() -> str:
    return "".join(f"<tr><td><code>{token}</code></td><td>{pool}</td></tr>" for pool, token in DEMO_ACCOUNTS)


def _group(title: str, words: Iterable[Word]) -> str:
    rows = "".join(f"<tr><td><code>@{word.name}</code></td><td>{escape(word.does)}</td></tr>" for word in words)
    return f"<details open><summary>{escape(title)}</summary><table>{rows}</table></details>\n"
