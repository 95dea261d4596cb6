"""JSON to the letter as ``JSON.stringify`` writes it: Novu's framework checks a signature over its own rendering."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

_EXACT = 2**53
"""From here on JavaScript's numbers skip some of the whole ones."""
_LARGEST_INDEX = 2**32 - 1
_INDEX_DIGITS = 10

_text = json.JSONEncoder(ensure_ascii=False).encode


def stringify(value: Any) -> str:
    """``value``, which is JSON data, as JavaScript would write it after reading it.

    That is compact, with ``1`` for ``1.0``, the shortest digits that give a number back, and the keys of an object that
    look like an array's first, in their order (ECMA-262 §10.1.11, §25.5.2).
    """
    match value:
        case None | bool() | str():
            return _text(value)
        case int() | float():
            return _number(value)
        case dict():
            pairs: Iterable[tuple[str, Any]] = _in_order(value)  # pyright: ignore[reportUnknownArgumentType]
            return "{" + ",".join(f"{_text(key)}:{stringify(inner)}" for key, inner in pairs) + "}"
        case list() | tuple():
            return "[" + ",".join(stringify(inner) for inner in value) + "]"  # pyright: ignore[reportUnknownVariableType]
        case _:
            raise TypeError(f"{type(value).__name__} is not JSON data")


def _in_order(value: dict[str, Any]) -> list[tuple[str, Any]]:
    indices = sorted((key for key in value if _is_index(key)), key=int)
    if not indices:
        return list(value.items())
    return [(key, value[key]) for key in indices] + [(k, v) for k, v in value.items() if not _is_index(k)]


def _is_index(key: str) -> bool:
    if not (key.isascii() and key.isdecimal() and len(key) <= _INDEX_DIGITS):
        return False
    return str(int(key)) == key and int(key) < _LARGEST_INDEX


def _number(value: float) -> str:
    """ECMA-262 §6.1.6.1.20, ``Number::toString``, of a finite number; JSON has no others, and says null for them."""
    if isinstance(value, int) and -_EXACT <= value <= _EXACT:
        return str(value)
    try:
        number = float(value)
    except OverflowError:
        return "null"
    if not math.isfinite(number):
        return "null"
    if number == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    assert isinstance(exponent, int)
    text, point = "".join(map(str, digits)), len(digits) + exponent
    if len(text) <= point <= 21:
        told = text + "0" * (point - len(text))
    elif 0 < point <= 21:
        told = f"{text[:point]}.{text[point:]}"
    elif -6 < point <= 0:
        told = f"0.{'0' * -point}{text}"
    else:
        told = f"{text[0]}{'.' + text[1:] if len(text) > 1 else ''}e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return f"-{told}" if sign else told
