"""`python -m grok_app.cli`: the same as `grok-app`. The demo starts its processes so."""

from grok_app.cli import main

main()
