"""The benchmarks run, on a sandbox of their own; how fast anything is is not tested here."""

import json
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from benchmarks.hot_path import GATEWAY, LEANEST, PLAIN, judge
from benchmarks.load import Ask, run_load
from benchmarks.pool import measure_choice
from benchmarks.processes import Memory, Served, cpu_s, memory, start_relay, start_sandbox
from benchmarks.recording import measure_recording
from benchmarks.report import Report, describe_machine, print_report
from benchmarks.rounds import Comparison, Figures, compare, percentile
from benchmarks.sandbox import LINES_IN_REPLY, Answering, start_answering
from benchmarks.workloads import (
    CROWD_PACED,
    ONE,
    SIXTEEN,
    SIXTEEN_PACED,
    Target,
    Workload,
    ask_gateway,
    ask_sandbox,
)

FEW = Workload("1 stream", streams=1, requests=5)


async def test_every_reply_is_counted_once_and_complete() -> None:
    """Five requests on one stream are five samples, each with all frames of the answer, and no error."""
    async with _sandbox() as port:
        load = await run_load(port, ask_sandbox(FEW), streams=1, requests=5)
    assert not load.errors
    assert [sample.events for sample in load.samples] == [LINES_IN_REPLY] * 5
    assert all(0 < sample.first_s <= sample.total_s for sample in load.samples)


async def test_a_paced_reply_starts_before_it_ends() -> None:
    """With a pause before each token the first text is there before the last byte, on every one of the streams."""
    paced = Workload("paced", streams=3, requests=3, pace_ms=1, is_spread=True)
    async with _sandbox() as port:
        load = await run_load(port, ask_sandbox(paced), streams=3, requests=3, spread_s=paced.spread_s)
    assert not load.errors
    assert len(load.samples) == 3
    assert all(sample.first_s < sample.total_s for sample in load.samples)


async def test_an_incomplete_reply_is_an_error_and_no_sample() -> None:
    """A reply that lacks what was asked for is not counted as an answer."""
    ask = ask_sandbox(FEW)
    async with _sandbox() as port:
        load = await run_load(port, Ask(ask.request, ask.event, ask.mark, ask.marks + 1), streams=1, requests=2)
    assert not load.samples
    assert len(load.errors) == 2


async def test_a_cut_connection_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that hangs up makes errors, and the run ends all the same."""
    monkeypatch.setattr(Answering, "data_received", lambda self, _data: self._transport.abort())
    async with _sandbox() as port:
        load = await run_load(port, ask_sandbox(FEW), streams=2, requests=5)
    assert not load.samples
    assert len(load.errors) == 2


async def test_a_comparison_becomes_a_table_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Two targets run in turn give one row each, and the difference decides about the bar."""
    async with _sandbox() as port:
        served = Served(pid=os.getpid(), port=port)
        targets = [Target(name, served, ask_sandbox) for name in ("sandbox", "again")]
        comparison = await compare(FEW, targets, rounds=2)
    report = _report(comparison)
    print_report(report)
    printed = capsys.readouterr().out
    assert "again" in printed
    assert "/ sandbox" in printed
    assert "again +" in printed
    assert comparison.floor.requests == comparison.others[0].requests == 10
    assert report.errors == 0
    assert not report.verdicts, "there was no gateway to judge"
    assert json.loads(report.as_json())["comparisons"][0]["floor"]["target"] == "sandbox"


@pytest.mark.parametrize("relay", [PLAIN, LEANEST])
async def test_a_relay_answers_as_the_gateway_does(relay: str) -> None:
    """What the gateway is asked, each relay is asked: streams, whole answers and long prompts come complete."""
    workloads = [
        Workload("streams", streams=2, requests=4),
        Workload("paced", streams=1, requests=1, pace_ms=1),
        Workload("not streamed", streams=1, requests=2, is_stream=False),
        Workload("long", streams=1, requests=1, prompt_bytes=50_000),
    ]
    with start_sandbox() as sandbox, start_relay(relay, sandbox) as served:
        loads = [
            await run_load(served.port, ask_gateway(each), streams=each.streams, requests=each.requests)
            for each in workloads
        ]
    assert [load.errors for load in loads] == [[], [], [], []]
    assert [len(load.samples) for load in loads] == [4, 1, 2, 1]


def test_the_bars_judge_the_gateway_against_both_relays() -> None:
    """CPU is judged by the relays' own of the same rounds, times by the floor and by Grok's pace."""
    sandbox = _figures("sandbox", cpu=0.1, first=(1, 2), total=(990, 1000))
    others = [
        _figures(GATEWAY, cpu=1.5, first=(3, 20), total=(1000, 1045)),
        _figures(PLAIN, cpu=3.0, first=(1, 1), total=(1, 1)),
        _figures(LEANEST, cpu=0.5, first=(1, 1), total=(1, 1)),
    ]
    rows = [Comparison(workload, sandbox, others) for workload in (SIXTEEN, ONE, SIXTEEN_PACED, CROWD_PACED)]
    verdicts = judge(rows)
    assert [round(verdict.measured, 3) for verdict in verdicts] == [0.5, 3.0, 2.0, 18.0, 256.0, 55.0]
    assert [verdict.is_met for verdict in verdicts] == [True, False, True, False, True, True]


def test_the_gateway_is_asked_for_the_same_reply() -> None:
    """The gateway's request carries the sandbox's prompt, and its reply must hold every token once."""
    paced = Workload("paced", streams=1, requests=1, pace_ms=7)
    direct, through = ask_sandbox(paced), ask_gateway(paced)
    assert paced.prompt.encode() in direct.request
    assert paced.prompt.encode() in through.request
    assert through.marks * 2 == direct.marks


def test_a_server_is_watched_and_ended() -> None:
    """The sandbox runs as a process of its own, whose memory and time are known, and ends with its block."""
    with start_sandbox() as served:
        assert memory(served.pid).rss_mib > 0
        assert cpu_s(served.pid) >= 0
    with pytest.raises(ProcessLookupError):
        os.kill(served.pid, 0)


def test_choosing_an_account_is_measured() -> None:
    """A tiny pool is enough to measure the choice."""
    choice = measure_choice(100, choices=10)
    assert choice.accounts == 100
    assert choice.choose_us > 0


def test_recording_requests_is_measured() -> None:
    """A few requests and rows are enough to measure what the record costs, and the looks at it."""
    recording = measure_recording(requests=20, rows=20)
    assert min(recording.path_us, recording.count_us, recording.write_us) > 0
    assert len(recording.looks_ms) == 5
    assert min(recording.looks_ms.values()) > 0


def test_a_percentile_is_one_of_the_values() -> None:
    """Percentiles are taken by rank; of nothing they are 0."""
    values = [float(number) for number in range(100)]
    assert percentile(values, 50) == 50
    assert percentile(values, 99) == 99
    assert percentile([], 50) == 0


def _figures(name: str, *, cpu: float, first: tuple[float, float], total: tuple[float, float]) -> Figures:
    return Figures(name, 1, 0, "", *first, *total, total[0], 1, 1, cpu, [])


def _report(comparison: Comparison) -> Report:
    memory = Memory(rss_mib=1, pss_mib=1)
    return Report(datetime.now(UTC), describe_machine([1.0, 1.1], 0.5), [comparison], memory, memory, [])


@asynccontextmanager
async def _sandbox() -> AsyncGenerator[int, None]:
    server = await start_answering()
    async with server:
        yield int(server.sockets[0].getsockname()[1])
