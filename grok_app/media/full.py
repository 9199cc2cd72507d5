"""What is said when the disk is full."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from grok_app.errors import OverloadedError

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def storing(what: str = "file") -> Iterator[None]:
    """Say so when what is written in the block doesn't fit on the disk.

    Raises:
        OverloadedError: In place of the system's error.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise OverloadedError(f"The disk is full: the {what} could not be stored. Please try again later.") from error
