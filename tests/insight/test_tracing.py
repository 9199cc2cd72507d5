"""Requests as OpenTelemetry's collectors see them."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from structlog.testing import capture_logs

from grok_app.catalog import Pool
from grok_app.insight import open_tracing, tracing
from grok_app.trace import LEFT, Attempt, Step, Trace, TraceContext
from tests.conftest import ENDLESS, KEYS, QUICK_RETRIES
from tests.contract.wire import CHAT, body
from tests.insight.collector import Collector, attributes, collector
from tests.servers import RUNNING, Gateway, Sandbox, start_gateway

__all__ = ["collector"]

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
OURS = "0123456789abcdef"
COLLECTOR = "OTEL_EXPORTER_OTLP_ENDPOINT"
SPANS = "grok_app.insight.spans"


def finished(*, context: TraceContext | None = None, error: str | None = None) -> Trace:
    """A chat of 400 ms that one account failed within 100 ms and another began to answer 50 ms later."""
    trace = Trace("mine", CHAT, "…cdef", is_stream=True, model="grok-4", trace_id=TRACE, context=context)
    began_at = trace.began_at
    refused = Attempt(7, "rate_limited", "Too many requests", 100, began_at)
    answered = Attempt(8, duration_ms=50, began_at=began_at + 0.1)
    trace.attempts += [refused, answered]
    trace.steps.append(Step("lease", began_at, began_at + 0.01))
    trace.first_chunk_ms, trace.prompt_tokens, trace.completion_tokens = 150, 3, 40
    trace.error = error
    trace.end(200)
    trace.duration_ms = 400
    return trace


async def send(*traces: Trace) -> None:
    """Hand these over, and end."""
    async with open_tracing() as export:
        assert export
        for trace in traces:
            export(trace)


def ms(span: Span) -> int:
    """How long it took."""
    return round((span.end_time_unix_nano - span.start_time_unix_nano) / 1e6)


async def test_a_request_is_a_span_with_one_for_each_thing_it_waited_for(collector: Collector) -> None:
    """With the times that they had, what is known of them, and no key."""
    trace = finished()
    await send(trace)
    root = collector.root()
    assert (root.name, root.trace_id.hex(), root.parent_span_id, ms(root)) == (CHAT, TRACE, b"", 400)
    assert root.start_time_unix_nano == trace.started_at_ms * 1_000_000
    assert attributes(root) == {
        "http.route": CHAT,
        "http.response.status_code": 200,
        "gen_ai.request.model": "grok-4",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 40,
        "grok_app.request_id": "mine",
        "grok_app.surface": "inference",
        "grok_app.is_stream": True,
        "grok_app.first_chunk_ms": 150,
    }
    [lease] = [span for span in collector.below(root) if span.name == "lease"]
    refused, answered = (span for span in collector.below(root) if span.name == "ask Grok")
    assert (lease.name, ms(lease)) == ("lease", 10)
    assert [ms(refused), ms(answered)] == [100, 300]
    assert attributes(refused) == {"grok_app.account_id": 7, "grok_app.attempt": 1, "error.type": "rate_limited"}
    assert (refused.status.code, refused.status.message) == (Status.STATUS_CODE_ERROR, "Too many requests")
    assert attributes(answered) == {"grok_app.account_id": 8, "grok_app.attempt": 2}
    [word] = answered.events
    assert word.time_unix_nano - answered.start_time_unix_nano == 50_000_000
    assert collector.resources[0]["service.name"] == "grok_app"


async def test_a_callers_trace_goes_on(collector: Collector) -> None:
    """Our part has the id that the answer told, under the caller's part."""
    await send(finished(context=TraceContext(TRACE, OURS, PARENT, is_sampled=True)))
    root = collector.root()
    assert (root.trace_id.hex(), root.span_id.hex(), root.parent_span_id.hex()) == (TRACE, OURS, PARENT)


async def test_what_a_caller_does_not_sample_is_not_sent(collector: Collector) -> None:
    """Its trace would begin in the middle."""
    await send(finished(context=TraceContext(TRACE, OURS, PARENT, is_sampled=False)))
    assert collector.spans == []


