"""What an operator sees of the inside: figures for Prometheus, traces for OpenTelemetry."""

from grok_app.insight.families import Measured
from grok_app.insight.service import Insight, open_insight
from grok_app.insight.tracing import open_tracing

__all__ = ["Insight", "Measured", "open_insight", "open_tracing"]
