"""What is said when the disk takes nothing any more."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from grok_app.errors import OverloadedError

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def storing(what: str = "file") -> Iterator[None]:
    """Say so when what is written in the block doesn't fit on the disk, or the disk can only be read.

    Raises:
        OverloadedError: In place of the system's error.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise OverloadedError(
                f"The disk is full: the {what} could not be stored. Please try again later."
            ) from error
        if error.errno == errno.EROFS:
            raise OverloadedError(f"The disk is read-only: the {what} could not be stored.") from error
        raise
