"""The reader of a workflow's source: follows ``ctx`` and ``step`` through names, branches and helper functions."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, Literal

from ..errors import Issue
from . import sources
from .sources import FunctionNode, Source

Held = Literal["ctx", "step"]


@dataclass(frozen=True, slots=True)
class Site:
    """One call on ``step``. ``offset`` is its line, counted from the workflow's first one."""

    method: str
    call: ast.Call
    awaited: bool
    file: str
    line: int
    offset: int
    branches: dict[int, str]

    def excludes(self, other: Site) -> bool:
        """Whether the two stand in branches of which only one can run."""
        return any(other.branches.get(fork, branch) != branch for fork, branch in self.branches.items())

    def argument(self, name: str) -> ast.expr | None:
        """The first positional argument, or the one called ``name``."""
        return self.call.args[0] if self.call.args else self.keyword(name)

    def keyword(self, name: str) -> ast.expr | None:
        return next((k.value for k in self.call.keywords if k.arg == name), None)


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where the reader stands: in which function, with what behind which name, in which branches."""

    source: Source
    held: dict[str, Held]
    local: dict[str, FunctionNode]
    branches: dict[int, str]
    in_finally: bool = False
    called_from: int | None = None

    def within(self, fork: ast.AST, branch: str) -> _Scope:
        return replace(self, branches=self.branches | {id(fork): branch})


class Reader:
    """Collects the ``sites`` of steps in the order of the source, and the ``problems`` met on the way."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._sites: dict[int, Site] = {}
        self._followed: set[tuple[int, frozenset[tuple[str, Held]], bool]] = set()
        self.problems: list[tuple[str, Issue]] = []

    @property
    def sites(self) -> Iterable[Site]:
        return self._sites.values()

    def read(self) -> None:
        """Read the workflow, whose first parameter is its context."""
        node = self._source.node
        context = next(iter(_parameters(node)), None)
        held: dict[str, Held] = {context: "ctx"} if context else {}
        self._all(node.body, _Scope(self._source, held, {}, {}))

    def object(self, file: str, line: int, code: str, message: str, hint: str | None = None) -> None:
        """Note a problem, once for each line."""
        problem = (sources.where(file, line), Issue("", code, message, hint))
        if problem not in self.problems:
            self.problems.append(problem)

    def _all(self, nodes: Iterable[ast.AST], scope: _Scope) -> None:
        for node in nodes:
            self._visit(node, scope)

    def _visit(self, node: ast.AST, scope: _Scope) -> None:
        match node:
            case ast.If() | ast.IfExp() | ast.Match() | ast.Try() | ast.TryStar():
                self._fork(node, scope)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                scope.local[node.name] = node
                self._all((*node.decorator_list, *node.args.defaults), scope)
                self._all(node.body, _inner(scope, _parameters(node), {}))
            case ast.Lambda():
                self._visit(node.body, _inner(scope, _parameters(node), {}))
            case ast.Assign() | ast.AnnAssign() | ast.NamedExpr() if node.value is not None:
                self._visit(node.value, scope)
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    self._bind(target, node.value, scope)
            case ast.Expr(value=ast.Call() as call):
                self._call(call, scope, awaited=False)
            case ast.Call():
                self._call(node, scope)
            case ast.Attribute() if self._holds(node.value, scope) == "step":
                self.object(
                    scope.source.file, node.lineno, "step_not_called", f"step.{node.attr} is used without being called",
                    f"Call it where it stands, as in `await step.{node.attr}(…)`, so that its id can be read.",
                )  # fmt: skip
            case _:
                self._all(ast.iter_child_nodes(node), scope)

    def _fork(self, node: ast.If | ast.IfExp | ast.Match | ast.Try | ast.TryStar, scope: _Scope) -> None:
        match node:
            case ast.If() | ast.IfExp():
                self._visit(node.test, scope)
                self._all(_listed(node.body), scope.within(node, "if"))
                self._all(_listed(node.orelse), scope.within(node, "else"))
            case ast.Match():
                self._visit(node.subject, scope)
                for at, case in enumerate(node.cases):
                    self._visit(case, scope.within(node, f"case {at}"))
            case ast.Try() | ast.TryStar():
                # What was tried may have run before its handler does: only handlers and `else` exclude each other.
                self._all(node.body, scope)
                for at, handler in enumerate(node.handlers):
                    self._visit(handler, scope.within(node, f"except {at}"))
                self._all(node.orelse, scope.within(node, "else"))
                self._all(node.finalbody, replace(scope, in_finally=True))

    def _call(self, call: ast.Call, scope: _Scope, *, awaited: bool = True) -> None:
        match call.func:
            case ast.Attribute(value=holder, attr=method) if self._holds(holder, scope) == "step":
                self._site(method, call, scope, awaited)
            case callee:
                self._visit(callee, scope)
                self._follow(call, scope)
        self._all((*call.args, *call.keywords), scope)

    def _site(self, method: str, call: ast.Call, scope: _Scope, awaited: bool) -> None:
        file, line = scope.source.file, call.lineno
        if scope.in_finally:
            self.object(
                file, line, "step_in_finally", f"step.{method}() stands in a `finally` block",
                "A workflow passes there also when it only goes to sleep. Move the step behind the `try`.",
            )  # fmt: skip
        offset = (scope.called_from or line) - self._source.first_line
        self._sites.setdefault(id(call), Site(method, call, awaited, file, line, offset, scope.branches))

    def _bind(self, target: ast.expr, value: ast.expr, scope: _Scope) -> None:
        match target, value:
            case ast.Name(id=name), _ if held := self._holds(value, scope):
                scope.held[name] = held
            case ((ast.Tuple() | ast.List()), (ast.Tuple() | ast.List())) if len(target.elts) == len(value.elts):
                for one, other in zip(target.elts, value.elts, strict=True):
                    self._bind(one, other, scope)
            case _:
                pass

    def _holds(self, node: ast.expr, scope: _Scope) -> Held | None:
        match node:
            case ast.Name(id=name):
                return scope.held.get(name)
            case ast.Attribute(value=holder, attr="step") if self._holds(holder, scope) == "ctx":
                return "step"
            case ast.NamedExpr(value=value):
                return self._holds(value, scope)
            case _:
                return None

    def _follow(self, call: ast.Call, scope: _Scope) -> None:
        if not any(self._holds(argument, scope) for argument in (*call.args, *(k.value for k in call.keywords))):
            return
        source, around = self._callee(call.func, scope)
        if source is None:
            return
        held = dict(self._given(call, source.node, scope))
        followed = (id(source.node), frozenset(held.items()), scope.in_finally)
        if not held or followed in self._followed:
            return
        self._followed.add(followed)
        outside = scope.called_from or call.lineno
        here = replace(around, source=source, branches=scope.branches, in_finally=scope.in_finally, called_from=outside)
        self._all(source.node.body, _inner(here, _parameters(source.node), held))

    def _callee(self, node: ast.expr, scope: _Scope) -> tuple[Source | None, _Scope]:
        if isinstance(node, ast.Name) and (local := scope.local.get(node.id)):
            return replace(scope.source, node=local), scope
        source = sources.of(_value(node, scope.source.names))
        return source, replace(scope, held={}, local={})

    def _given(self, call: ast.Call, node: FunctionNode, scope: _Scope) -> Iterator[tuple[str, Held]]:
        """Which parameters of the function are the context or the step in this call."""
        for name, value in zip(_parameters(node), call.args, strict=False):
            if held := self._holds(value, scope):
                yield name, held
        for keyword in call.keywords:
            if keyword.arg and (held := self._holds(keyword.value, scope)):
                yield keyword.arg, held


def _inner(scope: _Scope, parameters: Iterable[str], given: dict[str, Held]) -> _Scope:
    """The scope of a function body: what is around it, less what its parameters hide, and what these were given."""
    hidden = set(parameters)
    held = {name: held for name, held in scope.held.items() if name not in hidden}
    return replace(scope, held=held | given, local=dict(scope.local))


def _parameters(node: FunctionNode | ast.Lambda) -> list[str]:
    return [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]


def _value(node: ast.expr, names: dict[str, Any]) -> Any:
    """What a name, or a name in a module, stands for once everything is imported."""
    match node:
        case ast.Name(id=name):
            return names.get(name)
        case ast.Attribute(value=module, attr=name):
            inside = _value(module, names)
            return vars(inside).get(name) if isinstance(inside, ModuleType) else None
        case _:
            return None


def _listed(body: list[ast.stmt] | ast.expr) -> list[ast.stmt] | list[ast.expr]:
    return body if isinstance(body, list) else [body]
