"""Explain: an execution's timeline in plain text, for a failing test to show."""

from __future__ import annotations

from datetime import datetime

from ..model import Execution, StepStatus
from ..store import Scope, history

_MARKS = {
    StepStatus.COMPLETED: "✓", StepStatus.SKIPPED: "↷", StepStatus.MERGED: "⇢", StepStatus.FAILED: "✗",
    StepStatus.WAITING: "⏲", StepStatus.RETRYING: "↻", StepStatus.CALLING: "…", StepStatus.UNKNOWN: "?",
}  # fmt: skip


async def timeline(scope: Scope, execution: Execution) -> str:
    """One line for the execution and one for each step: mark, name, outcome, reason, when, how often."""
    why = f" ({execution.reason})" if execution.reason else ""
    head = f"{execution.workflow_id} → {execution.subscriber_id}: {execution.status}{why}"
    lines = [head + (f"\n    {execution.detail}" if execution.detail else "")]
    for step in await history.steps(scope, execution.id):
        name = f"{step.step_id}[{step.key}]" if step.key else step.step_id
        said = [str(step.status), *([f"({step.reason})"] if step.reason else [])]
        if step.wake_at and not step.status.is_final:
            said.append(f"until {_at(step.wake_at)}")
        if step.attempts > 1:
            said.append(f"{step.attempts} attempts")
        if step.detail:
            said.append(f"— {step.detail}")
        at = _at(step.started_at) if step.started_at else ""
        lines.append(f"  {_MARKS[step.status]} {at}  {name:<16} {step.kind:<9} {' '.join(said)}")
    return "\n".join(lines)


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
