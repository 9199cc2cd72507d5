"""How many tokens an answer has, estimated: Grok's web protocol doesn't say, and its tokenizer is not public.

A token of text is taken to be four bytes of UTF-8. That is the usual average of English prose and code (four
characters), and about 0.75 tokens for a Chinese character, which is three bytes. It is exact for no text and near for
most. A picture is taken to be one token for each 32 × 32 pixels of a square one with 1,024 pixels a side, whatever its
real size: about what OpenAI counts for a picture of medium quality.
"""

from typing import Final

PICTURE_TOKENS: Final = 1024
"""Tokens of a picture, given or made."""
_BYTES_PER_TOKEN: Final = 4


def byte_length(text: str) -> int:
    """The length of a text in UTF-8, without encoding it where it is ASCII."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def tokens(bytes_count: int) -> int:
    """Tokens in a text of so many bytes: rounded up, so that only an empty text has none."""
    return -(-bytes_count // _BYTES_PER_TOKEN)
