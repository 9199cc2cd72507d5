"""Finished requests as spans of OpenTelemetry. Imported only where they are wanted, since its SDK may be missing.

A span is made of what the request has gathered anyway, after its end: nothing is done for it on the way. The SDK sends
spans in batches from a thread of its own, and drops the oldest when nobody takes them.
"""

import os
from typing import Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from grok_app import __version__
from grok_app.trace import LEFT, Attempt, Step, Trace

_SERVICE: Final = "grok_app"
_VISITORS: Final = "/v1/public/"


class Spans:
    """Sends requests to a collector: where it is, and how it is spoken to, the variables `OTEL_…` say."""

    def __init__(self) -> None:
        name = os.environ.get("OTEL_SERVICE_NAME", _SERVICE)
        self._ids = _Ids()
        self._provider = TracerProvider(
            resource=Resource.create({SERVICE_NAME: name, SERVICE_VERSION: __version__}),
            id_generator=self._ids,
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer(_SERVICE, __version__)

    def add(self, trace: Trace) -> None:
        """Take a finished request: a span for it, and one for each account that it asked and each thing it awaited."""
        root = self._begin(trace)
        if root.is_recording():
            _describe(root, trace)
            below = set_span_in_context(root)
            for number, attempt in enumerate(trace.attempts, 1):
                self._add_attempt(trace, attempt, number, below)
            for step in trace.steps:
                self._add_step(trace, step, below)
        root.end(trace.at_ns(trace.ended_at))

    def close(self) -> None:
        """Send what waits, and end. Blocks as long as the collector does."""
        self._provider.shutdown()

    def _begin(self, trace: Trace) -> Span:
        """The request's own span, under the ids that the caller was told."""
        parent = Context()
        self._ids.trace_id = int(trace.trace_id or "0", 16)
        if context := trace.context:
            self._ids.span_id = int(context.span_id, 16)
            flags = TraceFlags(TraceFlags.SAMPLED if context.is_sampled else TraceFlags.DEFAULT)
            caller = SpanContext(
                int(context.trace_id, 16), int(context.parent_id, 16), is_remote=True, trace_flags=flags
            )
            parent = set_span_in_context(NonRecordingSpan(caller), parent)
        span = self._tracer.start_span(trace.route, parent, SpanKind.SERVER, start_time=trace.at_ns(trace.began_at))
        self._ids.trace_id = self._ids.span_id = 0
        return span

    def _add_attempt(self, trace: Trace, attempt: Attempt, number: int, below: Context) -> None:
        began_ns = trace.at_ns(attempt.began_at)
        span = self._tracer.start_span("ask Grok", below, SpanKind.CLIENT, start_time=began_ns)
        span.set_attributes({"grok_app.account_id": attempt.account_id, "grok_app.attempt": number})
        noted_ns = began_ns + attempt.duration_ms * 1_000_000
        if attempt.error:
            span.set_attribute("error.type", str(attempt.error))
            span.set_status(Status(StatusCode.ERROR, attempt.reason))
            span.end(noted_ns)
            return
        if attempt.duration_ms:
            span.add_event("first word", timestamp=noted_ns)
        span.end(max(noted_ns, trace.at_ns(trace.ended_at)))

    def _add_step(self, trace: Trace, step: Step, below: Context) -> None:
        span = self._tracer.start_span(step.name, below, start_time=trace.at_ns(step.began_at))
        span.end(trace.at_ns(step.ended_at))


class _Ids(RandomIdGenerator):
    """Gives the ids that were told for the next span, if any were."""

    trace_id = span_id = 0

    def generate_trace_id(self) -> int:
        """Of a trace that begins here."""
        return self.trace_id or super().generate_trace_id()

    def generate_span_id(self) -> int:
        """Of a span."""
        return self.span_id or super().generate_span_id()


def _describe(span: Span, trace: Trace) -> None:
    """What is known of the request, by OpenTelemetry's names where it has some; no key, no prompt."""
    span.set_attributes(
        {
            "http.route": trace.route,
            "http.response.status_code": trace.status,
            "gen_ai.request.model": trace.model,
            "gen_ai.usage.input_tokens": trace.prompt_tokens,
            "gen_ai.usage.output_tokens": trace.completion_tokens,
            "grok_app.request_id": trace.id,
            "grok_app.surface": "public" if trace.route.startswith(_VISITORS) else "inference",
            "grok_app.is_stream": trace.is_stream,
        }
    )
    if trace.first_chunk_ms is not None:
        span.set_attribute("grok_app.first_chunk_ms", trace.first_chunk_ms)
    if trace.error:
        span.set_attribute("error.type", str(trace.error))
        if trace.error != LEFT:
            span.set_status(Status(StatusCode.ERROR, trace.reason))
