"""Asking a person before something is lost."""

from __future__ import annotations

import sys

import click

from .failure import Refused
from .output import Output


def confirm(output: Output, question: str, yes: bool) -> None:
    """Go on only if the person agrees, or said ``--yes`` before; where nobody can answer, refuse."""
    if yes:
        return
    if output.as_json or not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Refused(f"This needs a yes: {question}", hint="Add --yes.")
    click.confirm(question, abort=True, err=True)
