"""A sync plan as one reads it: what is created, changed and deleted, and what is in flight there."""

from __future__ import annotations

from typing import Any

from .output import Output, sign
from .values import count, parts, texts

_STYLES = {"+": "green", "~": "yellow", "-": "red"}


def draw(output: Output, plan: dict[str, Any]) -> None:
    """Draw the plan and its summary line."""
    for word, mark in (("create", "+"), ("change", "~"), ("delete", "-")):
        for change in parts(plan, word):
            _workflow(output, change, mark)
    output.line((summary(plan), "bold"))


def summary(plan: dict[str, Any]) -> str:
    """``1 to create, 2 to change; 4 unchanged.``"""
    news = [f"{len(plan[word])} to {word}" for word in ("create", "change", "delete") if plan.get(word)]
    same = len(texts(plan, "unchanged"))
    return f"{', '.join(news) or 'No changes'}{f'; {same} unchanged' if same else ''}."


def is_empty(plan: dict[str, Any]) -> bool:
    """Whether there is nothing to do."""
    return not any(plan.get(word) for word in ("create", "change", "delete"))


def _workflow(output: Output, change: dict[str, Any], mark: str) -> None:
    style = _STYLES[mark]
    name = str(change.get("name") or "")
    line: list[str | tuple[str, str]] = [(f"{mark} ", f"bold {style}"), (change["workflowId"], "bold")]
    if name and name != change["workflowId"]:
        line.append((f"  {name}", "dim"))
    if flying := int(change.get("inFlight") or 0):
        line.append((f"  {count(flying, 'execution')} in flight", "yellow"))
    output.line(*line)
    steps = parts(change, "steps")
    room = max((len(str(step["stepId"])) for step in steps), default=0)
    for step in steps:
        _step(output, step, room)
    for field in texts(change, "fields"):
        output.line(("    ~ ", "yellow"), field.replace("_", " "))
    output.line("")


def _step(output: Output, step: dict[str, Any], room: int) -> None:
    line: list[str | tuple[str, str]] = [
        (f"    {step['sign']} ", _STYLES.get(step["sign"], "")),
        f"step {step['stepId'].ljust(room)}",
        (f"  {str(step['kind']).replace('_', '-')}", "dim"),
    ]
    if waiting := int(step.get("waiting") or 0):
        verb = "waits" if waiting == 1 else "wait"
        line.append((f"  {sign('⏲')} {count(waiting, 'execution')} {verb} there", "yellow"))
    output.line(*line)
