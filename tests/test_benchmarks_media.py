"""Pictures, large files and the soak are measured, and held against their bars; how fast anything is is not tested."""

import asyncio
import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.media import Media, measure_media, print_media
from benchmarks.pictures import DIRECT, Drawing, Plan, measure_drawing
from benchmarks.processes import (
    Memory,
    forget_peaks,
    free_port,
    memory,
    peak_mib,
    run_process,
    start_drawing,
    start_gateway,
)
from benchmarks.report import Report, describe_machine, now
from benchmarks.soak import Sample, Soak
from benchmarks.uploads import Upload, keep_own_picture, measure_uploads

PLAN = Plan(is_paced=False, at_once=2, requests=2)


def test_pictures_are_asked_of_both_in_turn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One round gives as many times for the sandbox as for each form of the gateway, and the table shows them."""
    with start_drawing(is_paced=False) as sandbox, start_gateway(tmp_path, sandbox, accounts=9) as gateway:
        drawing = asyncio.run(measure_drawing(sandbox, gateway, PLAN, rounds=1))
    print_media(Media(drawings=[drawing]))

    assert drawing.times_s.keys() == {DIRECT, "url", "b64_json"}
    assert all(len(times_s) == 2 and min(times_s) > 0 for (times_s,) in drawing.times_s.values())
    assert drawing.probe_ms
    assert "2 at once   b64_json" in capsys.readouterr().out


def test_files_are_given_in_every_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Small ones are enough to see that each way is taken, alone and several at once."""
    keep_own_picture(tmp_path, side=64)
    with start_drawing(is_paced=False) as sandbox, start_gateway(tmp_path, sandbox, accounts=9) as gateway:
        uploads = measure_uploads(gateway, tmp_path, rounds=1, side=300)
    print_media(Media(uploads=uploads))

    assert Counter(upload.at_once for upload in uploads) == {1: 4, 4: 4}
    assert "chat, our URL   4 at once" in capsys.readouterr().out


def test_a_peak_is_seen_though_it_is_over(tmp_path: Path) -> None:
    """What a process holds for a moment counts, and no more once the peaks are forgotten."""
    code = (
        "import socket, sys; a = bytearray(b'x' * (64 << 20)); del a; socket.create_server(('127.0.0.1', {})).accept()"
    )
    port = free_port()
    with run_process([sys.executable, "-c", code.format(port)], port, tmp_path / "log") as served:
        seen = peak_mib(served.pid) - memory(served.pid).rss_mib
        forget_peaks(served.pid)
        assert seen > 60
        assert peak_mib(served.pid) - memory(served.pid).rss_mib < 1


@pytest.mark.parametrize(("times_s", "is_met"), [((1.3, 1.2), True), ((1.2, 1.4), False)], ids=["met", "one is slow"])
def test_pictures_must_be_quick_in_every_form(times_s: tuple[float, float], is_met: bool) -> None:
    """At most 1.3 times what the sandbox took in the same round."""
    url_s, base64_s = times_s
    drawing = Drawing(
        PLAN, {DIRECT: [[1.0], [2.0]], "url": [[url_s], [url_s * 2]], "b64_json": [[base64_s]] * 2}, [], []
    )
    drawing.times_s["b64_json"][1] = [base64_s * 2]
    assert Media(drawings=[drawing]).meets_bar is is_met


@pytest.mark.parametrize(
    ("peaks_mib", "is_met"), [([399, 400], True), ([10, 401], False)], ids=["met", "once too much"]
)
def test_files_may_never_take_more_than_twice_their_size(peaks_mib: list[float], is_met: bool) -> None:
    """The worst round decides, against all files that were given at the same time."""
    assert Media(uploads=[Upload("edit", 4, 50, peaks_mib)]).meets_bar is is_met


@pytest.mark.parametrize(
    ("changed", "is_met"),
    [({}, True), ({"open_files_after": 99}, False), ({"calls_after": 1}, False), ({"surprises": 1}, False)],
    ids=["met", "open files", "a call", "a wrong end"],
)
def test_a_soak_leaves_nothing_behind(changed: dict[str, Any], is_met: bool) -> None:
    """Growth in the first half is the warming up; what is left open in the end is a leak."""
    samples = [Sample(number, min(number, 5) * 20.0, 40, 1) for number in range(10)]
    soak = Soak(samples=samples, open_files_before=40, open_files_after=41, calls_after=0, parts_after=0)
    assert Media(soak=replace(soak, **changed)).meets_bar is is_met


def test_memory_that_grows_in_the_second_half_misses_the_bar() -> None:
    """A few percent are noise, more is a leak."""
    samples = [Sample(number, 100.0 + number, 40, 1) for number in range(12)]
    assert not Media(soak=Soak(samples=samples, calls_after=0, parts_after=0)).meets_bar


def test_a_run_is_kept_with_its_soak() -> None:
    """As JSON, how the generations ended included."""
    nothing = Memory(rss_mib=1, pss_mib=1)
    soak = Soak(outcomes={"edit: 200": 7}, calls_after=0, parts_after=0, samples=[Sample(1, 100, 40, 1)])
    report = Report(now(), describe_machine([1.0], 0.5), [], nothing, nothing, [], media=Media(soak=soak))
    assert json.loads(report.as_json())["media"]["soak"]["outcomes"] == {"edit: 200": 7}


def test_nothing_is_measured_that_was_not_named() -> None:
    """The run that everybody makes stays short."""
    assert measure_media("", rounds=1) == Media()
