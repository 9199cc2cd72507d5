"""Fills a fresh data folder with accounts. A process of its own: the gateway's environment is read once a process."""

import sys

from grok_app.catalog import Pool
from grok_app.runtime import prepare_storage, seed_demo

if __name__ == "__main__":
    prepare_storage()
    seed_demo({Pool.BASIC: [f"sandbox-basic-{number:06d}-quota999999" for number in range(int(sys.argv[1]))]})
