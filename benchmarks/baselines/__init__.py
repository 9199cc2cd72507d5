"""Relays to measure the gateway against: what a good first version does, and the least that Python can do.

Both take what the gateway takes and answer in the same chunks, streamed or whole. Neither has accounts, keys, limits,
retries, a record, or an answer to anything that goes wrong.
"""
