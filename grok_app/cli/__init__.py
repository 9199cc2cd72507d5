"""The command line: `grok-app run`, `demo`, `api`, `sandbox`, `build`, `db`, `key`, `import`, `export`."""

from grok_app.cli.commands import commands, main

__all__ = ["commands", "main"]
