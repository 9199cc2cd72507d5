"""A full disk and a read-only one, told from other faults of a disk."""

import errno

import pytest

from grok_app.errors import OverloadedError
from grok_app.media import storing


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT], ids=["disk", "quota"])
def test_a_full_disk_is_told_to_the_caller(number: int) -> None:
    """It passes when something is cleaned; the message says what didn't fit, and the cause is kept for the log."""
    fault = OSError(number, "full")
    with pytest.raises(OverloadedError, match="the video could not be stored") as raised, storing("video"):
        raise fault
    assert raised.value.__cause__ is fault


def test_a_read_only_disk_is_told_to_the_caller() -> None:
    """It is no bug either; but nobody is told to come back later."""
    with (
        pytest.raises(OverloadedError, match="The disk is read-only: the image could not be stored"),
        storing("image"),
    ):
        raise OSError(errno.EROFS, "read-only")


@pytest.mark.parametrize(
    "fault",
    [OSError(errno.EIO, "broken"), PermissionError(errno.EACCES, "no"), OSError("?"), ValueError("x")],
    ids=repr,
)
def test_other_faults_stay_what_they_are(fault: Exception) -> None:
    """Nobody is told to come back later for a disk that is broken."""
    with pytest.raises(type(fault)) as raised, storing():
        raise fault
    assert raised.value is fault