@pytest.mark.parametrize(
    ("error", "code"),
    [(None, Status.STATUS_CODE_UNSET), (LEFT, Status.STATUS_CODE_UNSET), ("upstream_error", Status.STATUS_CODE_ERROR)],
    ids=["none", "left", "error"],
)
async def test_an_error_marks_the_request(collector: Collector, error: str | None, code: int) -> None:
    """A caller who left is none."""
    trace = finished(error=error)
    await send(trace)
    assert collector.root().status.code == code
    assert attributes(collector.root()).get("error.type") == error


async def test_a_collector_that_is_away_keeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that stops says so and goes."""
    monkeypatch.setattr(tracing, "_CLOSE_LIMIT_S", 0.1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setenv(COLLECTOR, f"http://127.0.0.1:{silent.getsockname()[1]}")
        with capture_logs() as logs:
            began_at = time.monotonic()
            await send(finished())
            assert time.monotonic() - began_at < 3
        assert [line["event"] for line in logs] == ["the last traces could not be sent in time"]


async def test_an_odd_request_does_not_end_the_traces_of_others(collector: Collector) -> None:
    """It is in the log, and the next ones are sent."""
    odd = finished()
    odd.trace_id = "no hex"
    with capture_logs() as logs:
        await send(odd, finished())
    assert [line["event"] for line in logs] == ["a request could not be traced"]
    assert collector.root().trace_id.hex() == TRACE


async def test_a_burst_costs_the_event_loop_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What there is no room for is dropped, and said once."""
    monkeypatch.setattr(tracing, "_MOST_WAITING", 2)
    monkeypatch.setattr(tracing, "_CLOSE_LIMIT_S", 0.1)
    may_go = Event()

    class Slow:
        add = close = staticmethod(lambda *_: may_go.wait())

    sender = tracing.Sender(Slow())  # type: ignore[arg-type] # a look-alike
    with capture_logs() as logs:
        for _ in range(10):
            sender.add(finished())
    assert len(logs) == 1
    assert not sender.close()
    may_go.set()


def test_without_the_extra_the_start_says_so() -> None:
    """With what to do; without the variable nobody asks. None of OpenTelemetry's packages is there."""
    code = (
        "import sys; sys.modules['opentelemetry'] = None; from grok_app.env import wants_traces; print(wants_traces())"
    )
    unset = {name: value for name, value in os.environ.items() if name != COLLECTOR}

    def ask(environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)

    assert ask(unset).stdout.split() == ["False"]
    last_line = ask({**unset, COLLECTOR: "http://127.0.0.1:4318"}).stderr.splitlines()[-1]
    assert re.search(rf"ConfigurationError: {COLLECTOR} is set.*pip install 'grok-app\[otel\]'", last_line)


async def test_nothing_is_imported_without_a_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """What sends traces may not be installed."""
    monkeypatch.delenv(COLLECTOR, raising=False)
    monkeypatch.delitem(sys.modules, SPANS, raising=False)
    async with open_tracing() as export:
        assert export is None
    assert SPANS not in sys.modules


@pytest.fixture
def traced(collector: Collector, sandbox: Sandbox, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway that sends there; its one account is refused by Grok until it has rested."""
    folder = tmp_path / "traced"
    folder.mkdir()
    assert collector.url
    accounts = {Pool.BASIC: (f"sandbox-basic-traced-{ENDLESS}",)}
    gateway = start_gateway(folder, sandbox, accounts, {**KEYS, **QUICK_RETRIES})
    yield gateway
    if gateway.process in RUNNING:
        gateway.kill()


def test_a_stop_sends_what_waits(traced: Gateway, collector: Collector) -> None:
    """A chat that was just answered is there when the server has ended, under the caller's trace."""
    told = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
    answer = traced.http.post(CHAT, json=body("Hello", stream=True), headers=told).raise_for_status()
    traced.stop()
    root = collector.root()
    assert answer.headers["traceparent"] == f"00-{TRACE}-{root.span_id.hex()}-01"
    assert (root.trace_id.hex(), root.parent_span_id.hex()) == (TRACE, PARENT)
    assert attributes(root)["http.response.status_code"] == 200
    assert [span.name for span in collector.below(root)] == ["lease", "ask Grok"]
