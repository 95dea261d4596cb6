"""How large a template may make a value: refused before the memory is asked for, not after."""

from __future__ import annotations

import re
from collections.abc import Callable, Sized
from functools import wraps
from typing import Any, cast

from jinja2 import TemplateRuntimeError

MAX_OUTPUT = 1_000_000
"""Characters that one rendering, or one value inside it, may have."""
MAX_WIDTH = 10_000
"""The largest width, indent, precision or count that a filter or string method takes."""
MAX_BITS = 4_096
"""The largest whole number, in bits."""

_WIDE = re.compile(r"\d{5,}")
_WIDTH_FROM_ARGUMENT = re.compile(r"%[-+ #0]*(\d*\.)?\*|\{[^{}]*\{")


class LimitError(TemplateRuntimeError):
    """A template asked for more than it may have."""


def size(characters: int) -> None:
    """Refuse a value of this many characters or items if that is too many."""
    if characters > MAX_OUTPUT:
        raise LimitError(f"this would make a value of {characters:,} characters or items; the limit is {MAX_OUTPUT:,}")


def width(*values: Any) -> None:
    """Refuse whole numbers that are too large for a width."""
    for value in values:
        if isinstance(value, int) and abs(value) > MAX_WIDTH:
            raise LimitError(
                f"{value if abs(value) < 10**20 else 'this number'} is too large here; the limit is {MAX_WIDTH:,}"
            )


def form(text: str) -> None:
    """Refuse a format (``%`` or ``str.format``) that pads too far, or takes its width from an argument."""
    if _WIDE.search(text) or _WIDTH_FROM_ARGUMENT.search(text):
        raise LimitError(f"a format pads to a width of at most {MAX_WIDTH - 1:,}, written as a number")


def replacement(text: str, old: str, new: str, count: int | None = None) -> None:
    """Refuse a replacement whose result would be too long."""
    found = text.count(old) if count is None or count < 0 else min(text.count(old), count)
    size(len(text) + found * (len(new) - len(old)))


def joining(items: Any, between: str) -> None:
    """Refuse a joint whose separators alone would be too long."""
    if isinstance(items, Sized):
        size(len(items) * len(between))


def _length(value: Any) -> int | None:
    return len(cast("Sized", value)) if isinstance(value, (str, list, tuple)) else None


def operation(operator: str, left: Any, right: Any) -> None:
    """Refuse ``left <operator> right`` if its result would be too large."""
    if operator == "+" and type(left) is int and type(right) is int:
        return  # a sum grows by one bit, a product by all of them
    length, other = _length(left), _length(right)
    if operator == "+" and length is not None and other is not None:
        size(length + other)
    elif operator == "%" and isinstance(left, str):
        form(left)
    elif operator == "*" and isinstance(right, int) and length is not None:
        size(length * right)
    elif operator == "*" and isinstance(left, int) and other is not None:
        size(left * other)
    elif isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() * max(right, 1) if operator == "**" else left.bit_length() + right.bit_length()
        if operator in ("*", "**") and bits > MAX_BITS:
            raise LimitError("this number becomes too large")


def method(owner: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Refuse a call of a string's method if its result would be too large."""
    if name in ("center", "ljust", "rjust", "zfill"):
        width(*args, *kwargs.values())
    elif name == "expandtabs":
        tab = next((n for n in (*args, *kwargs.values()) if isinstance(n, int)), 8)
        size(len(owner) + owner.count("\t") * tab)
    elif name == "replace" and len(args) >= 2:
        replacement(owner, str(args[0]), str(args[1]), args[2] if len(args) > 2 else None)
    elif name == "join" and args:
        joining(args[0], owner)
    elif name == "translate":
        raise LimitError("str.translate is not available in templates; use the replace filter")


def _of_width(*args: Any, **kwargs: Any) -> None:
    width(*args, *kwargs.values())


def _of_format(value: Any, *_: Any, **__: Any) -> None:
    form(str(value))


def _of_replace(_: Any, value: Any, old: Any, new: Any, count: int | None = None) -> None:
    replacement(str(value), str(old), str(new), count)


def _of_join(_: Any, value: Any, d: Any = "", attribute: Any = None) -> None:
    joining(value, str(d))


_GUARDS: dict[str, Callable[..., None]] = {
    **dict.fromkeys(("batch", "center", "indent", "round", "slice", "tojson"), _of_width),
    "format": _of_format,
    "replace": _of_replace,
    "join": _of_join,
}


def guarded(filters: dict[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """The filters, each that can blow a value up behind its guard."""

    def behind(guard: Callable[..., None], function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)  # keeps Jinja's marks of what the filter is passed
        def inner(*args: Any, **kwargs: Any) -> Any:
            guard(*args, **kwargs)
            return function(*args, **kwargs)

        return inner

    return filters | {name: behind(guard, filters[name]) for name, guard in _GUARDS.items()}
