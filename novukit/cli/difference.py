"""A diff of two environments as one reads it, and what was published."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from ..errors import NotFound, did_you_mean
from .output import Output, sign
from .values import count, parts, texts

_SIGNS = {"added": ("+", "green"), "modified": ("~", "yellow"), "deleted": ("-", "red")}
_NOUNS = {"BRIDGE": "workflow", "REGULAR": "layout"}


def draw_diff(output: Output, told: dict[str, Any], only: Collection[str] = ()) -> None:
    """Draw each workflow and layout that differs, with its steps, and a line that counts them."""
    for one in parts(told, "resources"):
        changes = parts(one, "changes")
        if changes and (not only or id_of(one) in only):
            _resource(output, one, changes)
    summary = told["summary"]
    same = summary["totalEntities"] - summary["totalChanges"]
    said = f"{count(summary['totalChanges'], 'difference')}" if summary["totalChanges"] else "No differences"
    output.line((f"{said}{f'; {same} the same' if same else ''}.", "bold"))


def draw_published(output: Output, told: dict[str, Any]) -> None:
    """Draw what was left as it is and why, and a line that counts what was done."""
    for result in parts(told, "results"):
        for one in parts(result, "skipped"):
            output.line(("! ", "yellow"), (one["resourceId"], "bold"), f" is left as it is. {one['reason']}")
    number = told["summary"]["successful"]
    if told["dryRun"]:
        output.line((f"{number} would be published. Nothing was changed.", "bold"))
    else:
        output.line((f"{sign('✓')} ", "green"), f"Published {number}.")


def chosen(told: dict[str, Any], only: Sequence[str]) -> list[dict[str, str]]:
    """What ``only`` names, as the API takes it. Raises :class:`NotFound`."""
    known = {id_of(one): one for one in parts(told, "resources")}
    for name in only:
        if name not in known:
            raise NotFound(
                f"Neither environment has a workflow or layout {name[:64]!r}.", hint=did_you_mean(name, known)
            )
    return [
        {"resourceType": one["resourceType"], "resourceId": id_of(one)}
        for one in parts(told, "resources")
        if id_of(one) in only
    ]


def id_of(one: dict[str, Any]) -> str:
    """The id of a workflow or layout of a diff."""
    return str((one["sourceResource"] or one["targetResource"])["id"])


def _resource(output: Output, one: dict[str, Any], changes: list[dict[str, Any]]) -> None:
    whole, *steps = changes
    mark, style = _SIGNS[whole["action"]]
    name = (one["sourceResource"] or one["targetResource"])["name"]
    line: list[str | tuple[str, str]] = [
        (f"{mark} ", f"bold {style}"), f"{_NOUNS[one['resourceType']]} ", (id_of(one), "bold"),
    ]  # fmt: skip
    if name != id_of(one):
        line.append((f"  {name}", "dim"))
    if flying := int(one.get("inFlight") or 0):
        line.append((f"  {count(flying, 'execution')} in flight", "yellow"))
    output.line(*line)
    for step in steps:
        sign_, colour = _SIGNS[step["action"]]
        told = (step["sourceResource"] or step["targetResource"])["id"]
        parts_: list[str | tuple[str, str]] = [
            (f"    {sign_} ", colour), f"step {told}", (f"  {step['stepType'].replace('_', '-')}", "dim"),
        ]  # fmt: skip
        if waiting := int(step.get("waiting") or 0):
            verb = "waits" if waiting == 1 else "wait"
            parts_.append((f"  {sign('⏲')} {count(waiting, 'execution')} {verb} there", "yellow"))
        output.line(*parts_)
    for field in texts(whole, "fields"):
        output.line(("    ~ ", "yellow"), field.replace("_", " "))
    output.line("")
