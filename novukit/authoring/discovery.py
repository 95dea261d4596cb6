"""A workflow's steps from its source: every branch is seen, and the author's code is never run.

A step is a call on ``ctx.step``, or on a name that it was given to. Functions that are called with ``ctx`` or ``step``
are followed, wherever they are defined, as long as they are called by name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import Any

from ..errors import Issue, WorkflowInvalid, did_you_mean
from ..model import StepKind, StepSpec
from . import sources
from .reading import Reader, Site

KINDS = {kind.value: kind for kind in StepKind}
_IDENTIFIER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


def discover(workflow: str, function: Any) -> tuple[StepSpec, ...]:
    """The steps of ``function`` in source order, each id once.

    Raises :class:`WorkflowInvalid` that names file and line of everything that is wrong with them.
    """
    source = sources.of(function)
    if source is None:
        raise WorkflowInvalid(
            f"{sources.place_of(function) or 'unknown'}: the source of workflow {workflow!r} cannot be read.",
            hint="Define it with `async def` in a file: novukit finds its steps there without running it. "
            "If the file has changed since it was imported, start again.",
        )
    reader = Reader(source)
    reader.read()
    found: dict[str, list[tuple[Site, StepKind]]] = {}
    for site in reader.sites:
        if (kind := _kind(site, reader)) and (step := _literal_id(site, reader)):
            found.setdefault(step, []).append((site, kind))
    for step, places in found.items():
        _refuse_twice(step, places, reader)
    _refuse_unknown_references(found, reader)
    if not reader.sites and not reader.problems:
        reader.object(
            source.file, source.first_line, "no_steps", "there are no steps",
            'Await at least one, as in `await ctx.step.email("welcome", subject="Welcome")`. Steps in other functions '
            "are found where these are called by name with ctx or step.",
        )  # fmt: skip
    if reader.problems:
        raise _invalid(workflow, reader.problems)
    return tuple(StepSpec(id=step, kind=places[0][1], line=places[0][0].offset) for step, places in found.items())


def _kind(site: Site, reader: Reader) -> StepKind | None:
    if kind := KINDS.get(site.method):
        if not site.awaited:
            reader.object(
                site.file, site.line, "step_not_awaited", f"step.{site.method}() is not awaited, so it does nothing",
                f"Write `await step.{site.method}(…)`.",
            )  # fmt: skip
        return kind
    if not site.method.startswith("_"):
        reader.object(
            site.file, site.line, "step_unknown", f"there is no step.{site.method}()", did_you_mean(site.method, KINDS)
        )
    return None


def _literal_id(site: Site, reader: Reader) -> str | None:
    match site.argument("id"):
        case ast.Constant(value=str(id)) if _IDENTIFIER.fullmatch(id):
            return id
        case ast.Constant(value=str(id)):
            reader.object(
                site.file, site.line, "step_id_invalid", f"{id[:64]!r} cannot be the id of a step",
                "An id has 1 to 100 letters, digits and _ . - and does not begin with . or -.",
            )  # fmt: skip
        case None:
            reader.object(
                site.file, site.line, "step_id_missing", f"step.{site.method}() has no id",
                f'Give it one of its own, as in `step.{site.method}("reminder", …)`.',
            )  # fmt: skip
        case _:
            reader.object(
                site.file, site.line, "step_id_not_literal", f"the id of step.{site.method}() is not a literal string",
                'Write it out, as in "reminder"; in a loop keep one id and tell the rounds apart with key=….',
            )  # fmt: skip
    return None


def _refuse_twice(id: str, places: list[tuple[Site, StepKind]], reader: Reader) -> None:
    for at, (second, kind) in enumerate(places):
        for first, other in places[:at]:
            if kind is other and first.excludes(second):
                continue
            here = f"{first.line} and {second.line}"
            if first.file != second.file:
                here = f"{sources.where(first.file, first.line)} and {second.line}"
            what = f"step id {id!r} is used twice, in lines {here}"
            if kind is not other:
                what += f", as {other} and as {kind}"
            reader.object(
                second.file, second.line, "step_twice", what,
                "Give each its own id. Only steps of one kind in branches of one `if` or `match` may share it.",
            )  # fmt: skip
            return


def _refuse_unknown_references(found: Iterable[str], reader: Reader) -> None:
    for site in reader.sites:
        for name in ("unless_seen", "unless_read"):
            match site.keyword(name):
                case ast.Constant(value=str(id)) if id not in found:
                    reader.object(
                        site.file, site.line, "step_unknown", f"{name}={id[:64]!r} names no step of this workflow",
                        did_you_mean(id, found),
                    )  # fmt: skip
                case _:
                    pass


def _invalid(workflow: str, problems: list[tuple[str, Issue]]) -> WorkflowInvalid:
    if len(problems) == 1:
        ((where, issue),) = problems
        return WorkflowInvalid(f"{where}: in workflow {workflow!r}, {issue.message}.", hint=issue.hint)
    lines = [f"{where}: {issue.message}.{f' {issue.hint}' if issue.hint else ''}" for where, issue in problems]
    return WorkflowInvalid(
        "\n".join([f"Workflow {workflow!r} breaks {len(lines)} rules:", *lines]),
        issues=[
            Issue(issue.path, issue.code, line, issue.hint) for line, (_, issue) in zip(lines, problems, strict=True)
        ],
    )
