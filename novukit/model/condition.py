"""Conditions in JsonLogic (jsonlogic.com): checked when they are kept, so that they cannot fail when they are asked.

Subscribers may write them, so the operators are a closed list, and size and depth are bounded. That is why no library
does it: those that are kept accept any operator and fail later, or crash on a rule that is nested deeply.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, cast

from ..errors import Issue, did_you_mean

Condition = dict[str, Any]

DEEPEST = 16
MOST_PARTS = 500


def _true(value: Any) -> bool:
    """As in JsonLogic: an empty list is false, and so is an empty text."""
    return bool(value) or isinstance(value, dict)


def _not(holds: Callable[..., bool]) -> Callable[..., bool]:
    return lambda *values: not holds(*values)


def _equal(one: Any, other: Any) -> bool:
    """As ``==`` in JavaScript, for what JSON can hold."""
    if type(one) is type(other):
        return bool(one == other)
    a, b = _number(one), _number(other)
    return a is not None and a == b


def _number(value: Any) -> float | None:
    try:
        return float(value) if isinstance(value, bool | int | float | str) else None
    except (ValueError, OverflowError):
        return None


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def _ordered(in_order: Callable[[Any, Any], bool]) -> Callable[..., bool]:
    """A comparison of numbers, or of texts; between others there is no order. Three values: «between»."""

    def of_two(one: Any, other: Any) -> bool:
        if isinstance(one, str) and isinstance(other, str):
            return in_order(one, other)
        a, b = _number(one), _number(other)
        return a is not None and b is not None and in_order(a, b)

    def of_all(*values: Any) -> bool:
        return all(of_two(one, other) for one, other in pairwise(values))

    return of_all


def _within(item: Any, whole: Any) -> bool:
    if isinstance(whole, str):
        return isinstance(item, str) and item in whole
    return isinstance(whole, list) and any(_equal(item, one) for one in cast("list[Any]", whole))


def _text_with(has: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    return lambda text, part: isinstance(text, str) and isinstance(part, str) and has(text, part)


# By operator: how many values it takes (least, most), and what it makes of them.
_PLAIN: dict[str, tuple[int, int, Callable[..., Any]]] = {
    "==": (2, 2, _equal),
    "===": (2, 2, _same),
    "!=": (2, 2, _not(_equal)),
    "!==": (2, 2, _not(_same)),
    "<": (2, 3, _ordered(operator.lt)),
    "<=": (2, 3, _ordered(operator.le)),
    ">": (2, 2, _ordered(operator.gt)),
    ">=": (2, 2, _ordered(operator.ge)),
    "in": (2, 2, _within),
    "startsWith": (2, 2, _text_with(str.startswith)),
    "endsWith": (2, 2, _text_with(str.endswith)),
    "!": (1, 1, _not(_true)),
    "!!": (1, 1, _true),
}
_LAZY = {"and": (1, MOST_PARTS), "or": (1, MOST_PARTS), "if": (2, MOST_PARTS), "var": (1, 2)}
OPERATORS = tuple(sorted([*_PLAIN, *_LAZY]))


def holds(condition: Condition, facts: Mapping[str, Any]) -> bool:
    """Whether a condition, which :func:`check` has found right, is true of ``facts`` (JSON data)."""
    return _true(_value(condition, facts))


def check(condition: Any, path: str) -> list[Issue]:
    """What is wrong with a condition, with ``path`` before the pointers; nothing when it can be kept."""
    if not isinstance(condition, dict):
        return [Issue(path, "wrong_type", "expected a JsonLogic rule: an object with one operator")]
    found: list[Issue] = []
    for part, issue in enumerate(_problems(condition, path, 0)):
        if part >= MOST_PARTS:
            return [Issue(path, "too_large", f"must have at most {MOST_PARTS} parts")]
        if issue is not None:
            found.append(issue)
    return found


def _problems(rule: Any, path: str, depth: int) -> Iterator[Issue | None]:
    """One answer for each part of a rule: what is wrong with it, or ``None``."""
    if depth > DEEPEST:
        yield Issue(path, "too_deep", f"is nested more than {DEEPEST} deep")
    elif isinstance(rule, list):
        yield None
        for at, one in enumerate(cast("list[Any]", rule)):
            yield from _problems(one, f"{path}/{at}", depth + 1)
    elif not isinstance(rule, dict):
        yield None
    elif len(cast("Condition", rule)) != 1:
        yield Issue(path, "wrong_type", "expected an object with one operator")
    else:
        name, values = _parts(cast("Condition", rule))
        at = f"{path}/{name.replace('~', '~0').replace('/', '~1')}"
        bounds = _LAZY.get(name) or (_PLAIN[name][:2] if name in _PLAIN else None)
        if bounds is None:
            hint = did_you_mean(name, OPERATORS) or f"There are: {', '.join(OPERATORS)}."
            yield Issue(at, "unknown_operator", "is not an operator", hint)
        elif not bounds[0] <= len(values) <= bounds[1]:
            least, most = bounds
            words = f"{least}" if least == most else f"{least} to {most}"
            yield Issue(at, "wrong_number", f"takes {words} values, not {len(values)}")
        elif name == "var" and not isinstance(values[0], str):
            yield Issue(at, "wrong_type", "expected the name of a field, such as payload.amount")
        else:
            yield None
            for n, one in enumerate(values):
                yield from _problems(one, f"{at}/{n}", depth + 1)


def _parts(rule: Condition) -> tuple[str, list[Any]]:
    """The operator and its values; one value may stand without a list."""
    ((name, values),) = rule.items()
    return name, cast("list[Any]", values) if isinstance(values, list) else [values]


def _value(rule: Any, facts: Mapping[str, Any]) -> Any:
    if isinstance(rule, list):
        return [_value(one, facts) for one in cast("list[Any]", rule)]
    if not isinstance(rule, dict):
        return rule
    name, values = _parts(cast("Condition", rule))
    match name:
        case "var":
            return _field(facts, values)
        case "and" | "or":
            return _first(values, facts, wanted=name == "or")
        case "if":
            return _chosen(values, facts)
        case _:
            return _PLAIN[name][2](*(_value(one, facts) for one in values))


def _first(values: list[Any], facts: Mapping[str, Any], *, wanted: bool) -> Any:
    """The first value that is true, or false, as ``wanted``; or else the last."""
    found: Any = None
    for one in values:
        found = _value(one, facts)
        if _true(found) is wanted:
            break
    return found


def _chosen(values: list[Any], facts: Mapping[str, Any]) -> Any:
    """Of condition, value, condition, value, …, otherwise."""
    for n in range(0, len(values) - 1, 2):
        if _true(_value(values[n], facts)):
            return _value(values[n + 1], facts)
    return _value(values[-1], facts) if len(values) % 2 else None


def _field(facts: Mapping[str, Any], values: list[Any]) -> Any:
    here: Any = facts
    for name in str(values[0]).split("."):
        if isinstance(here, Mapping):
            here = cast("Mapping[str, Any]", here).get(name)
        elif isinstance(here, list) and name.isdecimal():
            several = cast("list[Any]", here)
            here = several[int(name)] if int(name) < len(several) else None
        else:
            here = None
    return values[1] if here is None and len(values) > 1 else here
