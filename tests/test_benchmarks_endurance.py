"""What the soak holds against the gateway; how it fares is `tests/contract/test_soak.py`."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.endurance import Endurance, Rest, Sample, main, print_endurance
from benchmarks.errands import make_errands
from benchmarks.watched import Held

REST = Rest(pss_mib=200, open_files=50, held=Held(tasks=15, is_lending=False), calls=0, parts=0)


def samples(*, last_mib: float = 200, last_s: float = 0.02, sandbox_s: float = 0.01) -> list[Sample]:
    """Two minutes of them; the second half is like this."""
    first = [Sample(at_s, 200, 0.02, 0.01) for at_s in range(60)]
    return first + [Sample(at_s, last_mib, last_s, sandbox_s) for at_s in range(60, 121)]


def endurance(**changed: Any) -> Endurance:
    """One that ends with a rest that is so much different."""
    return Endurance(samples=samples(), rests=[REST, replace(REST, **changed)])


def test_a_gateway_that_is_as_it_was_has_no_faults(capsys: pytest.CaptureFixture[str]) -> None:
    """A few connections and tasks for the next time are none; the table says so."""
    result = endurance(open_files=58, held=Held(tasks=23, is_lending=False), pss_mib=219)
    print_endurance(result)
    assert result.faults == []
    assert "Flat." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"open_files": 59}, "9 more open files"),
        ({"held": Held(tasks=24, is_lending=False)}, "9 more tasks"),
        ({"held": Held(tasks=15, is_lending=True)}, "an account is still on lease"),
        ({"calls": 1}, "1 calls are still open at Grok"),
        ({"parts": 1}, "1 half-written files"),
    ],
    ids=["files", "tasks", "lease", "calls", "parts"],
)
def test_what_is_left_behind_is_a_fault(
    changed: dict[str, Any], fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is named."""
    result = endurance(**changed)
    print_endurance(result)
    assert result.faults == [fault]
    assert f"NOT FLAT: {fault}" in capsys.readouterr().out


def test_memory_must_have_grown_at_rest_too() -> None:
    """Under load it may be what is just under way; at rest alone, what the collector hasn't seen yet."""
    grown = samples(last_mib=230)
    assert Endurance(samples=grown, rests=[REST, REST]).faults == []
    assert endurance(pss_mib=230).faults == []
    both = Endurance(samples=grown, rests=[REST, replace(REST, pss_mib=226)])
    assert both.faults == ["memory grew by 13.0%"]


def test_the_sandbox_says_how_busy_the_machine_is() -> None:
    """A chat that takes longer is a fault only where the sandbox doesn't take longer as well."""
    assert Endurance(samples=samples(last_s=0.2, sandbox_s=0.1), rests=[REST, REST]).faults == []
    assert Endurance(samples=samples(last_s=0.05), rests=[REST, REST]).faults == ["chats take 2.50 times as long"]


def test_an_errand_that_ends_otherwise_is_a_fault() -> None:
    """With its name and end."""
    result = Endurance(surprises=Counter({"file: 404": 2}), samples=samples(), rests=[REST, REST])
    assert result.faults == ["2 ended as they should not: {'file: 404': 2}"]


def test_every_kind_of_errand_is_gone_on() -> None:
    """Chats, pictures, videos, files, runs, tasks, the console; failures and callers who leave among them."""
    errands = make_errands()
    names = {errand.name for errand in errands}
    assert names >= {"chat", "draw url", "edit", "video", "file", "run", "task", "admin tokens", "chat with a picture"}
    assert {end for errand in errands for end in errand.ends} >= {"200", "403", "502", "left", "broke off"}


def test_the_time_is_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    """Half an hour otherwise."""
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert "--minutes" in said
    assert "30 by default" in said
