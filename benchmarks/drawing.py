"""The demo's sandbox, which draws pictures and keeps files, as a process: `python -m benchmarks.drawing --port N`."""

import argparse
from collections.abc import Sequence

from grok_app.sandbox import Pacing, serve_sandbox


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drawing", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--paced", action="store_true", help="with the demo's pauses, else without any")
    options = parser.parse_args(arguments)
    serve_sandbox("127.0.0.1", options.port, Pacing() if options.paced else Pacing(first_token_s=0, token_s=0))


if __name__ == "__main__":
    main()
