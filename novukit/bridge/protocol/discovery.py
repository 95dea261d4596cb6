"""Discovery: what we have, in the shape of Novu's framework; and the source of it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any

from ...authoring import Registry, Workflow
from ...model import StepSpec, WorkflowPreferences
from .refusal import Refusal
from .schemas import EMPTY, OUTPUTS, RESULTS, both


def discovered(registry: Registry) -> dict[str, Any]:
    """All workflows with their steps and schemas."""
    return {"workflows": [_workflow(one) for one in registry], "agents": []}


def counts(registry: Registry) -> dict[str, int]:
    """How many workflows and steps there are."""
    return {"workflows": len(registry), "steps": sum(len(one.spec().steps) for one in registry)}


def code_of(workflow: Workflow[Any], step: str | None = None) -> str:
    """The source of a workflow, or of the call of one of its steps. Raises :class:`Refusal`."""
    lines = _source(workflow)
    if step is None:
        return lines
    found = next((one for one in workflow.spec().steps if one.id == step), None)
    if found is None:
        raise Refusal("StepNotFoundError", f"The workflow {workflow.id!r} has no step {step[:100]!r}.")
    return _call(lines, found)


def _workflow(one: Workflow[Any]) -> dict[str, Any]:
    spec, lines = one.spec(), _source(one)
    return {
        "workflowId": spec.id,
        "name": spec.name,
        "description": spec.description,
        "severity": spec.severity,
        "tags": list(spec.tags),
        "preferences": _preferences(spec.preferences),
        "code": lines,
        "payload": both(spec.payload_schema or EMPTY),
        "controls": both(EMPTY),
        "env": both(EMPTY),
        "steps": [_step(step, lines) for step in spec.steps],
    }


def _step(step: StepSpec, lines: str) -> dict[str, Any]:
    return {
        "stepId": step.id,
        "type": step.kind.value,
        "controls": both(EMPTY),
        "outputs": both(OUTPUTS[step.kind]),
        "results": both(RESULTS[step.kind]),
        "code": _call(lines, step),
        "options": {},
        "providers": [],
    }


def _preferences(preferences: WorkflowPreferences) -> dict[str, Any]:
    """What the author wrote, and nothing else."""
    told: dict[str, Any] = {}
    everywhere = {"enabled": preferences.enabled, "readOnly": preferences.read_only}
    if everywhere != {"enabled": True, "readOnly": False}:
        told["all"] = everywhere
    if preferences.channels:
        told["channels"] = {name: {"enabled": wanted} for name, wanted in preferences.channels.items()}
    return told


def _source(workflow: Workflow[Any]) -> str:
    try:
        return textwrap.dedent(inspect.getsource(inspect.unwrap(workflow.run)))
    except (OSError, TypeError):
        return ""


def _call(lines: str, step: StepSpec) -> str:
    """The statement in which a step is called, or begins its way to a function that calls it."""
    try:
        tree = ast.parse(lines)
    except SyntaxError:
        return ""
    at = step.line + 1
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call | ast.Await) and node.lineno == at]
    return (ast.get_source_segment(lines, calls[0]) if calls else None) or ""
