"""What went wrong in a template, as ``TemplateFailed``: which template, which line, which variable, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment, TemplateError, TemplateNotFound, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError

from ..errors import Issue, TemplateFailed, did_you_mean
from .limits import LimitError
from .loading import BUILTIN, not_found
from .sandbox import UnknownVariableError, unknown_filter_hint


def failed(where: str, what: str, *, code: str, path: str = "", hint: str | None = None) -> TemplateFailed:
    """The error with its one issue."""
    message = f"{where}{what[:300]}{'' if what.endswith('.') else '.'}"
    return TemplateFailed(message, hint=hint, issues=[Issue(path, code, message, hint)])


def explain(  # noqa: PLR0911  # one return for each kind of failure
    err: Exception, template: str, environment: Environment, folders: tuple[Path, ...], variables: Iterable[str]
) -> TemplateFailed:
    """The ``TemplateFailed`` for whatever ``err`` rendering ``template`` raised."""
    if isinstance(err, TemplateFailed):
        return err
    if isinstance(err, TemplateSyntaxError):
        where = f"{err.name or template}, line {err.lineno}: "
        hint = unknown_filter_hint(environment, err.message)
        return failed(where, err.message or "it cannot be read", code="template_syntax", hint=hint)
    name, line = _place(err, folders) or (template, None)
    where = f"{name}, line {line}: " if line else f"{name}: "
    match err:
        case TemplateNotFound():
            return not_found(err, folders, environment.list_templates(), where if line else "")
        case UnknownVariableError():
            known = set(err.known or ())
            if err.known is None:
                given = {variable for variable in variables if not variable.startswith("_")}
                known = (given | _names_set_in(environment, name)) - {err.name}
            hint = did_you_mean(err.name, known) or ("It was given no variables." if err.known is None else None)
            return failed(where, str(err), code="undefined_variable", path=f"/variables/{err.name}", hint=hint)
        case SecurityError():
            return failed(where, str(err), code="template_forbidden", hint="Templates see data, not Python.")
        case LimitError() | OverflowError() | MemoryError():
            return failed(where, str(err) or "out of memory", code="template_limit")
        case RecursionError():
            hint = "Does it include or extend itself?"
            return failed(where, "it is nested too deeply", code="template_limit", hint=hint)
        case TemplateError():
            return failed(where, str(err), code="template_failed")
        case _:
            return failed(where, f"{type(err).__name__}: {err}", code="template_failed")


def _place(err: BaseException, folders: tuple[Path, ...]) -> tuple[str, int] | None:
    """The innermost template and line in the traceback, which Jinja has rewritten to the template's own lines."""
    place: tuple[str, int] | None = None
    trace = err.__traceback__
    while trace is not None:
        if "__jinja_exception__" in trace.tb_frame.f_globals:
            place = (_name_of(Path(trace.tb_frame.f_code.co_filename), folders), trace.tb_lineno)
        trace = trace.tb_next
    return place


def _name_of(path: Path, folders: tuple[Path, ...]) -> str:
    if path.is_relative_to(BUILTIN):
        return f"novukit/{path.relative_to(BUILTIN)}"
    return next((str(path.relative_to(f)) for f in folders if path.is_relative_to(f)), path.name)


def _names_set_in(environment: Environment, template: str) -> set[str]:
    """The names that a template itself gives: of loops, ``set``, ``with`` and macros."""
    try:
        loader: Any = environment.loader
        tree = environment.parse(loader.get_source(environment, template)[0])
    except (TemplateError, TemplateFailed, RecursionError):
        return set()
    return {node.name for node in tree.find_all(nodes.Name) if node.ctx in ("store", "param")}
