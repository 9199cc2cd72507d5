"""The doctor: looks at everything that a server stands on, changes nothing, and says what to do."""

from grok_app.cli.doctor.examination import examine
from grok_app.cli.doctor.finding import Finding, Level
from grok_app.cli.doctor.report import print_findings

__all__ = ["Finding", "Level", "examine", "print_findings"]
