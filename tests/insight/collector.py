"""A collector of OpenTelemetry's, as small as can be: OTLP over HTTP on a socket of its own."""

from collections.abc import Generator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Collector:
    """What was sent."""

    url: str
    spans: list[Span] = field(default_factory=list)
    resources: list[dict[str, Any]] = field(default_factory=list)

    def root(self) -> Span:
        """The one span of a server's."""
        [root] = [span for span in self.spans if span.kind == Span.SPAN_KIND_SERVER]
        return root

    def below(self, parent: Span) -> list[Span]:
        """Its children, in the order of their beginning."""
        found = [span for span in self.spans if span.parent_span_id == parent.span_id]
        return sorted(found, key=lambda span: span.start_time_unix_nano)


def attributes(of: Any) -> dict[str, Any]:
    """Attributes as Python has them."""
    return {it.key: getattr(it.value, it.value.WhichOneof("value")) for it in of.attributes}


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Generator[Collector]:
    """One that this process, and those that it starts, send to."""
    got = Collector("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            body = self.rfile.read(int(self.headers["content-length"]))
            for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                got.resources.append(attributes(group.resource))
                for scope in group.scope_spans:
                    got.spans.extend(scope.spans)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        got.url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", got.url)
        serving = Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield got
        server.shutdown()
        serving.join()
