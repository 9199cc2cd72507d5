"""Keeps every Python process of a client off the network, and writes down that it tried.

Python imports a module of this name when it starts. Clients swallow the error, so that a log has to tell.
"""

import os
import sys
from pathlib import Path
from typing import Any, Final

from tests.network import refuse_network

LOG: Final = Path(os.environ["NETWORK_LOG"])


def _watch(event: str, args: tuple[Any, ...]) -> None:
    try:
        refuse_network(event, args)
    except RuntimeError as refused:
        with LOG.open("a") as log:
            log.write(f"{refused}\n")
        raise


LOG.touch()
sys.addaudithook(_watch)
