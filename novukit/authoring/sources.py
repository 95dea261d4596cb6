"""Where a function stands: the syntax tree of its file, read once, and the function's place in it."""

from __future__ import annotations

import ast
import inspect
import linecache
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, cast

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Source:
    """A function in its file: its node, and the names that it sees at run time."""

    file: str
    node: FunctionNode
    names: dict[str, Any]

    @property
    def first_line(self) -> int:
        return _first_line(self.node)


def of(function: Any) -> Source | None:
    """The source of ``function``, or ``None`` where it cannot be read."""
    plain = unwrapped(function)
    if plain is None:
        return None
    code: CodeType = plain.__code__
    file = inspect.getsourcefile(code) or code.co_filename
    linecache.checkcache(file)
    lines = linecache.getlines(file, plain.__globals__)
    node = _functions(file, "".join(lines)).get(code.co_firstlineno) if lines else None
    # Another name on that line means that the file has changed since it was imported.
    return Source(file, node, plain.__globals__) if node is not None and node.name == code.co_name else None


def unwrapped(function: Any) -> FunctionType | None:
    """The Python function below decorators that use ``functools.wraps``."""
    inner: Any = inspect.unwrap(cast("Callable[..., Any]", function)) if callable(function) else function
    return inner if isinstance(inner, FunctionType) else None


def where(file: str, line: int) -> str:
    """``blog/workflows.py:12``: relative to the working directory where it is below it, so that one can click it."""
    path = Path(file)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return f"{path}:{line}"


def place_of(function: Any) -> str | None:
    """``blog/workflows.py:12`` for the function's first line."""
    plain = unwrapped(function)
    return where(plain.__code__.co_filename, plain.__code__.co_firstlineno) if plain else None


@lru_cache(maxsize=256)
def _functions(file: str, text: str) -> dict[int, FunctionNode]:
    try:
        tree = ast.parse(text, filename=file)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    return {_first_line(n): n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}


def _first_line(node: FunctionNode) -> int:
    return min([node.lineno, *(d.lineno for d in node.decorator_list)])
