"""Findings, told to people and to programs."""

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import click

from grok_app.cli.doctor.finding import Finding, Level

_COLOURS: Final = {Level.OK: "green", Level.WARNING: "yellow", Level.FAILURE: "red"}
_WIDTH: Final = 100
_INDENT: Final = " " * 26


def print_findings(findings: Sequence[Finding], *, as_json: bool) -> int:
    """Print all of them.

    Returns:
        The exit code: 1 when one is a failure.
    """
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            _print(finding)
    return int(any(finding.level is Level.FAILURE for finding in findings))


def _print(finding: Finding) -> None:
    level = click.style(f"{finding.level:<8}", fg=_COLOURS[finding.level])
    text = textwrap.fill(
        finding.text, _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT, break_long_words=False
    )
    click.echo(f"{level}  {finding.subject:<15} {text.lstrip()}")
    if finding.advice:
        click.echo(
            textwrap.fill(f"→ {finding.advice}.", _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT + "  ")
        )
