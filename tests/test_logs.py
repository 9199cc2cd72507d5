"""Logs: one line per event, the request's id on it, no secrets."""

import errno
import json
import logging
import sys
from io import StringIO

import pytest

from grok_app.logs import configure_logging, get_logger, request_id, trace_id

pytestmark = pytest.mark.usefixtures("restore_logging")


def test_a_line_is_json_with_the_requests_ids(capsys: pytest.CaptureFixture[str]) -> None:
    """Fields are values, not prose; the ids of request and trace are on every line, of libraries as well."""
    configure_logging("info", as_json=True)
    tokens = request_id.set("req-1"), trace_id.set("trace-1")
    get_logger("test").info("something happened", account_id=7)
    logging.getLogger("library").warning("watch %s", "out")
    request_id.reset(tokens[0])
    trace_id.reset(tokens[1])
    ours, theirs = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (ours["event"], ours["account_id"], ours["level"]) == ("something happened", 7, "info")
    assert (theirs["event"], theirs["level"]) == ("watch out", "warning")
    assert ours["request_id"] == theirs["request_id"] == "req-1"
    assert ours["trace_id"] == theirs["trace_id"] == "trace-1"


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "text"])
def test_secrets_are_hidden(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    """A field that is named like a secret never shows its value."""
    configure_logging("debug", as_json=as_json)
    get_logger("test").info("signed in", credential="hunter2", cookie="hunter2", api_key="hunter2")
    assert "hunter2" not in capsys.readouterr().err


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "text"])
def test_a_traceback_shows_no_variables(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    """What a function held when it failed, keys and prompts among it, stays out of the log."""
    configure_logging("info", as_json=as_json)

    def fail(_key: str) -> None:
        int("x")

    try:
        fail("hunter" + str(2))
    except ValueError:
        get_logger("test").exception("it broke")
    said = capsys.readouterr().err
    assert "ValueError" in said
    assert "hunter2" not in said


def test_what_is_below_the_level_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    """`GROK_APP_LOG_LEVEL` is obeyed."""
    configure_logging("warning", as_json=False)
    get_logger("test").info("quiet")
    assert capsys.readouterr().err == ""


def test_a_traceback_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    """In JSON, an exception is a field, so that one event is one line."""
    configure_logging("info", as_json=True)
    try:
        int("x")
    except ValueError:
        get_logger("test").exception("it broke")
    (line,) = capsys.readouterr().err.splitlines()
    assert "ValueError" in json.loads(line)["exception"]


def test_a_text_line_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever a caller puts into a path: it is quoted, so that nobody can write lines of their own."""
    configure_logging("info", as_json=False)
    get_logger("test").info("request", path="/a\n2026 [info] forged", status=200, method="GET", blank="", at=None)
    (line,) = capsys.readouterr().err.splitlines()
    when, _, said = line.partition(" ")
    assert when.startswith("20")
    assert said == (
        "[info     ] request                        [test] "
        r"at=None blank='' method=GET path='/a\n2026 [info] forged' status=200"
    )


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "text"])
def test_nobody_writes_lines_of_their_own(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    """What a caller sent with a line break in it stays one line, a library's too."""
    configure_logging("info", as_json=as_json)
    get_logger("test").info("request", path="/a\n2026-01-01 forged", method="\x1b[2J")
    logging.getLogger("library").warning("could not read %s", "a\r\n2026-01-01 forged\x1b[2J")
    written = capsys.readouterr().err
    assert len(written.splitlines()) == 2
    assert "\x1b" not in written


def test_a_traceback_follows_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    """In text, for people, with nothing behind it on the line that says what happened."""
    configure_logging("info", as_json=False)
    try:
        int("x")
    except ValueError:
        get_logger("test").exception("it broke")
    first, second, *_, last = capsys.readouterr().err.splitlines()
    assert first.endswith("[test]")
    assert second == "Traceback (most recent call last):"
    assert last.startswith("ValueError")


def test_a_full_disk_costs_lines_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever logs to a file that takes nothing any more goes on with its work."""
    monkeypatch.setattr(sys, "stderr", _Full())
    configure_logging("info", as_json=False)
    get_logger("test").warning("the first line")
    logging.getLogger("library").warning("the second line")


class _Full(StringIO):
    """A file on a full disk."""

    def write(self, _text: str) -> int:
        """Fail."""
        raise OSError(errno.ENOSPC, "No space left on device")
