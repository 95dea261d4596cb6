"""Exit codes, and how a failure is told: one block on stderr that says what, where, and what to do."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from ..errors import (
    DatabaseUnavailable,
    DecryptionFailed,
    LeaseLost,
    NovukitError,
    PluginInvalid,
    StepFailed,
    SyncConflict,
    SyncRefused,
    TemplateFailed,
    Unauthorized,
    Unreachable,
    WorkflowInvalid,
)

OK, FAILED, USAGE, DRIFT, UNREACHABLE, REFUSED, UNAUTHORIZED, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 130

_CODES: tuple[tuple[type[NovukitError], int], ...] = (
    (SyncConflict, DRIFT),
    (Unreachable, UNREACHABLE),
    (DatabaseUnavailable, UNREACHABLE),
    (SyncRefused, REFUSED),
    (Unauthorized, UNAUTHORIZED),
    (DecryptionFailed, USAGE),
    (TemplateFailed, FAILED),
    (PluginInvalid, FAILED),
    (LeaseLost, FAILED),
    (StepFailed, FAILED),
)


class Stopped(NovukitError):
    """The command cannot go on, and ends with ``exit_code``."""

    code = "stopped"

    def __init__(self, message: str, exit_code: int, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code


class Refused(Stopped):
    """Refused for safety; a flag allows it."""

    code = "refused"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, REFUSED, hint=hint)


def exit_code(err: NovukitError) -> int:
    """The exit code that an error ends the command with."""
    if isinstance(err, Stopped):
        return err.exit_code
    if isinstance(err, WorkflowInvalid) and err.__cause__ is not None:
        # The author's own code could not be imported: nothing is wrong with the command or the settings.
        return FAILED
    if type(err) is NovukitError:
        return FAILED
    return next((code for kind, code in _CODES if isinstance(err, kind)), USAGE)


def report(err: NovukitError, as_json: bool) -> int:
    """Tell of the error on stderr and give the exit code."""
    code = exit_code(err)
    if as_json:
        issues = [
            {"path": issue.path, "code": issue.code, "message": issue.message, "hint": issue.hint}
            for issue in err.issues
        ]
        _write_json(err.code, err.message, err.hint, issues, code)
    else:
        told = err.message.count("\n") > 0 or (len(err.issues) == 1 and err.issues[0].message in err.message)
        _write(err.message, [] if told else [_issue(issue) for issue in err.issues], err.hint)
    return code


def report_usage(err: click.ClickException, as_json: bool) -> int:
    """Tell of a mistake in the command line."""
    message = err.format_message()
    ctx = getattr(err, "ctx", None)
    hint = f"{ctx.command_path} --help tells more." if ctx else None
    if as_json:
        _write_json("usage", message, hint, [], USAGE)
    else:
        _write(message, [], hint)
    return USAGE


def report_fault(err: BaseException, as_json: bool) -> int:
    """Tell of an error that should not be possible."""
    message = f"novukit stumbled over {type(err).__name__}: {str(err)[:200]}"
    hint = "This is a fault in novukit. NOVUKIT_TRACEBACK=1 shows where it happened."
    if as_json:
        _write_json("fault", message, hint, [], FAILED)
    else:
        _write(message, [], hint)
    return FAILED


def _issue(issue: Any) -> str:
    said = issue.message
    if issue.hint and issue.hint not in said:
        said = f"{said.rstrip('.')}. {issue.hint}"
    return f"{issue.path}: {said}" if issue.path else said


def _write(message: str, items: list[str], hint: str | None) -> None:
    from .output import Output, sign

    output = Output()
    first, _, rest = message.partition("\n")
    output.note((f"{sign('✗')} ", "bold red"), (first, "bold"))
    for line in rest.splitlines():
        output.note(line)
    for item in items:
        output.note(f"  {sign('·')} {item}")
    if hint and hint not in message:
        output.note((f"{sign('→')} ", "cyan"), hint)


def _write_json(code: str, message: str, hint: str | None, issues: list[dict[str, Any]], exit_code: int) -> None:
    sys.stderr.write(
        json.dumps({"error": {"code": code, "message": message, "hint": hint, "issues": issues}, "exitCode": exit_code})
        + "\n"
    )
